"""Driver for OpenAI's chat completions and the many servers that speak the same wire; what differs is in `Quirks`."""

from collections.abc import AsyncGenerator

from fairlead.clock import Clock
from fairlead.models import openai_embedding
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.endpoint import Endpoint, listed_ids
from fairlead.models.openai_reply import OpenAIReader
from fairlead.models.openai_request import encode
from fairlead.models.settings import EndpointSettings
from fairlead.models.types import Chunk, ModelCall
from fairlead.net.http import Http


class OpenAIDriver:
    """Carries calls to one OpenAI-compatible endpoint."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        headers = dict(settings.headers)
        if settings.key is not None:
            bearer = settings.quirks.key_header == "authorization"
            headers[settings.quirks.key_header] = f"{'Bearer ' if bearer else ''}{settings.key.reveal()}"
        self._quirks = settings.quirks
        self._identify = settings.identify
        self._endpoint = Endpoint(settings, http, clock, headers)

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        return self._endpoint.converse("/chat/completions", self, call)

    async def embed(self, call: EmbedCall) -> Embeddings:
        """See `EmbeddingDriver.embed`."""
        body = openai_embedding.encode(call, identify=self._identify)
        answer, _ = await self._endpoint.embed("/embeddings", body, call)
        return openai_embedding.read(answer, call)

    async def probe(self) -> list[str]:
        """Names of the models that the endpoint offers now."""
        return await self._endpoint.probe("/models", listed_ids)

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request."""
        return encode(call, self._quirks, identify=self._identify)

    def reader(self, call: ModelCall) -> OpenAIReader:
        """A reader for the answer to this call."""
        return OpenAIReader(call.model.name)
