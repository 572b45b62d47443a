"""The one page that lists the drivers. A driver is imported when a workspace first uses it."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.models.http import Http
from fairlead.models.settings import EndpointSettings, Models
from fairlead.models.types import ModelDriver

DRIVERS: Final[Mapping[str, str]] = {
    "openai": "fairlead.models.openai:OpenAIDriver",
    "openai-compatible": "fairlead.models.openai:OpenAIDriver",
    "anthropic": "fairlead.models.anthropic:AnthropicDriver",
    "google": "fairlead.models.google:GoogleDriver",
    "bedrock": "fairlead.models.bedrock:BedrockDriver",
    "ollama": "fairlead.models.ollama:OllamaDriver",
    "local": "fairlead.models.extractive:ExtractiveDriver",
    "recorded": "fairlead.models.recorded:RecordedDriver",
}


def open_drivers(models: Models, http: Http, clock: Clock) -> dict[str, ModelDriver]:
    """A driver for each endpoint of a workspace. Call it inside the event loop that `http` belongs to."""
    return {name: open_driver(settings, http, clock) for name, settings in models.endpoints.items()}


def open_driver(settings: EndpointSettings, http: Http, clock: Clock) -> ModelDriver:
    """The driver for one endpoint. Raises `BadInput` where the driver needs a package that is not installed."""
    module, _, name = DRIVERS[settings.scheme].partition(":")
    try:
        driver: Any = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise BadInput(
            f"{settings.scheme} models need the package {error.name}, which is not installed",
            mend=f"pip install 'fairlead[{settings.scheme}]'",
        ) from error
    opened: ModelDriver = driver(settings, http, clock)
    return opened
