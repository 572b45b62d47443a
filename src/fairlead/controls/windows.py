"""What a control has counted, kept up as records come: sums by bucket of time, breaches that open and close. Pure.

The log's order decides. Time is that of the log (`course`): it goes forward with the records and never back, so a
record counts from the moment on at which it stands in the log; one that claims to come from the future counts as now.
A window is the bucket of now and the fifty-nine before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import Struct

from fairlead.controls.compile import BUCKETS, Control
from fairlead.costs.record import Record

_EVIDENCE: Final = 10  # runs


@dataclass(slots=True)
class Breach:
    """A breach that is open: since when, by how much, and the run under which the log has it."""

    since: int
    value: float
    run: str = ""


@dataclass(slots=True)
class Group:
    """The sums of one group: what is counted, and of how many records. `evidence` are the latest runs that counted."""

    buckets: dict[int, list[int]] = field(default_factory=dict)
    counted: int = 0
    whole: int = 0
    evidence: list[tuple[int, str]] = field(default_factory=list)
    breach: Breach | None = None


@dataclass(slots=True)
class State:
    """All of a control's groups."""

    digest: str
    groups: dict[str, Group] = field(default_factory=dict)


class Change(Struct, frozen=True):
    """A breach that opened or closed. `runs` is the evidence; `at` in the log's time."""

    kind: Literal["breach", "breach_over"]
    control: str
    group: str
    at: int
    value: float
    runs: tuple[str, ...] = ()


def fold(
    controls: Iterable[Control], states: Mapping[str, State], time: int, rows: Iterable[tuple[int, Record]], limit: int
) -> tuple[int, list[Change]]:
    """Count these records, in the log's order, and return the time at the last of them and what changed."""
    changes: list[Change] = []
    for at, record in rows:
        time = max(time, min(at, limit))
        for control in controls:
            if control.among(record) if control.measure == "share" else control.counted(record):
                changes += _take(control, states[control.id], time, record)
    return time, changes


def settle(controls: Iterable[Control], states: Mapping[str, State], time: int) -> list[Change]:
    """Let the windows go on to `time`, at which nothing new has come."""
    changes: list[Change] = []
    for control in controls:
        groups = states[control.id].groups
        for name, group in list(groups.items()):
            _roll(control, group, time)
            changes += _judged(control, name, group, time)
            if not group.buckets and group.breach is None:
                del groups[name]
    return changes


def value_of(control: Control, group: Group) -> float | None:
    """The measure; None for a share of too few records."""
    if control.measure != "share":
        return group.counted
    return group.counted / group.whole if group.whole >= control.least else None


def _take(control: Control, state: State, time: int, record: Record) -> list[Change]:
    name = getattr(record, control.by) if control.by else ""
    if control.by and not name:
        return []
    group = state.groups.get(name)
    if group is None:
        group = state.groups[name] = Group()
    _roll(control, group, time)
    counts = control.counted(record)
    amount = (record.cost if control.measure == "cost" else 1) if counts else 0
    bucket = group.buckets.setdefault(time // control.bucket, [0, 0])
    bucket[0] += amount
    bucket[1] += 1
    group.counted += amount
    group.whole += 1
    if counts:
        group.evidence = [*group.evidence[1 - _EVIDENCE :], (time, record.run)]
    return _judged(control, name, group, time)


def _roll(control: Control, group: Group, time: int) -> None:
    oldest = time // control.bucket - BUCKETS + 1
    while group.buckets and (first := next(iter(group.buckets))) < oldest:
        counted, whole = group.buckets.pop(first)
        group.counted -= counted
        group.whole -= whole
    while group.evidence and group.evidence[0][0] // control.bucket < oldest:
        group.evidence.pop(0)


def _judged(control: Control, name: str, group: Group, time: int) -> list[Change]:
    value = value_of(control, group)
    if value is None and not group.whole:
        value = 0.0
    if value is None:
        return []
    if group.breach is None and value > control.most:
        group.breach = Breach(time, value)
        runs = tuple(run for _, run in group.evidence)
        return [Change("breach", control.id, name, time, value, runs)]
    if group.breach is not None and value <= control.well_at:
        group.breach = None
        return [Change("breach_over", control.id, name, time, value)]
    return []
