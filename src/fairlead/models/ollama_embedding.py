"""Embeddings by Ollama's own API. What a text is embedded for, and who asks, have no counterpart and are left out."""

import msgspec
from msgspec import Struct

from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.vectors_reply import counted, read_vectors


class _Body(Struct, kw_only=True, omit_defaults=True):
    model: str
    input: list[str]
    truncate: bool  # a text that is too long is an error: the vector of its beginning would pass for that of the whole
    dimensions: int | None = None


class _Reply(Struct):
    embeddings: list[list[float]]
    prompt_eval_count: object = None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Reply)


def encode(call: EmbedCall) -> bytes:
    """The body of the request."""
    return _encode(_Body(model=call.model.remote, input=call.texts, truncate=False, dimensions=call.dimensions))


def read(body: bytes, call: EmbedCall) -> Embeddings:
    """The vectors, which stand in the order of the texts."""
    reply: _Reply = read_vectors(_decoder, body, call)
    return counted(reply.embeddings, reply.prompt_eval_count, call)
