"""Walking a recorded run again, by its own definition, and whether it comes out as it did. Pure but for the rows that
it is handed: no model, tool, function or clock is asked.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from fairlead.errors import BadInput, Broken
from fairlead.labels import NO_LABELS
from fairlead.storage.workflow_rows import CANCELLED, DONE, FAILED, OVER
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.interpreter import Walk
from fairlead.workflows.opened import Opened, packed
from fairlead.workflows.program import Block, Compiled, Program
from fairlead.workflows.scope import Scope
from fairlead.workflows.segments import about_of, told_of, told_of_end
from fairlead.workflows.tracing.from_records import Difference, FromRecords, Gap, Met
from fairlead.workflows.walk import Cancelled, Parked, Place, RunFailed, StepFailed, StepResult

End = Literal["done", "failed", "cancelled", "open", "broken off"]
_END: Final = "(result)"
_encode: Final = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Passed:
    """A step as the walk went through it: what it saw, and what it gave. `left_out` by its `when`; `caught` is what it
    failed of where its `otherwise` took its place, so that the result is that one's."""

    at: Place
    compiled: Compiled
    scope: Scope
    result: StepResult | None = None
    failed: StepFailed | None = None
    left_out: bool = False
    caught: StepFailed | None = None


class TooLong(Exception):
    """A walk has come to more steps than were to be looked at."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run, walked again. `met` are its effects in their order, `steps` all steps that were come to, by place.

    `made` is what came of it this time, `kept` what is recorded: its value, or what was told of its failure.
    `disagreed` are the places of steps whose branches ought to have said the same and did not.
    """

    opened: Opened
    program: Program
    end: End
    met: dict[str, Met]
    steps: dict[str, Passed]
    differences: tuple[Difference, ...]
    made: Any = None
    kept: Any = None
    failure: StepFailed | None = None
    waits: tuple[str, ...] = ()
    left_out: int = 0
    disagreed: frozenset[str] = frozenset()

    @property
    def same(self) -> bool:
        return not self.differences


@dataclass(slots=True)
class _Ended:
    end: End
    made: Any = None
    failure: StepFailed | None = None
    waits: tuple[str, ...] = ()
    differences: list[Difference] = field(default_factory=list)


class _Watched(Walk):
    """A walk that remembers what each step saw and gave. It ends with `TooLong` before it comes to `most` of them."""

    def __init__(self, program: Program, effects: FromRecords, run: str, about: dict[str, Any], most: int) -> None:
        super().__init__(program, effects, run, about)
        self.steps: dict[str, Passed] = {}
        self._most = most

    async def step(self, compiled: Compiled, above: Place, scope: Scope) -> StepResult | None:
        if len(self.steps) >= self._most:
            raise TooLong
        at = above.below(compiled.step.id)
        passed = self.steps[at.text] = Passed(at, compiled, scope)
        try:
            passed.result = await super().step(compiled, above, scope)
        except StepFailed as failed:
            passed.failed = failed
            raise
        passed.left_out = passed.result is None
        return passed.result

    async def _otherwise(self, block: Block, at: Place, scope: Scope, failed: StepFailed) -> StepResult:
        self.steps[at.text].caught = failed
        return await super()._otherwise(block, at, scope, failed)


async def rerun(opened: Opened, waits: Collection[str], *, most: int = 1 << 62) -> Rerun:
    """Walk it again. `waits` are the places that it waits for. Raises `BadInput` for a run of which nothing is kept,
    `TooLong` where it comes to `most` steps."""
    bundle = msgspec.json.decode(opened.definition, type=Bundle)
    refuse_unkept(opened, bundle)
    program, effects = Program(bundle), FromRecords(opened, frozenset(waits))
    walk = _Watched(program, effects, opened.run.id, about_of(opened), most)
    ended = await _walked(walk, opened)
    differences = [*_definition(opened), *effects.differences, *ended.differences]
    kept = _kept(opened, differences)
    if ended.end != "broken off":
        differences += _compared(opened, ended, kept, waits)
        differences += [
            Difference(each, "it is recorded, and the walk does not come to it") for each in effects.unreached
        ]
    return Rerun(
        opened=opened, program=program, end=ended.end, met=effects.met, steps=walk.steps,
        differences=tuple(differences), made=ended.made, kept=kept, failure=ended.failure, waits=ended.waits,
        left_out=effects.left_out, disagreed=frozenset(effects.disagreed),
    )  # fmt: skip


def refuse_unkept(opened: Opened, bundle: Bundle) -> None:
    """Raises `BadInput` where a run keeps its payloads in memory only: there is nothing that could be walked again."""
    if bundle.definition.secrecy == "memory":
        raise BadInput(
            f"run {opened.run.id} cannot be replayed",
            why=f"the workflow {opened.run.workflow} says `secrecy: memory`: nothing of what it did was written",
            mend="`fairlead runs` lists its actions, without what they said",
            subject=opened.run.id,
        )


async def _walked(walk: _Watched, opened: Opened) -> _Ended:
    try:
        given = await walk.whole(opened.begun.input, (NO_LABELS, ()))
    except Parked as parked:
        return _Ended("open", waits=tuple(place.record for place, _ in parked.waiting))
    except Cancelled as cancelled:
        return _Ended("cancelled", told_of_end(cancelled))
    except RunFailed as error:
        return _Ended("failed", told_of(error), error.failure)
    except Gap as gap:
        return _Ended("broken off", differences=[gap.difference])
    return _Ended("done", packed(given))


def _definition(opened: Opened) -> list[Difference]:
    found = hashlib.sha256(opened.definition).hexdigest()
    if found == opened.run.definition:
        return []
    return [
        Difference("", f"its definition was changed: it has the hash {found[:16]}, not {opened.run.definition[:16]}")
    ]


def _kept(opened: Opened, differences: list[Difference]) -> Any:
    """What is recorded of how it ended."""
    if not opened.run.result:
        return None
    try:
        return opened.key.open(_END, opened.run.result)
    except Broken as error:
        differences.append(Difference("", f"what is recorded of its end does not open: {error}"))
        return None


def _compared(opened: Opened, ended: _Ended, kept: Any, waits: Collection[str]) -> list[Difference]:
    """Whether it ended as the record says, byte for byte."""
    status = opened.run.status
    expected = {DONE: "done", FAILED: "failed", CANCELLED: "cancelled"}.get(status, "open")
    if ended.end != expected:
        return [Difference("", f"it comes out as {ended.end}, and is recorded as {status}")]
    if status in OVER:
        if kept is not None and _encode(ended.made) != _encode(kept):
            return [Difference("", "what it gives is not what is recorded of it")]
        return [] if kept is not None else [Difference("", "nothing is recorded of what it gave")]
    unmet = sorted(set(waits) - set(ended.waits) - {each for each in waits if each.startswith("(fault)")})
    return [Difference(each, "it is waited for, and the walk does not come to it") for each in unmet]
