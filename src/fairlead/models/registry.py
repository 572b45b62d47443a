"""The one page that lists the drivers. A driver is imported when a workspace first uses it."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.models.deployments import Group
from fairlead.models.embedding import NO_EMBEDDERS, Embedders
from fairlead.models.settings import EndpointSettings, Models
from fairlead.models.types import Model, ModelDriver
from fairlead.net.http import Http

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


def apart(
    models: Models, drivers: Mapping[str, ModelDriver]
) -> tuple[Mapping[str, Model], Mapping[str, Group], Embedders]:
    """The models that chat, with their groups, and apart from them those that give embeddings."""
    embedding = {name: model for name, model in models.models.items() if model.space is not None}
    if not embedding:
        return models.models, models.groups, NO_EMBEDDERS
    opened: Mapping[str, Any] = drivers
    groups = {name: group for name, group in models.groups.items() if group.members[0].name in embedding}
    embedders = Embedders(embedding, groups, {each.endpoint: opened[each.endpoint] for each in embedding.values()})
    chats = {name: model for name, model in models.models.items() if model.space is None}
    return chats, {name: group for name, group in models.groups.items() if name not in groups}, embedders


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
