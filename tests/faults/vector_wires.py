"""How the misbehaving provider gives embeddings: OpenAI's, Ollama's, Google's and Amazon Bedrock's two families.

Equal texts get equal vectors from every model of a name; another length is cut from the same numbers.
"""

import hashlib
import re
from typing import Any
from urllib.parse import unquote

from tests.faults.speech import Asked

OPENAI_VECTORS, OLLAMA_VECTORS = "/v1/embeddings", "/api/embed"
GOOGLE_VECTORS, TITAN_VECTORS, COHERE_VECTORS = "google vectors", "titan vectors", "cohere vectors"
LENGTH = 8
MEANINGS = "meanings"  # the model whose vectors say something
_MEANT = ({"leave", "holiday", "vacation"}, {"lamp", "light"}, {"money", "salary", "pay"})
# Vectors that no client could use.
VECTOR_FAULTS = (
    "nested",
    "one-short",
    "one-missing",
    "shuffled",
    "not-numbered",
    "numbered-twice",
    "texts-for-numbers",
)
_GOOGLE_PATH = re.compile(r"/v1beta/models/([^/:]+):batchEmbedContents")
_BEDROCK_PATH = re.compile(r"/model/([^/]+)/invoke")


def wire_of(path: str) -> str | None:
    if path in (OPENAI_VECTORS, OLLAMA_VECTORS):
        return path
    if _GOOGLE_PATH.fullmatch(path):
        return GOOGLE_VECTORS
    if found := _BEDROCK_PATH.fullmatch(path):
        return COHERE_VECTORS if "cohere" in found[1] else TITAN_VECTORS
    return None


def read(path: str, body: dict[str, Any]) -> Asked:
    wire = wire_of(path)
    assert wire is not None
    length = body.get("dimensions")
    if wire == GOOGLE_VECTORS:
        texts = [each["content"]["parts"][0]["text"] for each in body["requests"]]
        length = body["requests"][0].get("outputDimensionality")
    elif wire == TITAN_VECTORS:
        texts = [body["inputText"]]
    else:
        texts = body["texts"] if wire == COHERE_VECTORS else body["input"]
    in_path = _GOOGLE_PATH.fullmatch(path) or _BEDROCK_PATH.fullmatch(path)
    return Asked(
        wire=wire,
        model=unquote(in_path[1]) if in_path else body["model"],
        stream=False,
        text="",
        input=sum(len(text.split()) for text in texts),
        limit=None,
        choices=0,
        tools=[],
        schema=None,
        logprobs=False,
        answered_tool=False,
        texts=tuple(texts),
        length=length or LENGTH,
    )


def vector_of(text: str, length: int = LENGTH) -> list[float]:
    """What stands for a text: numbers that four bytes hold exactly."""
    return [byte / 256 - 0.5 for byte in hashlib.shake_128(text.encode()).digest(length)]


def vector_for(asked: Asked, text: str) -> list[float]:
    return meaning_of(text) if asked.model == MEANINGS else vector_of(text, asked.length)


def meaning_of(text: str) -> list[float]:
    """Leave, light or money: how often a text speaks of each."""
    words = re.findall(r"[a-z]+", text.lower())
    return [0.01, *(float(sum(word in each for word in words)) for each in _MEANT)]


def counts(asked: Asked) -> dict[str, Any]:
    return {
        OPENAI_VECTORS: {"prompt_tokens": asked.input, "total_tokens": asked.input},
        OLLAMA_VECTORS: {"prompt_eval_count": asked.input},
        GOOGLE_VECTORS: {"promptTokenCount": asked.input},
        TITAN_VECTORS: {"inputTextTokenCount": asked.input},
        COHERE_VECTORS: {},
    }[asked.wire]


def whole(asked: Asked, usage: Any, fault: str) -> dict[str, Any]:
    """The body of an answer. `usage` None leaves the counts out, another value replaces them."""
    vectors: list[Any] = [vector_for(asked, text) for text in asked.texts]
    if fault == "nested":
        vectors = [[vector, vector] for vector in vectors]
    elif fault == "one-short":
        vectors[-1] = vectors[-1][:-1]
    elif fault == "one-missing":
        vectors.pop()
    elif fault == "texts-for-numbers":
        vectors = [[str(number) for number in vector] for vector in vectors]
    if asked.wire == OPENAI_VECTORS:
        return _openai(vectors, usage, fault)
    if asked.wire == GOOGLE_VECTORS:
        body: dict[str, Any] = {"embeddings": [{"values": vector} for vector in vectors]}
        return body if usage is None else {**body, "usageMetadata": usage}
    if asked.wire == TITAN_VECTORS:
        return {"embedding": vectors[0] if vectors else None, **(usage or {})}
    return {"embeddings": vectors, **(usage or {})}


def _openai(vectors: list[Any], usage: Any, fault: str) -> dict[str, Any]:
    data = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(vectors)]
    if fault == "shuffled":
        data.reverse()
    for each in data:
        if fault == "not-numbered":
            del each["index"]
        elif fault == "numbered-twice":
            each["index"] = 0
    body = {"object": "list", "model": "tiny", "data": data}
    return body if usage is None else {**body, "usage": usage}
