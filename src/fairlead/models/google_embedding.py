"""Embeddings by batchEmbedContents of the Gemini API. Who asks has no counterpart and is left out."""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.vectors_reply import counted, read_vectors

_TASKS: Final = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}


class _Part(Struct):
    text: str


class _Content(Struct):
    parts: list[_Part]


class _One(Struct, kw_only=True, omit_defaults=True, rename="camel"):
    model: str
    content: _Content
    task_type: str | None = None
    output_dimensionality: int | None = None


class _Body(Struct):
    requests: list[_One]


class _Vector(Struct):
    values: list[float]


class _Counts(Struct, rename="camel"):
    prompt_token_count: object = None


class _Reply(Struct, rename="camel"):
    embeddings: list[_Vector]
    usage_metadata: _Counts | None = None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Reply)


def encode(call: EmbedCall) -> bytes:
    """The body of the request."""
    name = f"models/{call.model.remote}"
    task = _TASKS[call.purpose] if call.purpose is not None else None
    return _encode(
        _Body(
            [
                _One(
                    model=name,
                    content=_Content([_Part(text)]),
                    task_type=task,
                    output_dimensionality=call.dimensions,
                )
                for text in call.texts
            ]
        )
    )


def read(body: bytes, call: EmbedCall) -> Embeddings:
    """The vectors, which stand in the order of the texts. Most replies count no tokens."""
    reply: _Reply = read_vectors(_decoder, body, call)
    tokens = reply.usage_metadata.prompt_token_count if reply.usage_metadata is not None else None
    return counted([each.values for each in reply.embeddings], tokens, call)
