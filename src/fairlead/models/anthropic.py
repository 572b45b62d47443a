"""Driver for the Anthropic Messages API, which other servers speak too."""

from collections.abc import AsyncGenerator
from typing import Final

from fairlead.clock import Clock
from fairlead.models.anthropic_reply import AnthropicReader
from fairlead.models.anthropic_request import encode
from fairlead.models.endpoint import Endpoint, listed_ids
from fairlead.models.settings import EndpointSettings
from fairlead.models.types import Chunk, ModelCall
from fairlead.net.http import Http

_VERSION: Final = "2023-06-01"


class AnthropicDriver:
    """Carries calls to one endpoint of the Messages API."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        headers = {"anthropic-version": _VERSION, **dict(settings.headers)}
        if settings.key is not None:
            headers["x-api-key"] = settings.key.reveal()
        self._identify = settings.identify
        self._endpoint = Endpoint(settings, http, clock, headers)

    def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`."""
        return self._endpoint.converse("/messages", self, call)

    async def probe(self) -> list[str]:
        """Names of the models that the endpoint offers now."""
        return await self._endpoint.probe("/models", listed_ids)

    def encode(self, call: ModelCall) -> bytes:
        """The body of the request."""
        return encode(call, identify=self._identify)

    def reader(self, call: ModelCall) -> AnthropicReader:
        """A reader for the answer to this call."""
        return AnthropicReader(call.model.name)
