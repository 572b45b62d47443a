"""Driver for Ollama, by its own API: unlike its OpenAI-compatible one, it takes a context length and tells the truth
about thinking and usage."""

from collections.abc import AsyncGenerator

import msgspec

from fairlead.clock import Clock
from fairlead.models import ollama_embedding
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.endpoint import Endpoint
from fairlead.models.ollama_reply import OllamaReader
from fairlead.models.ollama_request import encode
from fairlead.models.settings import EndpointSettings
from fairlead.models.types import Chunk, ModelCall
from fairlead.net.http import Http


class OllamaDriver:
    """Carries calls to one Ollama server."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        headers = dict(settings.headers)
        if settings.key is not None:
            headers["authorization"] = f"Bearer {settings.key.reveal()}"
        self._endpoint = Endpoint(settings, http, clock, headers)

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        return self._endpoint.converse("/api/chat", self, call)

    async def embed(self, call: EmbedCall) -> Embeddings:
        """See `EmbeddingDriver.embed`."""
        answer, _ = await self._endpoint.embed("/api/embed", ollama_embedding.encode(call), call)
        return ollama_embedding.read(answer, call)

    async def probe(self) -> list[str]:
        """Names of the models that have been pulled."""
        return await self._endpoint.probe("/api/tags", _names)

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request."""
        return encode(call)

    def reader(self, call: ModelCall) -> OllamaReader:
        """A reader for the answer to this call."""
        return OllamaReader(call.model.name, call.idempotency_key)


class _Listed(msgspec.Struct):
    name: str


class _Listing(msgspec.Struct):
    models: list[_Listed]


def _names(body: bytes) -> list[str]:
    return [each.name for each in msgspec.json.decode(body, type=_Listing).models]
