"""Embeddings on the OpenAI wire. What a text is embedded for has no counterpart and is left out."""

import msgspec
from msgspec import Struct

from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.failures import unusable
from fairlead.models.vectors_reply import counted, read_vectors


class _Body(Struct, kw_only=True, omit_defaults=True):
    model: str
    input: list[str]
    dimensions: int | None = None
    user: str | None = None


class _Item(Struct):
    embedding: list[float]
    index: int | None = None


class _Counts(Struct):
    prompt_tokens: object = None


class _Reply(Struct):
    data: list[_Item]
    usage: _Counts | None = None


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Reply)


def encode(call: EmbedCall, *, identify: bool) -> bytes:
    """The body of the request. No `encoding_format`: plain numbers are what every server gives unasked."""
    user = call.user if identify else None
    return _encode(_Body(model=call.model.remote, input=call.texts, dimensions=call.dimensions, user=user))


def read(body: bytes, call: EmbedCall) -> Embeddings:
    """The vectors, put in order by the numbers that they come with."""
    reply: _Reply = read_vectors(_decoder, body, call)
    placed = {at if item.index is None else item.index: item.embedding for at, item in enumerate(reply.data)}
    if placed.keys() != set(range(len(reply.data))):
        raise unusable("its vectors are not numbered from 0 on, each once", subject=call.model.name)
    vectors = [placed[at] for at in range(len(placed))]
    return counted(vectors, reply.usage.prompt_tokens if reply.usage is not None else None, call)
