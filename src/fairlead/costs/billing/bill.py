"""A bill: what the records of a period come to, by task type, run, piece of work, person, model and more."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.costs.billing.periods import Period
from fairlead.costs.record import Record
from fairlead.costs.spending import DIMENSIONS as SPENT_BY
from fairlead.costs.spending import Row, summarise

DIMENSIONS: Final = (*SPENT_BY, "run", "tool", "work")


class _Link(Struct):
    at: int = 0
    run: str = ""
    within: str = ""
    judges: str = ""


_links = msgspec.json.Decoder(_Link)


def bill(records: Callable[[], Iterable[bytes]], period: Period, by: Sequence[str]) -> list[Row]:
    """Sum what falls into a period, the dearest group first. `records` begins the log anew each time it is called."""
    roots = outermost(records()) if "work" in by else {}
    more: dict[str, Callable[[Record], str]] = {
        "run": lambda record: record.run,
        "tool": lambda record: record.tool,
        "work": lambda record: roots.get(record.run, ""),
    }
    return summarise(within(records(), period), by, more)


def within(records: Iterable[bytes], period: Period) -> Iterator[bytes]:
    """Those records whose action began in the period. What cannot be read is left in: it is to be complained of."""
    for line in records:
        try:
            at = _links.decode(line).at
        except msgspec.DecodeError:
            at = period.start
        if period.has(at):
            yield line


def outermost(records: Iterable[bytes]) -> Mapping[str, str]:
    """By run, the outermost run or piece of work that it is a part of: whose it is, or whose reply it judges. Runs that
    are a part of nothing, and have none, are left out."""
    parents: dict[str, str] = {}
    for line in records:
        try:
            link = _links.decode(line)
        except msgspec.DecodeError:  # summing will complain of it
            continue
        if parent := link.within or link.judges:
            parents[link.run] = parent
    roots = {run: _root(run, parents) for run in parents}
    return roots | {root: root for root in roots.values()}


def _root(run: str, parents: Mapping[str, str]) -> str:
    seen = {run}
    while (parent := parents.get(run)) is not None and parent not in seen:
        seen.add(parent)
        run = parent
    return run
