"""What a run has done so far, as the interpreter meets it again, and what is written as it goes on."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from fairlead.errors import BadInput
from fairlead.learning.examples import refuse
from fairlead.storage.journal import Journal
from fairlead.storage.types import NewResult, Write
from fairlead.storage.workflow_step_rows import row_of
from fairlead.workflows.marks import BEGUN, SENT, marks_of
from fairlead.workflows.opened import Opened, packed, unpacked
from fairlead.workflows.room import LONGEST_RESULT, MOST_KEPT, run_too_large, too_large
from fairlead.workflows.runs import Runs
from fairlead.workflows.sealing import encoded
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import Place, StepFailed, StepResult


class Lost(Exception):
    """Another worker walks this run by now: nothing more is done here."""


class _Failure(Struct, frozen=True):
    kind: Any
    message: str
    at: str
    code: str
    why: str
    mend: str
    run: str
    in_doubt: bool
    cut_off: bool = False
    reply: str = ""
    sources: tuple[str, ...] = ()


_TURN: Final = re.compile(r"\[")
_EDGE: Final = re.compile(r"[#.\[~]|$")
_KNOWN: Final = msgspec.json.Decoder(_Failure)  # see runs.py


class Memory:
    """What a run has done so far, given again exactly at each place."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._new: set[str] = set()
        self._kept: dict[str, StepResult] = {}
        self._turned: set[str] | None = None  # places of which a turn is known; made when it is first asked for
        self._taken: set[str] | None = None  # places that were taken over, or something below them: likewise

    def found(self, at: Place) -> StepResult | None:
        """What the place gave before. Raises the `StepFailed` that it raised before."""
        row = self.opened.results.get(at.record)
        if row is None:
            return self._kept.get(at.record)
        plain = self.opened.key.open(row.place, row.sealed)
        if row.status == "failed":
            raise failure_in(plain)
        return unpacked(plain, StepResult)

    def elsewhere(self, at: Place) -> str:
        """The run that has done this, where this one has taken it over; "" where it was done here."""
        origin = self.opened.origin
        if origin is None:
            return ""
        if self._taken is None:
            self._taken = {each for place in origin.kept for each in _around(place)}
        return origin.run if at.text in self._taken else ""

    def begun(self, at: Place) -> bool:
        """Whether anything is known of this very effect, of an agent's turn here, or that it was about to be done where
        its step says how to undo it."""
        if self._turned is None:
            self._turned = {each for place in (*self.opened.results, *self._new) for each in _turned(place)}
        return any(map(self._knows, (at.record, _mark(at, BEGUN).record))) or at.text in self._turned

    def _knows(self, place: str) -> bool:
        return place in self._new or place in self.opened.results

    def knows(self, at: Place) -> bool:
        """Whether what this very place gave is kept, by this walk or one before."""
        return self._knows(at.record)


