"""Driver for Google's Gemini models, by generateContent of the Gemini API."""

from collections.abc import AsyncGenerator
from urllib.parse import quote

import msgspec

from fairlead.clock import Clock
from fairlead.models import google_embedding
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.endpoint import Endpoint
from fairlead.models.google_reply import GoogleReader
from fairlead.models.google_request import encode
from fairlead.models.settings import EndpointSettings
from fairlead.models.types import Chunk, ModelCall
from fairlead.net.http import Http


class GoogleDriver:
    """Carries calls to one endpoint of the Gemini API."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        headers = dict(settings.headers)
        if settings.key is not None:
            headers["x-goog-api-key"] = settings.key.reveal()
        self._identify = settings.identify
        self._endpoint = Endpoint(settings, http, clock, headers)

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        verb = "streamGenerateContent?alt=sse" if call.request.stream else "generateContent"
        return self._endpoint.converse(f"/models/{quote(call.model.remote, safe='')}:{verb}", self, call)

    async def embed(self, call: EmbedCall) -> Embeddings:
        """See `EmbeddingDriver.embed`."""
        path = f"/models/{quote(call.model.remote, safe='')}:batchEmbedContents"
        answer, _ = await self._endpoint.embed(path, google_embedding.encode(call), call)
        return google_embedding.read(answer, call)

    async def probe(self) -> list[str]:
        """Names of the models that the endpoint offers now: the first thousand, which have been all so far."""
        return await self._endpoint.probe("/models?pageSize=1000", _names)

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request."""
        return encode(call, identify=self._identify)

    def reader(self, call: ModelCall) -> GoogleReader:
        """A reader for the answer to this call."""
        return GoogleReader(call.model.name, call.idempotency_key, call.request.choices)


class _Listed(msgspec.Struct):
    name: str


class _Listing(msgspec.Struct):
    models: list[_Listed]


def _names(body: bytes) -> list[str]:
    return [each.name.removeprefix("models/") for each in msgspec.json.decode(body, type=_Listing).models]
