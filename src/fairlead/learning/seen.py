"""What the log itself tells of how well runs were done: judgements, checks, escalations, questions asked again, and
whether the tool that was called next did it. Pure: rows in, outcomes out.

Only hints, each with a weight of its own, and each only where the workspace names it. The record of the run proves it,
or that of the next one, so no further row is written to the log.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from fairlead.costs.outcomes import ESCALATED
from fairlead.costs.record import Record
from fairlead.learning.settings import OutcomesSettings, Source
from fairlead.storage.types import NewOutcome

MOST_REMEMBERED: Final = 20_000
_AGAIN: Final = (
    2  # times that a question is asked again and means that the answer was no good; more often it is a habit
)
_SCORE: Final = 10_000
_WEIGHT: Final = 1_000


class Row(Struct, frozen=True, kw_only=True):
    """A record of the log, with keyed digests of what was asked and answered ("" where that is gone), and whether the
    reply had the form that was asked for (None where none was)."""

    record: Record
    question: str = ""
    reply: str = ""
    fits: bool | None = None


class _Last(Struct):
    """The last run that asked something, and how often it was asked again."""

    row: Row
    again: int = 0


class Seeing:
    """Looks at the rows of the log in their order. What it remembers of the last minutes is lost with its process."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], _Last] = {}
        self._works: dict[tuple[str, str], Row] = {}

    def look(self, row: Row, settings: OutcomesSettings) -> list[NewOutcome]:
        """What this row tells, of its own run or of an earlier one."""
        record = row.record
        if record.judges:
            return []
        found: list[NewOutcome] = []
        if record.kind == "call_model" and record.model:
            found += [
                _outcome(row, source, by, good, settings)
                for source, by, good in _of_itself(row)
                if source in settings.seen
            ]
            if "retry" in settings.seen and record.outcome == "done" and row.question:
                found += self._asked_again(row, settings)
            if "tool" in settings.seen and record.within and record.outcome == "done":
                self._works[record.person, record.within] = row
                _bound(self._works)
        elif record.kind == "call_tool" and "tool" in settings.seen:
            found += self._tool(row, settings)
        elif record.kind == "attempt" and "escalation" in settings.seen and ESCALATED in record.flags:
            found.append(_outcome(row, "escalation", f"escalation/{record.attempt}", False, settings))
        return found

    def _asked_again(self, row: Row, settings: OutcomesSettings) -> Iterator[NewOutcome]:
        key = row.record.person, row.question
        last = self._asked.pop(key, None)
        later = 0 if last is None else row.record.at - last.row.record.at
        if last is None or not 0 < later <= settings.retry_within * 1000:
            self._asked[key] = _Last(row)
        else:
            self._asked[key] = _Last(row, last.again + 1)
            if last.again < _AGAIN:
                yield _outcome(last.row, "retry", "retry", False, settings)
        _bound(self._asked)

    def _tool(self, row: Row, settings: OutcomesSettings) -> Iterator[NewOutcome]:
        """A tool that did it speaks for the model that had it called. One that was down speaks for nobody."""
        record = row.record
        asked = self._works.pop((record.person, record.within), None)
        unfit = record.outcome == "refused" and record.error is not None and record.error.code == "bad_input"
        if asked is not None and (record.outcome == "done" or unfit):
            yield _outcome(asked, "tool", "tool", not unfit, settings)


def _of_itself(row: Row) -> Iterator[tuple[Source, str, bool]]:
    """What a model's run tells of itself: the source, by what, and whether it was well."""
    record = row.record
    failed = False
    for rule, _, said in record.judged:
        if said in ("passed", "failed"):
            failed = failed or said == "failed"
            yield "judge", f"judge/{rule}", said == "passed"
    withheld = record.error is not None and record.error.code == "withheld"
    unfit = row.fits is False or any(said == "failed" for _, said, _ in record.checks)
    if record.outcome == "done" and not unfit:
        yield "check", "check", True
    elif unfit or (withheld and not failed):  # what a judge kept back is the judge's word, and counts once
        yield "check", "check", False


def _outcome(row: Row, source: Source, by: str, good: bool, settings: OutcomesSettings) -> NewOutcome:
    record = row.record
    return NewOutcome(
        run=record.run,
        by=by,
        subject=record.person,
        entry=record.run,
        at=record.at,
        source=source,
        task=record.task,
        model=record.model,
        score=_SCORE if good else 0,
        weight=round(settings.weight(source) * _WEIGHT),
        propensity=propensity_of(record),
        digest=row.reply,
    )


def propensity_of(record: Record) -> int:
    """How likely the model was to be asked, in millionths; 0 where nothing was left to chance, or it only stood in."""
    decision = record.decision
    return decision.propensity if decision is not None and record.attempt <= 1 else 0


def _bound(kept: dict[tuple[str, str], _Last] | dict[tuple[str, str], Row]) -> None:
    """The oldest goes first: what was asked again stands at the end."""
    if len(kept) > MOST_REMEMBERED:
        del kept[next(iter(kept))]
