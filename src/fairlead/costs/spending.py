"""Spending reports: who spent what, on which task and model, from the rows of the log. Never on the path."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from fairlead.costs.record import Record, decode_record, unreadable
from fairlead.errors import BadInput
from fairlead.models.types import Usage


class Row(Struct, frozen=True, kw_only=True):
    """What the actions of one group came to. `group` has a value for each dimension asked for, in that order.

    `runs` are actions, refused ones included, and those that only asked for a price (`estimated`); `attempts` are calls
    to a model's server, failed ones included. `cost` is in nano-units; `unsure` is the part of it that is a worst case,
    or rests on Fairlead's own count of tokens, or on a price that nobody has stated: compare that with the provider's
    bill.
    """

    group: tuple[str, ...]
    runs: int
    done: int
    refused: int
    failed: int
    abandoned: int
    orphaned: int
    estimated: int
    attempts: int
    cost: int
    unsure: int
    usage: Usage


def _moment(record: Record) -> datetime:
    return datetime.fromtimestamp(record.at / 1000, UTC)


_DIMENSIONS: dict[str, Callable[[Record], str]] = {
    "agent": lambda record: record.agent,
    "day": lambda record: f"{_moment(record):%Y-%m-%d}",
    "department": lambda record: record.department,
    "door": lambda record: record.door,
    "model": lambda record: record.model,
    "month": lambda record: f"{_moment(record):%Y-%m}",
    "outcome": lambda record: record.outcome,
    "person": lambda record: record.person,
    "revision": lambda record: record.revision,
    "task": lambda record: record.task,
    "tenant": lambda record: record.tenant,
    "workflow": lambda record: record.workflow,
}
DIMENSIONS = tuple(_DIMENSIONS)
_ACTIONS = frozenset({"call_model", "call_tool", "refusal"})
_COUNTED = _ACTIONS | {"attempt"}  # other rows of the log (a publish, a late settlement) move no money
_OUTCOMES = ("done", "refused", "failed", "abandoned", "orphaned", "estimated")
_TOKENS = (
    "input", "output", "cached_input", "cache_write", "cache_write_1h", "reasoning", "audio_input", "audio_output",
)  # fmt: skip


class _Kind(Struct):
    kind: str = ""


_kind_decoder = msgspec.json.Decoder(_Kind)


def summarise(
    records: Iterable[bytes], by: Sequence[str], more: Mapping[str, Callable[[Record], str]] | None = None
) -> list[Row]:
    """Sum the log's records by one or more of `DIMENSIONS`, or of `more`, the dearest group first.

    Reads one record at a time, so that a log of any length can be summed. Raises `BadInput` for a dimension that there
    is not, and `Broken` for a record that cannot be read: a sum that left it out would be wrong without saying so.
    """
    known = {**_DIMENSIONS, **more} if more else _DIMENSIONS
    for name in by:
        if name not in known:
            raise BadInput(f"spending cannot be shown by {name!r}", mend=f"choose from {', '.join(sorted(known))}")
    picks = [known[name] for name in by]
    sums: dict[tuple[str, ...], Counter[str]] = {}
    for number, line in enumerate(records):
        record = money_record(line, number)
        if record is not None:
            _add(sums.setdefault(tuple(pick(record) for pick in picks), Counter()), record)
    rows = [_row(group, counted) for group, counted in sums.items()]
    return sorted(rows, key=lambda row: (-row.cost, row.group))


def money_record(line: bytes, number: int) -> Record | None:
    """The record, None where it is of a kind that moves no money. Raises `Broken` for what cannot be read."""
    try:
        return decode_record(line) if _kind_decoder.decode(line).kind in _COUNTED else None
    except msgspec.DecodeError as error:
        raise unreadable(number, error) from error


def _add(counted: "Counter[str]", record: Record) -> None:
    if record.kind in _ACTIONS:
        times = 1 + record.suppressed
        counted["runs"] += times
        counted[record.outcome] += times
    counted["attempts"] += record.attempt > 0
    counted["cost"] += record.cost
    usage = record.usage
    if "reconcile" in record.flags or (usage is not None and usage.estimated):
        counted["unsure"] += record.cost
        counted["unsure rows"] += 1
    if usage is not None:
        for name in _TOKENS:
            counted["tokens:" + name] += getattr(usage, name)


def _row(group: tuple[str, ...], counted: "Counter[str]") -> Row:
    tokens = {name: counted["tokens:" + name] for name in _TOKENS}
    return Row(
        group=group,
        runs=counted["runs"],
        attempts=counted["attempts"],
        cost=counted["cost"],
        unsure=counted["unsure"],
        usage=Usage(**tokens, estimated=counted["unsure rows"] > 0, tier=""),
        **{outcome: counted[outcome] for outcome in _OUTCOMES},
    )
