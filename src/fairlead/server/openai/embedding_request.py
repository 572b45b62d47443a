"""Reads a request for embeddings into the path's form."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.models.embedding import EmbedRequest, Purpose
from fairlead.server.openai.chat_body import Name
from fairlead.server.reading import decoded


class EmbeddingBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/embeddings`. `user` reaches only an endpoint that is declared to be told who asks;
    `input_type` is for models that embed questions and documents differently."""

    model: Name
    input: str | Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=2048)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    user: str | None = None
    input_type: Purpose | None = None


class AskedEmbedding(Struct, frozen=True):
    """A request in the path's form, and whether the vectors are to be given as base64."""

    request: EmbedRequest
    as_base64: bool


_decoder = msgspec.json.Decoder(EmbeddingBody)


def read_request(body: bytes) -> AskedEmbedding:
    """Raises `BadInput`."""
    asked = decoded(_decoder, body, "embeddings")
    request = EmbedRequest(
        model=asked.model,
        texts=[asked.input] if isinstance(asked.input, str) else _texts(asked.input),
        size=len(body),
        dimensions=asked.dimensions,
        purpose=asked.input_type,
        user=asked.user,
    )
    _refuse_empty(request.texts)
    return AskedEmbedding(request, asked.encoding_format == "base64")


def _texts(given: "list[str | int | list[int]]") -> list[str]:
    texts = [each for each in given if isinstance(each, str)]
    if len(texts) < len(given):
        raise BadInput(
            "input: tokens cannot be embedded here, only text",
            why="numbers of tokens mean something to one model's tokenizer alone, and no policy can read them",
            mend="send the text itself; in LangChain, `check_embedding_ctx_length=False`",
            param="input",
        )
    return texts


def _refuse_empty(texts: list[str]) -> None:
    for number, text in enumerate(texts):
        if not text:
            raise BadInput(
                f"input[{number}] is empty",
                why="nothing has no meaning to embed, and models' servers call that wrong",
                mend="leave it out",
                param=f"input[{number}]",
            )
