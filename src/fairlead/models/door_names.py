"""The doors that policies may speak of, by the names that records give them. Held by a test to what the doors say."""

from typing import Annotated, Literal

from msgspec import Meta

DoorName = Annotated[
    Literal[
        "anthropic.count_tokens",
        "anthropic.messages",
        "anthropic.models",
        "cli",
        "workflow",
        "context.pages",
        "context.question",
        "judge",
        "machine",
        "openai.chat",
        "openai.completions",
        "openai.embeddings",
        "openai.models",
        "openai.responses",
    ],
    Meta(
        description="A door, as records name it; `cli` is an estimate on the command line, `judge` asks of replies, "
        "`machine` measures how fast a model is, `context.pages` and `context.question` are what a model for "
        "embeddings is given for the search."
    ),
]
