"""Which field of a request for embeddings goes where; see `fields` for what the words mean. Held by tests."""

from typing import Final

from msgspec import Struct

from fairlead.models.fields import ADDRESS, LEFT_OUT, NONE, REFUSED


class VectorField(Struct, frozen=True):
    """A field of Fairlead's own form, and its place in each protocol. `openai` is the door's too."""

    name: str
    openai: str
    ollama: str
    google: str
    titan: str
    cohere: str
    note: str = ""


REQUEST: Final = (
    VectorField("model", "model", "model", "requests[].model", ADDRESS, ADDRESS),
    VectorField("texts", "input[]", "input[]", "requests[].content.parts[].text", "inputText", "texts[]"),
    VectorField(
        "dimensions", "dimensions", "dimensions", "requests[].outputDimensionality", "dimensions", REFUSED,
        "only to a model that `shortens`",
    ),
    VectorField(
        "purpose", LEFT_OUT, LEFT_OUT, "requests[].taskType", LEFT_OUT, "input_type",
        "`input_type` at the door; Cohere is told `document` where nothing is said",
    ),
    VectorField("user", "user", LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT, "to an endpoint declared to `identify`"),
)  # fmt: skip

REPLY: Final = (
    VectorField(
        "vectors", "data[].embedding", "embeddings[]", "embeddings[].values", "embedding", "embeddings[]",
        "the door gives them as base64 too",
    ),
    VectorField(
        "usage.input", "usage.prompt_tokens", "prompt_eval_count", "usageMetadata.promptTokenCount",
        "inputTextTokenCount", NONE, "Cohere's is read from a header",
    ),
)  # fmt: skip
