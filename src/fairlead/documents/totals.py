"""Total, net and tax: what captions say, held against arithmetic."""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from typing import Final

from msgspec import Struct

from fairlead.documents.captions import kinds_of
from fairlead.documents.layout import Cell, Sheet, folded
from fairlead.documents.sums import (
    HIGHEST_RATE,
    PENNY,
    RATED,
    RateLine,
    Sum,
    holds_tax,
    money_in,
    paid_in,
    rate_lines,
    rated_sums,
    rates_printed,
    rounded_by,
    sums_of,
    tokens_of,
    triples_in_lines,
    with_rate,
)
from fairlead.documents.types import Field

ALONE: Final = "nothing else in the document bears the total out"
_ALIGNED: Final = 4.0  # points
_LEAST_TAX: Final = Decimal("0.05")
_OTHER_TAX: Final = re.compile(
    r"versicherung\w*steuer|insurance premium tax|\bipt\b|assurance|kurtaxe|ortstaxe|taxe de sejour|tourist tax"
    r"|city tax|imposta di soggiorno|tassa di soggiorno|assurantiebelasting|withheld|quellensteuer|ritenuta|retencion"
)
"""Taxes on something else than turnover."""
_MOST_LINES: Final = 200
_MOST_SUMS: Final = 600

Triple = tuple[Sum, Sum, Sum]
"""Total, net and tax that add up."""


class Reckoned(Struct, frozen=True):
    """The three amounts as they are understood, and the sign of the total, which tells the currency."""

    fields: dict[str, Field]
    sign: str


class _Read(Struct, frozen=True):
    """What a document says of its amounts."""

    sheet: Sheet
    sums: list[Sum]
    totals: list[Sum]
    triples: list[Triple]
    paid: frozenset[Decimal]


def reckoned(sheet: Sheet) -> Reckoned:
    """The amounts with their confidence. A total is beyond doubt where a caption names it, and net and tax, a rate,
    the lines, or another caption elsewhere come to the same, and nothing speaks against it."""
    sums = sums_of(sheet)[:_MOST_SUMS]
    totals = [each for each in sums if each.kinds & {"total", "weak_total"} and each.value > 0]
    if not totals:
        return Reckoned({}, "")
    read = _Read(sheet, sums, totals, _triples(sheet, totals, sums), paid_in(sheet))
    best = _best(read)
    doubt = _doubt(best, read)
    fields = {"total": _field(best, doubt, 0.98 if not doubt else 0.6), **_parts(best, doubt, read)}
    return Reckoned(fields, best.amount.sign)


def _parts(best: Sum, doubt: str, read: _Read) -> dict[str, Field]:
    """Net and tax."""
    fitting = [each for each in read.triples if each[0].value == best.value]
    if fitting:
        _, net, tax = fitting[0]
        unclear = len({(each[1].value, each[2].value) for each in fitting}) > 1
        said = doubt or ("net and tax can be read in several ways" if unclear else "")
        fields = {"net": _field(net, said, 0.97 if not said else 0.5)}
        if tax.kinds or tax.value:
            said = said or ("no word that is known says that it is a tax" if tax.kinds == RATED else "")
            fields["tax"] = _field(tax, said, 0.97 if not said else 0.5)
        return fields
    found = {}
    for kind in ("net", "tax"):
        one = next((each for each in read.sums if kind in each.kinds and each.how == "line"), None)
        if one is not None and one.value <= best.value:
            found[kind] = _field(one, "net and tax do not add up to the total", 0.4)
    if "tax" not in found:
        found.setdefault("net", _field(best, "no tax is shown", 0.5))
    elif included := _included(best, read):
        found = {"tax": _field(included, doubt, 0.97 if not doubt else 0.5)}
    return found


def _included(best: Sum, read: _Read) -> Sum | None:
    """The tax that is said to be in a total: a rate that stands with it comes to it, to the cent, and no other amount
    is said to be the net."""
    if any("net" in each.kinds and each.value not in (best.value, 0) for each in read.sums):
        return None
    rates = rates_printed(read.sheet)
    taxes = [
        each
        for each in read.sums
        if "tax" in each.kinds and each.value >= _LEAST_TAX and not _OTHER_TAX.search(folded(each.cell.text))
    ]
    return next((each for each in taxes if any(holds_tax(best.value, rate) == each.value for rate in rates)), None)