class Recorded(Memory):
    """One walk's memory. What was recorded at a place is given again, exactly; new results are kept once."""

    def __init__(self, runs: Runs, opened: Opened, worker: str, journal: Journal) -> None:
        super().__init__(opened)
        self._runs = runs
        self._worker = worker
        self._journal = journal
        self._size = sum(each.size for each in opened.results.values())

    def row(self, at: Place, result: StepResult, *, writes: bool = False, billed: bool = True) -> NewResult:
        """What is to be kept in the commit of the action that gave it, which has changed something where it `writes`.
        Its cost counts for the run's where it is `billed` with it. Raises `StepFailed` for what cannot be kept, and for
        too much of it."""
        try:
            row = self._runs.row(self.opened, self._worker, at.record, result)
            size = len(encoded(packed(result))) if self.opened.run.unkept else row.size
        except BadInput as error:
            raise StepFailed(
                "error", error.message, at=at.text, code="not_kept", why=error.why, mend=error.mend, run=result.run,
                in_doubt=writes,
            ) from None  # fmt: skip
        if size > LONGEST_RESULT:
            raise too_large(size, at.text, run=result.run, in_doubt=writes)
        if self._size + size > MOST_KEPT:
            raise run_too_large(at.text, run=result.run, in_doubt=writes)
        self._size += size
        return self._known(at, row if billed else replace(row, cost=0))

    def _known(self, at: Place, row: NewResult) -> NewResult:
        self._new.add(at.record)
        if self._turned is not None:
            self._turned.update(_turned(at.record))
        return self._noted(row)

    def beginning(self, at: Place, does: str, *, undone: bool) -> NewResult | None:
        """What is to be kept before something is changed: should it be cut off, a later walk or a copy knows that it
        may have been done, and by what (`does`). None where that is known."""
        if self.opened.run.unkept and not undone:
            return None  # no walk and no copy comes after this one
        mark = _mark(at, BEGUN if undone else SENT)
        return None if self.knows(mark) else self.row(mark, StepResult(provenance=(does,)))

    async def begin(self, at: Place, does: str, *, undone: bool) -> None:
        """Keep that this effect is about to be done. Raises `Lost`."""
        row = self.beginning(at, does, undone=undone)
        if row is not None:
            await self._commit(row)

    async def keep(self, at: Place, result: StepResult, *, writes: bool = False) -> StepResult:
        """A result that no action of money stands behind: an agent's turns were billed each by itself. Raises `Lost`,
        and `StepFailed` for what cannot be kept."""
        await self._commit(self.row(at, result, writes=writes, billed=False))
        self._kept[at.record] = result
        return result

    def failure_row(self, at: Place, failed: StepFailed, cost: int = 0) -> NewResult:
        """As `row`, so that a later walk fails here in the same way."""
        failed.cut_off = failed.cut_off or self._was_cut_off(at)
        reply = "" if failed.result is None else failed.result.text or as_text(failed.result.value)
        told = _Failure(
            failed.kind, failed.message, failed.at, failed.code, failed.why, failed.mend, failed.run, failed.in_doubt,
            failed.cut_off, reply, () if failed.result is None else failed.result.provenance,
        )  # fmt: skip
        paid = StepResult(run=failed.run, cost=cost)
        row = self._known(at, self._runs.row(self.opened, self._worker, at.record, paid))
        sealed = self.opened.key.seal(at.record, packed(told))
        return self._noted(replace(row, status="failed", size=len(sealed), sealed=sealed))

    async def keep_failure(self, at: Place, failed: StepFailed) -> StepFailed:
        """A failure that no action of money stands behind. Raises `Lost`."""
        await self._commit(self.failure_row(at, failed))
        return failed

    async def not_accepted(self, at: Place) -> None:
        """What a person gave at this place does not pass: where it is kept to learn from, that is said with it."""
        if not self.opened.run.unkept:
            await asyncio.to_thread(refuse, self._runs.store, self.opened.run.id, at.text)

    def _was_cut_off(self, at: Place) -> bool:
        """Whether an earlier walk had begun it, and no walk knows what came of that."""
        return any(each in self.opened.results and each not in self._new for each in marks_of(at.record))

    def _noted(self, row: NewResult) -> NewResult:
        """Of a run that is kept nowhere else, what it has done is known here."""
        if self.opened.run.unkept:
            self.opened.results[row.place] = row_of(row)
        return row

    async def _commit(self, row: NewResult) -> None:
        receipt = await self._journal.commit(Write(result=row))
        if not receipt.remembered:
            raise Lost

    def refuse_lost(self, remembered: bool) -> None:
        """After an action: raises `Lost` where its result was not kept, because the run goes on elsewhere."""
        if not remembered:
            raise Lost


def _turned(place: str) -> Iterator[str]:
    """The places of which this one is a turn, or stands below a turn."""
    return (place[: found.start()] for found in _TURN.finditer(place))


def _around(place: str) -> Iterator[str]:
    """A place and all that it stands below."""
    return (place[: found.start()] for found in _EDGE.finditer(place))


def _mark(at: Place, mark: str) -> Place:
    return Place(at.run, (*at.path, mark), at.attempt)


def failure_in(plain: Any) -> StepFailed:
    """A failure as it was kept."""
    kept = asdict(unpacked(plain, _Failure))
    reply, sources = kept.pop("reply"), tuple(kept.pop("sources"))
    result = StepResult(text=reply, provenance=sources, run=kept["run"]) if reply else None
    return StepFailed(**kept, result=result)
