"""Calls to make and replies to look at, for the tests of drivers."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from fairlead.clock import SystemClock
from fairlead.errors import Upstream
from fairlead.models.registry import open_drivers
from fairlead.models.settings import ModelSettings, TimeoutSettings, compile_models
from fairlead.models.types import (
    ChatRequest,
    Chunk,
    Message,
    Model,
    ModelCall,
    ModelDriver,
    Placement,
    Usage,
)
from fairlead.net.http import Http

CLOCK = SystemClock()
BASES = {"openai-compatible": "/v1", "anthropic": "/v1", "ollama": "", "google": "/v1beta", "bedrock": ""}
MODEL = Model(name="house", endpoint="e", remote="tiny", placement=Placement("device"))


def a_call(text: str = "hello", *, seconds: float = 60.0, model: Model = MODEL, **request: Any) -> ModelCall:
    """A call of `model` with one user message, unless `messages` says otherwise."""
    max_output = request.pop("max_output", 100)
    fields = {"model": model.name, "messages": [Message("user", text)], "size": 100, **request}
    return ModelCall(
        model=model,
        request=ChatRequest(**fields),
        passages=(),
        max_output=max_output,
        deadline=CLOCK.monotonic() + seconds,
        idempotency_key="run_1.1",
    )


def a_driver(scheme: str, url: str, http: Http, *, remote: str = "tiny", **settings: Any) -> tuple[ModelDriver, Model]:
    """A driver for the provider at `url`, and its model. It waits long: a test that wants a wait to end says so."""
    waits = settings.pop("timeouts", TimeoutSettings(connect=30.0, first_byte=30.0, idle=30.0))
    if scheme == "bedrock":
        settings.setdefault("region", "eu-central-1")
    given = ModelSettings(use=f"{scheme}/{remote}", url=url + BASES[scheme], timeouts=waits, **settings)
    models = compile_models({"house": given}, lambda reference: "test-key")
    model = models.models["house"]
    return open_drivers(models, http, CLOCK)[model.endpoint], model


@dataclass
class Outcome:
    """Everything that came of a call."""

    chunks: list[Chunk] = field(default_factory=list)
    error: Upstream | None = None

    @property
    def content(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks if chunk.usage is None]

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def usages(self) -> list[Usage]:
        return [chunk.usage for chunk in self.chunks if chunk.usage is not None]

    @property
    def finishes(self) -> Mapping[int, str]:
        return {chunk.index: chunk.finish for chunk in self.chunks if chunk.finish is not None}

    @property
    def tools(self) -> list[tuple[str | None, str | None, str]]:
        """Id, name and whole arguments of each tool call."""
        calls: dict[int, list[Any]] = {}
        for chunk in self.chunks:
            for piece in chunk.tool_calls:
                call = calls.setdefault(piece.index, [None, None, ""])
                call[0], call[1] = call[0] or piece.id, call[1] or piece.name
                call[2] += piece.arguments
        return [(call[0], call[1], call[2]) for _, call in sorted(calls.items())]


async def outcome_of(driver: ModelDriver, call: ModelCall) -> Outcome:
    """Run a call to its end, good or bad."""
    outcome = Outcome()
    try:
        async with aclosing(driver.answer(call)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                outcome.chunks.append(chunk)
    except Upstream as error:
        outcome.error = error
    return outcome
