"""What the misbehaving provider is asked and what it says, whatever the wire."""

import json
from dataclasses import dataclass, field
from typing import Any

PROSE = "The harbour is calm and every ship has found its berth tonight"


@dataclass(frozen=True)
class Asked:
    """A request, as far as this provider reads it. One word is one token here."""

    wire: str
    model: str
    stream: bool
    text: str
    input: int
    limit: int | None
    choices: int
    tools: list[dict[str, Any]]
    schema: dict[str, Any] | None
    logprobs: bool
    answered_tool: bool
    texts: tuple[str, ...] = ()  # to embed
    length: int = 0  # of their vectors
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    words: list[str] = field(default_factory=list)
    tools: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    reasoning: str = ""
    finish: str = "stop"
    stop: str = ""  # the stop sequence that was met

    @property
    def output(self) -> int:
        return max(1, len(self.words) + len(self.reasoning.split()) + 8 * len(self.tools))


def reply_to(asked: Asked, *, ignore_limit: bool = False) -> Reply:
    """What the model says: the same for the same request, always."""
    if asked.text.startswith("by model "):  # by model {"NAME": TEXT or [TOOL, ARGUMENTS], …}
        said = json.loads(asked.text[9:])[asked.model]
        if isinstance(said, list):
            return Reply(tools=[("call_0", *said)], finish="tool_calls")
        return Reply(said.split(" "))
    if asked.tools and not asked.answered_tool:
        wanted = asked.tools if "both" in asked.text else asked.tools[:1]
        calls = [(f"call_{n}", tool["name"], _example(_schema_of(tool))) for n, tool in enumerate(wanted)]
        return Reply(tools=calls, finish="tool_calls")
    if asked.schema is not None:
        words = json.dumps(_example(asked.schema), ensure_ascii=False).split(" ")
    elif asked.text.startswith("echo "):
        words = asked.text[5:].split(" ")
    elif asked.text.startswith("cut "):  # cut 7 TEXT: the text in two pieces, the first of 7 characters
        _, at, text = asked.text.split(" ", 2)
        words = [text[: int(at)], "\x00" + text[int(at) :]]
    elif asked.text.startswith("say "):
        words = [f"word{n}" for n in range(int(asked.text.split()[1]))]
    else:
        words = PROSE.split(" ")
    reasoning = "Let me think about it" if asked.text.startswith("think") else ""
    if (met := next((n for n, word in enumerate(words) if word in asked.stops), None)) is not None:
        return Reply(words[:met], reasoning=reasoning, stop=words[met])
    if asked.limit is not None and len(words) > asked.limit and not ignore_limit:
        return Reply(words[: asked.limit], reasoning=reasoning, finish="length")
    return Reply(words, reasoning=reasoning)


def _schema_of(tool: dict[str, Any]) -> dict[str, Any]:
    schema = tool.get("parameters") or tool.get("input_schema") or tool.get("parametersJsonSchema")
    return schema or tool.get("inputSchema", {}).get("json") or {}


def _example(schema: dict[str, Any]) -> Any:
    """The plainest value that a JSON Schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: _example(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {"type": "string"}))]
    return {"string": "Paris", "integer": 3, "number": 1.5, "boolean": True, "null": None}[kind]


def spoken(words: list[str]) -> list[str]:
    """The words as the pieces of a stream. What begins with a null goes on where the one before it ends."""
    return [word[1:] if word.startswith("\x00") else " " * (n > 0) + word for n, word in enumerate(words)]