def _field(one: Sum, doubt: str, confidence: float) -> Field:
    return Field(
        value=float(one.value),
        text=one.cell.text,
        page=one.cell.page,
        box=one.cell.box,
        confidence=confidence,
        doubt=doubt,
    )


def _triples(sheet: Sheet, totals: list[Sum], sums: list[Sum]) -> list[Triple]:
    """Total, net and tax that add up and are told as such; the taxes of several rates are one."""
    nets = [each for each in sums if "net" in each.kinds and each.value > 0]
    taxes = [each for each in sums if "tax" in each.kinds and each.value >= 0]
    named = [*taxes, *_all_rates(taxes)]
    lines = triples_in_lines(sheet)
    rated, unnamed, rounded = _rated(rate_lines(sheet)), rated_sums(sheet), rounded_by(sheet)
    found = []
    for total in totals:
        for net in nets:
            found += [(total, net, tax) for tax in named if _adds_up(total, net, tax, rounded)]
            shares = [each.sum for each in unnamed if with_rate(net.value, each.rate) == net.value + each.sum.value]
            found += [(total, net, tax) for tax in shares if net.value + tax.value == total.value]
        found += [(total, net, tax) for whole, net, tax in lines if whole.value == total.value]
        found += [(total, net, tax) for net, tax in rated if _adds_up(total, net, tax)]
    return found


def _adds_up(total: Sum, net: Sum, tax: Sum, rounded: frozenset[Decimal] = frozenset()) -> bool:
    """Whether net and tax come to the total, or to what it was `rounded` from."""
    less = total.value - net.value - tax.value
    return (abs(less) <= PENNY or less in rounded) and tax.value <= net.value * HIGHEST_RATE


def _rated(lines: list[RateLine]) -> list[tuple[Sum, Sum]]:
    """Net and tax as the lines of a table of taxes come to, all of them and each alone."""
    if not lines:
        return []
    found = [(each.base, each.tax) for each in lines]
    if 2 <= len(lines) <= _MOST_LINES:
        last = lines[-1]
        net = sum((each.base.value for each in lines), Decimal(0))
        tax = sum((each.tax.value for each in lines), Decimal(0))
        found.append((_of(last.base, net), _of(last.tax, tax)))
    return found


def _of(one: Sum, value: Decimal) -> Sum:
    return Sum(value, one.kinds, one.cell, one.amount, one.how)


def _all_rates(taxes: list[Sum]) -> list[Sum]:
    """The tax of all rates together: the last amount of each line, where there are several lines, and of some of
    them."""
    last: dict[tuple[int, int], Sum] = {}
    for each in taxes:
        if each.how == "line" and each.value > 0:
            last[(each.cell.page, each.cell.row)] = each
    values = list(last.values())
    if not 2 <= len(values) <= 4:
        return []
    return [
        _of(some[-1], sum((each.value for each in some), Decimal(0)))
        for count in range(2, len(values) + 1)
        for some in combinations(values, count)
    ]


def _best(read: _Read) -> Sum:
    proven = {each[0].value for each in read.triples}

    def rank(one: Sum) -> tuple[bool, bool, bool, bool, Decimal]:
        holds = "tax" not in one.kinds and _included(one, read) is not None
        return (one.value in proven, holds, "total" in one.kinds, one.how == "line", one.value)

    return max(read.totals, key=rank)


