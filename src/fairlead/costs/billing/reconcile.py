"""A provider's usage against the log's records: what both have, what only one has, and where they differ.

It compares, and changes nothing: a difference is settled between people, and by a price that is put right.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from fairlead.costs.billing.charges import Sales
from fairlead.costs.billing.periods import day_of
from fairlead.costs.billing.usage_export import Line
from fairlead.costs.spending import money_record

Kind = Literal["ours only", "theirs only", "tokens differ", "price differs", "our estimates"]
_ANY: Final = Decimal("Infinity")
_OWN_SLACK: Final = Decimal("0.5")  # nano-units: each call is rounded to whole ones


class Side(Struct, frozen=True):
    """What one side counts. `slack` is what rounding may hide; `priced` is False where it says no cost."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cost: Decimal = Decimal(0)
    slack: Decimal = Decimal(0)
    priced: bool = True

    def __add__(self, other: "Side") -> "Side":
        return Side(
            self.calls + other.calls,
            self.input + other.input,
            self.output + other.output,
            self.cost + other.cost,
            self.slack + other.slack,
            self.priced and other.priced,
        )


class Call(Struct, frozen=True):
    """An attempt of ours. `id` is what the provider got as idempotency key; `unsure` if it was billed by estimate, or
    at a worst case."""

    id: str
    run: str
    day: str
    model: str
    side: Side
    unsure: bool


class Difference(Struct, frozen=True):
    """`what` is a request's id, or a day and a model. `cost` is theirs less ours, in nano-units."""

    kind: Kind
    what: str
    ours: Side
    theirs: Side
    cost: Decimal


_Pairs = list[tuple[str, Side | None, Side | None, Decimal | None]]
"""What, both sides, and how much our estimates may explain: None where nothing is estimated."""


class Compared(Struct, frozen=True):
    """All of it, differences by size. `matched` counts what was compared and agrees."""

    by: str
    matched: int
    ours: Side
    theirs: Side
    differences: tuple[Difference, ...]

    @property
    def share(self) -> Decimal:
        """Of what they bill, or count where they tell no cost, how much differs: what cancels out counts twice."""
        if self.theirs.priced:
            apart, whole = sum((abs(each.cost) for each in self.differences), Decimal(0)), self.theirs.cost
        else:
            apart, whole = Decimal(sum(map(_tokens_apart, self.differences))), Decimal(_tokens(self.theirs))
        return apart / whole if whole > 0 else Decimal(1 if apart else 0)


def calls_of(records: Iterable[bytes], sales: Sales, vendor: str, named: frozenset[str]) -> list[Call]:
    """Attempts at models in a cloud, of one vendor's where one is named, and at those that the export names. What was
    free and used nothing never reached the provider."""
    calls = []
    for number, line in enumerate(records):
        record = money_record(line, number)
        if record is None or not record.model or not (record.cost or record.usage):
            continue
        sold = sales(record.revision, record.model)
        model = record.model if record.model in named else sold.remote or record.model
        if vendor and sold.vendor not in ("", vendor):
            continue
        if model not in named and (record.placement != "cloud"):
            continue
        usage = record.usage
        side = Side(
            calls=1,
            input=usage.input if usage else 0,
            output=usage.output if usage else 0,
            cost=Decimal(record.cost),
            slack=_OWN_SLACK,
        )
        unsure = "reconcile" in record.flags or usage is None or usage.estimated
        calls.append(Call(f"{record.run}.{record.attempt}", record.run, day_of(record.at), model, side, unsure))
    return calls


def reconcile(calls: Sequence[Call], lines: Sequence[Line]) -> Compared:
    """Compare by request where the export has ids that we know, and what is left per day and model."""
    known = {call.id for call in calls}
    by_id = any(line.id in known for line in lines)
    left_calls, left_lines = list(calls), list(lines)
    pairs: _Pairs = []
    if by_id:
        pairs = _by_id(calls, [line for line in lines if line.id])
        told = {line.id for line in lines}
        left_lines = [line for line in lines if not line.id]
        left_calls = [call for call in calls if call.id not in told]
        if not left_lines:
            pairs += [(call.id, call.side, None, _ANY if call.unsure else None) for call in left_calls]
            left_calls = []
    pairs += _by_day(left_calls, left_lines)
    found = [each for pair in pairs if (each := _difference(*pair)) is not None]
    whole = sum((call.side for call in calls), Side())
    theirs = sum(map(_side, lines), Side())
    ordered = sorted(found, key=lambda each: (-abs(each.cost), -_tokens_apart(each), each.what))
    return Compared("request" if by_id else "day and model", len(pairs) - len(found), whole, theirs, tuple(ordered))


def _by_id(calls: Iterable[Call], lines: Iterable[Line]) -> _Pairs:
    ours = {call.id: call for call in calls}
    theirs: dict[str, Side] = {}
    for line in lines:
        theirs[line.id] = theirs.get(line.id, Side()) + _side(line)
    found: _Pairs = []
    for id, side in theirs.items():
        call = ours.get(id)
        found.append((id, call.side if call else None, side, _ANY if call and call.unsure else None))
    return found


def _by_day(calls: Iterable[Call], lines: Iterable[Line]) -> _Pairs:
    ours: dict[str, Side] = {}
    theirs: dict[str, Side] = {}
    unsure: dict[str, Decimal] = {}
    for call in calls:
        what = f"{call.day} {call.model}"
        ours[what] = ours.get(what, Side()) + call.side
        if call.unsure:
            unsure[what] = unsure.get(what, Decimal(0)) + call.side.cost
    for line in lines:
        what = f"{day_of(line.at)} {line.model}"
        theirs[what] = theirs.get(what, Side()) + _side(line)
    return [(what, ours.get(what), theirs.get(what), unsure.get(what)) for what in sorted(ours.keys() | theirs.keys())]


def _difference(what: str, ours: Side | None, theirs: Side | None, unsure: Decimal | None) -> Difference | None:
    kind: Kind
    if ours is None or theirs is None:
        one, other = ours or Side(), theirs or Side()
        guessed = theirs is None and unsure is not None and one.cost <= unsure
        kind = "our estimates" if guessed else "theirs only" if ours is None else "ours only"
        return Difference(kind, what, one, other, other.cost - one.cost)
    apart = theirs.cost - ours.cost if theirs.priced else Decimal(0)
    tokens_differ = (ours.input, ours.output) != (theirs.input, theirs.output)
    if not tokens_differ and abs(apart) <= ours.slack + theirs.slack:
        return None
    guessed = unsure is not None and abs(apart) <= unsure
    kind = "our estimates" if guessed else "tokens differ" if tokens_differ else "price differs"
    return Difference(kind, what, ours, theirs, apart)


def _side(line: Line) -> Side:
    return Side(
        calls=1,
        input=line.input,
        output=line.output,
        cost=line.cost or Decimal(0),
        slack=line.slack,
        priced=line.cost is not None,
    )


def _tokens(side: Side) -> int:
    return side.input + side.output


def _tokens_apart(found: Difference) -> int:
    return abs(found.ours.input - found.theirs.input) + abs(found.ours.output - found.theirs.output)
