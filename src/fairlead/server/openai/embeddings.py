"""`POST /v1/embeddings`: a vector for each text, by the governed path of an embedding."""

import base64
import sys
from array import array
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError
from fairlead.execution import Embedded, Fairlead, embed, quote_embedding
from fairlead.identity import Caller
from fairlead.server.about import About, about, headers
from fairlead.server.door import guarded, received, refuse, refuse_session
from fairlead.server.http import Gone, Scope, respond
from fairlead.server.openai.embedding_request import AskedEmbedding, read_request
from fairlead.server.openai.errors import encode_error
from fairlead.server.quoted import encode_quote

DOOR: Final = "openai.embeddings"
_encode = msgspec.json.Encoder().encode


class EmbeddingItem(Struct, frozen=True):
    """A member of `data` of embeddings (OpenAI API, v1): numbers, or base64 of 32-bit floats where the client wants
    that."""

    object: str
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Struct, frozen=True):
    """The `usage` of embeddings (OpenAI API, v1), in tokens."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingReply(Struct, frozen=True):
    """The body of a reply of embeddings (OpenAI API, v1), with Fairlead's own object beside."""

    object: str
    data: list[EmbeddingItem]
    model: str
    usage: EmbeddingUsage
    fairlead: About


class EmbeddingsDoor:
    """A raw ASGI endpoint. `max_body` in bytes."""

    def __init__(self, fairlead: Fairlead, max_body: int) -> None:
        self._fairlead = fairlead
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            caller, arrival = await received(self._fairlead, scope, receive, DOOR, self._max_body)
            refuse_session(arrival, "leave the header out: vectors go on with nothing")
            asked = read_request(arrival.body)
        except Gone:
            return
        except FairleadError as error:
            await self._fairlead.refusals.record(DOOR, error)
            await refuse(send, error, encode_error)
            return
        answer = self._quote if arrival.dry_run else self._reply
        await guarded(send, DOOR, encode_error, answer(caller, asked, arrival, send))

    async def _reply(self, caller: Caller, asked: AskedEmbedding, arrival: Arrival, send: Any) -> None:
        embedded = await embed(self._fairlead, caller, asked.request, arrival)
        body = encode_reply(embedded, as_base64=asked.as_base64)
        await respond(send, 200, body, headers(embedded.answer))

    async def _quote(self, caller: Caller, asked: AskedEmbedding, arrival: Arrival, send: Any) -> None:
        made = await quote_embedding(self._fairlead, caller, asked.request, arrival)
        await respond(send, 200, encode_quote(made), [(b"x-fairlead-run", made.run.encode())])


def encode_reply(embedded: Embedded, *, as_base64: bool) -> bytes:
    """The body of a reply."""
    answer, vectors = embedded.answer, embedded.vectors
    tokens = answer.reply.usage.input
    return _encode(
        EmbeddingReply(
            object="list",
            data=[
                EmbeddingItem("embedding", number, _packed(vector) if as_base64 else vector)
                for number, vector in enumerate(vectors)
            ],
            model=answer.model.name,
            usage=EmbeddingUsage(tokens, tokens),
            fairlead=about(answer),
        )
    )


def _packed(vector: list[float]) -> str:
    """A vector as clients read it from base64: four bytes a number, the lowest first."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers).decode()
