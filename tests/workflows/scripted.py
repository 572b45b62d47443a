"""A model that says what a test has written down, and runs that are walked in the test's own loop."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from tests.world import World

from fairlead.models.types import Chunk, ModelCall, ToolCallDelta, Usage
from fairlead.storage.workflow_rows import Run
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Started
from fairlead.workflows.segments import Segments
from fairlead.workflows.taking import Taking

Said = str | list[tuple[str, dict[str, Any]]]
"""What a model says in one turn: text, or the tools that it calls, each with its arguments."""


class Scripted:
    """The driver of every model. `says` is one thing after the other, the last for ever, or a function of the call."""

    def __init__(self, w: World, says: Sequence[Said] | Callable[[ModelCall], Said]) -> None:
        self._says = says
        self.heard: list[ModelCall] = []
        deployment = w.fairlead.deployment
        w.fairlead.deployment = replace(deployment, drivers=dict.fromkeys(deployment.drivers, self))

    async def answer(self, call: ModelCall) -> AsyncIterator[Chunk]:
        self.heard.append(call)
        said = self._says(call) if callable(self._says) else self._says[min(len(self.heard), len(self._says)) - 1]
        used = Usage(input=10, output=10)
        if isinstance(said, str):
            yield Chunk(text=said, finish="stop", usage=used)
            return
        number = len(self.heard)
        calls = tuple(
            ToolCallDelta(index, f"call_{number}_{index}", name.replace(".", "__"), json.dumps(arguments))
            for index, (name, arguments) in enumerate(said)
        )
        yield Chunk(tool_calls=calls, finish="tool_calls", usage=used)

    async def probe(self) -> list[str]:
        return []

    def told(self, number: int = -1) -> str:
        """All that was sent with a call, as text."""
        return "\n".join(_text(each.content) for each in self.heard[number].request.messages)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(each.text for each in content or ())


async def walked(w: World, *steps: dict[str, Any], person: str = "kim", given: Any = None, **more: Any) -> Run:
    """A run of these steps, walked until it waits or ends."""
    bundle = Bundle(name="flow", definition=msgspec.convert({"steps": steps, **more}, Definition))
    what = Started(workflow="flow", digest=bundle.digest, body=bundle.body, input=given or {})
    run, _ = w.running.runs.begin(w.caller(person), what)
    return await gone_on(w, run.id)


async def gone_on(w: World, run: str) -> Run:
    """The run, once nothing is left to be done for now."""
    worker = w.fairlead.ledger.journal.worker
    taking = Taking(w.store, w.clock, w.running.runs, worker)
    segments = Segments(w.fairlead, w.running.runs, taking, worker)
    while ready := taking.take(8):
        for each in ready:
            await segments.walk(each.id, each.segment)
    return w.running.runs.one(run)


def value(w: World, run: Run) -> Any:
    """What an ended run gave, or what was told of its failure."""
    found = w.running.runs.result(w.running.runs.open(run.id))
    return found["value"] if run.status == "done" else found
