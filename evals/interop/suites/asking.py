"""What our own checks share: where the server is, and the tools and schemas that the tiny model knows."""

import os
from typing import Any

URL = os.environ["INTEROP_URL"]
MODEL = os.environ["INTEROP_MODEL"]
VECTORS = os.environ["INTEROP_VECTORS"]
KEY = "dummy"

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a place.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
        "additionalProperties": False,
    },
}
JOKE: dict[str, Any] = {
    "type": "object",
    "properties": {"setup": {"type": "string"}, "punchline": {"type": "string"}},
    "required": ["setup", "punchline"],
    "additionalProperties": False,
}
GREETING = "Good day from a very small model."
COUNTING = "One lamp stands on the shelf. Two lamp stands on the shelf."