def _doubt(best: Sum, read: _Read) -> str:
    """Why the total is not sure; "" where it is."""
    proven = {each[0].value for each in read.triples}
    parts = {part.value for each in read.triples for part in each[1:]}
    strong = [each for each in read.totals if "total" in each.kinds and each.how == "line"]
    last = max((each.cell.page, each.cell.row) for each in read.totals if each.value == best.value)
    parts -= {each.value for each in strong if (each.cell.page, each.cell.row) > last}  # owed after the total
    if (tax := _included(best, read)) is not None:
        parts.add(tax.value)
    left = {each.value for each in strong if best.value in proven and _is_left(best.value - each.value, read.paid)}
    if others := {each.value for each in strong} - {best.value} - parts - left:
        return "several amounts are called a total: " + ", ".join(str(each) for each in sorted({best.value, *others}))
    if larger := {each.value for each in read.totals if each.how == "line" and each.value > best.value} - parts:
        return "another total is larger: " + ", ".join(str(each) for each in sorted(larger))
    if below := [each for each in _below(read.sheet, best) if each > best.value]:
        return f"a larger amount stands below it: {max(below)}"
    if best.value in proven:
        return "" if best.value == max(proven) else "several totals add up"
    return _without_tax(best, read)


def _is_left(less: Decimal, paid: frozenset[Decimal]) -> bool:
    """Whether something was paid before of just what an amount is less than the total."""
    return any(abs(less - each) <= PENNY for each in paid if each > PENNY)


def _without_tax(best: Sum, read: _Read) -> str:
    """Why a total is not sure to which no net and tax add up."""
    same = [each for each in read.totals if each.value == best.value]
    greatest = best.value == _greatest(read.sheet)
    if any("tax" in each.kinds and each.value > 0 and each.how == "line" for each in read.sums):
        told = greatest and (_included(best, read) is not None or any(add_up(read.sheet, each) for each in same))
        return "" if told else "net and tax do not add up to the total"
    nets = {each.value for each in read.sums if "net" in each.kinds and each.value > 0} - {best.value}
    if nets:
        rates = rates_printed(read.sheet)
        if len(nets) == 1 and any(with_rate(min(nets), rate) == best.value for rate in rates):
            return ""
        return "net and total differ, and no tax is shown"
    places = {(each.cell.page, each.cell.row) for each in same if "total" in each.kinds and each.how == "line"}
    alike = len({(each.cell.page, each.cell.row) for each in read.sums if each.value == best.value and each.kinds})
    again = greatest and bool(places) and (len(places) > 1 or alike > 1 or _is_only_line(read, best))
    return "" if again or any(add_up(read.sheet, each) for each in same) else ALONE


def _is_only_line(read: _Read, best: Sum) -> bool:
    """Whether the only thing that was bought costs just the total: the amount stands once more above it, nothing is
    taken off, and no tax is spoken of that could come on top."""
    if rates_printed(read.sheet):
        return False
    lines = [(line, [each.value for cell in line for each in money_in(cell.text)]) for line in read.sheet.lines]
    above = [values for line, values in lines if (line[0].page, line[0].row) < (best.cell.page, best.cell.row)]
    return any(best.value in values for values in above) and not any(
        value < 0 for _, values in lines for value in values
    )


def add_up(sheet: Sheet, one: Sum) -> bool:
    """Whether the amounts above it in its column, at least two, come to it."""
    total, count = Decimal(0), 0
    for value in _above(sheet, one.cell):
        if value < 0:
            return False  # something was paid before, or given back
        if value == one.value and count == 0:
            continue  # a subtotal of the same amount
        total, count = total + value, count + 1
        if total == one.value and count >= 2:
            return True
        if total > one.value or count > _MOST_LINES:
            return False
    return False


def _above(sheet: Sheet, below: Cell) -> Iterator[Decimal]:
    """The amounts above a cell that end where it ends, the nearest first."""
    for line in sheet.above_line(below):
        above = [cell for cell in line if abs(cell.box[2] - below.box[2]) < _ALIGNED]
        if found := money_in(above[-1].text) if above else []:
            yield found[-1].value


def _below(sheet: Sheet, above: Sum) -> Iterator[Decimal]:
    """The amounts of the page under an amount that end where it ends, those aside whose caption is something else."""
    for line in sheet.lines_below(above.cell):
        under = [cell for cell in line if abs(cell.box[2] - above.cell.box[2]) < _ALIGNED]
        if under and (found := money_in(under[-1].text)) and "other" not in kinds_of(tokens_of(line[0].text)):
            yield found[-1].value


def _greatest(sheet: Sheet) -> Decimal:
    return max((each.value for cell in sheet.cells for each in money_in(cell.text)), default=Decimal(0))
