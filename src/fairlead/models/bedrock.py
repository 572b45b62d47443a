"""Driver for Amazon Bedrock, by Converse and ConverseStream: signed with AWS credentials, or with a Bedrock API key."""

from collections.abc import AsyncGenerator
from urllib.parse import quote

import msgspec

from fairlead.clock import Clock
from fairlead.models import bedrock_embedding
from fairlead.models.bedrock_reply import BedrockReader
from fairlead.models.bedrock_request import encode
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.endpoint import Endpoint
from fairlead.models.settings import EndpointSettings
from fairlead.models.sigv4 import Signer
from fairlead.models.types import Chunk, ModelCall
from fairlead.net.http import Http


class BedrockDriver:
    """Carries calls to Bedrock in one region."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        headers = dict(settings.headers)
        if settings.key is not None:
            headers["authorization"] = f"Bearer {settings.key.reveal()}"
        signer = Signer(settings.credentials, "bedrock", clock) if settings.credentials is not None else None
        sign = signer.headers if signer is not None else None
        self._identify = settings.identify
        self._endpoint = Endpoint(settings, http, clock, headers, sign)
        # What there is to call is told by another server of the same region.
        listing = msgspec.structs.replace(settings, url=settings.url.replace("//bedrock-runtime.", "//bedrock.", 1))
        self._listing = Endpoint(listing, http, clock, headers, sign)

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        verb = "converse-stream" if call.request.stream else "converse"
        return self._endpoint.converse(f"/model/{quote(call.model.remote, safe='')}/{verb}", self, call)

    async def embed(self, call: EmbedCall) -> Embeddings:
        """See `EmbeddingDriver.embed`."""
        path = f"/model/{quote(call.model.remote, safe='')}/invoke"
        answer, headers = await self._endpoint.embed(path, bedrock_embedding.encode(call), call)
        return bedrock_embedding.read(answer, call, headers.get("x-amzn-bedrock-input-token-count"))

    async def probe(self) -> list[str]:
        """Names of the models that the region offers now. Inference profiles have further names of their own."""
        return await self._listing.probe("/foundation-models", _names)

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request."""
        return encode(call, identify=self._identify)

    def reader(self, call: ModelCall) -> BedrockReader:
        """A reader for the answer to this call."""
        return BedrockReader(call.model.name)


class _Listed(msgspec.Struct, rename="camel"):
    model_id: str


class _Listing(msgspec.Struct, rename="camel"):
    model_summaries: list[_Listed]


def _names(body: bytes) -> list[str]:
    return [each.model_id for each in msgspec.json.decode(body, type=_Listing).model_summaries]
