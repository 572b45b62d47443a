"""Embeddings by InvokeModel of Bedrock, whose bodies are each model family's own: Titan, one text a call, and Cohere.

Who asks has no counterpart and is left out; Titan does not tell what a text is embedded for.
"""

from typing import Final

import msgspec
from msgspec import Struct

from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.failures import beyond
from fairlead.models.vectors_reply import counted, read_vectors

_PURPOSES: Final = {"query": "search_query", "document": "search_document", None: "search_document"}


class _TitanBody(Struct, kw_only=True, omit_defaults=True, rename="camel"):
    input_text: str
    dimensions: int | None = None


class _TitanReply(Struct, rename="camel"):
    embedding: list[float]
    input_text_token_count: object = None


class _CohereBody(Struct, kw_only=True, omit_defaults=True):
    texts: list[str]
    input_type: str
    truncate: str  # a text that is too long is an error


class _CohereReply(Struct):
    embeddings: list[list[float]]


_encode = msgspec.json.Encoder().encode
_titan = msgspec.json.Decoder(_TitanReply)
_cohere = msgspec.json.Decoder(_CohereReply)


def encode(call: EmbedCall) -> bytes:
    """The body of the request. Raises `Rejected` for what the family does not have."""
    if not _is_cohere(call):
        if len(call.texts) > 1:
            raise beyond("several texts in one call (embeddings.batch)", call, "its protocol takes one")
        return _encode(_TitanBody(input_text=call.texts[0], dimensions=call.dimensions))
    if call.dimensions is not None:
        raise beyond("vectors of another length (dimensions)", call, "its protocol has no word for it")
    return _encode(_CohereBody(texts=call.texts, input_type=_PURPOSES[call.purpose], truncate="NONE"))


def read(body: bytes, call: EmbedCall, tokens: str | None) -> Embeddings:
    """The vectors. `tokens` is what a header of the reply says was counted."""
    said = int(tokens) if tokens is not None and tokens.isascii() and tokens.isdecimal() else None
    if _is_cohere(call):
        cohere: _CohereReply = read_vectors(_cohere, body, call)
        return counted(cohere.embeddings, said, call)
    titan: _TitanReply = read_vectors(_titan, body, call)
    return counted([titan.embedding], titan.input_text_token_count, call)


def _is_cohere(call: EmbedCall) -> bool:
    return "cohere." in call.model.remote
