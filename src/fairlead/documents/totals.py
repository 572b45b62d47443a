"""Total, net and tax: what labels say, held against arithmetic."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import Amount, amounts_in
from fairlead.documents.labels import Label
from fairlead.documents.layout import Cell, Sheet
from fairlead.documents.named import Named
from fairlead.documents.types import Field

ALONE: Final = "nothing else in the document bears the total out"
_PENNY: Final = Decimal("0.02")
_HIGHEST_RATE: Final = Decimal("0.30")
_ALIGNED: Final = 4.0  # points


class Sum(Struct, frozen=True):
    """An amount beside a label. `how` is `line` or `below`."""

    value: Decimal
    kinds: frozenset[str]
    cell: Cell
    amount: Amount
    how: str


class Reckoned(Struct, frozen=True):
    """The three amounts as they are understood, and the cell of the total, whose sign tells the currency."""

    fields: dict[str, Field]
    sign: str


def reckoned(named: Named) -> Reckoned:
    """The amounts with their confidence. A total is beyond doubt where a label names it, and net and tax, the lines, or
    another label elsewhere come to the same."""
    sums = list(_sums(named))
    totals = [each for each in sums if each.kinds & {"total", "weak_total"} and each.value > 0]
    if not totals:
        return Reckoned({}, "")
    triples = _triples(totals, sums)
    best = _best(totals, triples, named.sheet)
    doubt = _doubt(best, totals, sums, triples, named.sheet)
    fields = {"total": _field(best, doubt, 0.98 if not doubt else 0.6)}
    triple = next((each for each in triples if each[0].value == best.value), None)
    if triple is not None:
        net, tax = triple[1], triple[2]
        unclear = len({(each[1].value, each[2].value) for each in triples if each[0].value == best.value}) > 1
        said = doubt or ("net and tax can be read in several ways" if unclear else "")
        fields["net"] = _field(net, said, 0.97 if not said else 0.5)
        fields["tax"] = _field(tax, said, 0.97 if not said else 0.5)
    else:
        for kind in ("net", "tax"):
            if (one := next((each for each in sums if kind in each.kinds and each.how == "line"), None)) is not None:
                fields[kind] = _field(one, "net and tax do not add up to the total", 0.4)
        if "tax" not in fields:
            fields.setdefault("net", _field(best, "no tax is shown", 0.5))
    return Reckoned(fields, best.amount.sign)


def _field(one: Sum, doubt: str, confidence: float) -> Field:
    return Field(
        value=float(one.value),
        text=one.cell.text,
        page=one.cell.page,
        box=one.cell.box,
        confidence=confidence,
        doubt=doubt,
    )


def _sums(named: Named) -> Iterator[Sum]:
    for label in named.with_kind("total", "weak_total", "net", "tax"):
        kinds = label.kinds & {"total", "weak_total", "net", "tax"}
        if "other" in label.kinds:
            continue
        yield from _on_line(named, label, kinds)
        for cell in named.sheet.below(label.cell):
            if not label.rest and not named.is_label(cell):
                found = _money(cell.text)
                if len(found) == 1:
                    yield Sum(found[0].value, kinds, cell, found[0], "below")
            break


def _on_line(named: Named, label: Label, kinds: frozenset[str]) -> Iterator[Sum]:
    for one in _money(" ".join(label.rest)):
        yield Sum(one.value, kinds, label.cell, one, "line")
    if named.of(label.cell)[-1] is not label:
        return
    for cell in named.sheet.right_of(label.cell):
        if named.is_label(cell) and not _money(cell.text):
            return
        for one in _money(cell.text):
            yield Sum(one.value, kinds, cell, one, "line")


def _money(text: str) -> list[Amount]:
    return [each for each in amounts_in(text) if not each.percent and (each.cents or each.sign)]


def _triples(totals: list[Sum], sums: list[Sum]) -> list[tuple[Sum, Sum, Sum]]:
    """Total, net and tax that add up and are labelled as such; several rates of tax are one."""
    nets = [each for each in sums if "net" in each.kinds and each.value > 0]
    taxes = [each for each in sums if "tax" in each.kinds and each.value >= 0]
    summed = _all_rates(taxes)
    found = []
    for total in totals:
        for net in nets:
            for tax in [*taxes, *summed]:
                if abs(net.value + tax.value - total.value) <= _PENNY and tax.value <= net.value * _HIGHEST_RATE:
                    found.append((total, net, tax))
    return found


def _all_rates(taxes: list[Sum]) -> list[Sum]:
    """The tax of all rates together: the last amount of each line, where there are several lines."""
    last: dict[tuple[int, int], Sum] = {}
    for each in taxes:
        if each.how == "line" and each.value > 0:
            last[(each.cell.page, each.cell.row)] = each
    if not 2 <= len(last) <= 4:
        return []
    one = list(last.values())[-1]
    value = sum((each.value for each in last.values()), Decimal(0))
    return [Sum(value, one.kinds, one.cell, one.amount, "line")]


def _best(totals: list[Sum], triples: list[tuple[Sum, Sum, Sum]], sheet: Sheet) -> Sum:
    proven = {each[0].value for each in triples}

    def rank(one: Sum) -> tuple[bool, bool, bool, Decimal]:
        return (one.value in proven, "total" in one.kinds, one.how == "line", one.value)

    return max(totals, key=rank)


def _doubt(best: Sum, totals: list[Sum], sums: list[Sum], triples: list[tuple[Sum, Sum, Sum]], sheet: Sheet) -> str:
    """Why the total is not sure; "" where it is."""
    parts = {part.value for each in triples for part in each[1:]}
    strong = [each for each in totals if "total" in each.kinds and each.how == "line"]
    if others := {each.value for each in strong} - {best.value} - parts:
        return "several amounts are called a total: " + ", ".join(str(each) for each in sorted({best.value, *others}))
    if larger := {each.value for each in totals if each.how == "line" and each.value > best.value} - parts:
        return "another total is larger: " + ", ".join(str(each) for each in sorted(larger))
    proven = {each[0].value for each in triples}
    if best.value in proven:
        return "" if best.value == max(proven) else "several totals add up"
    return _without_tax(best, totals, sums, sheet)


def _without_tax(best: Sum, totals: list[Sum], sums: list[Sum], sheet: Sheet) -> str:
    """Why a total is not sure to which no net and tax add up."""
    if any("tax" in each.kinds and each.value > 0 and each.how == "line" for each in sums):
        return "net and tax do not add up to the total"
    if {each.value for each in sums if "net" in each.kinds and each.value > 0} - {best.value}:
        return "net and total differ, and no tax is shown"
    same = [each for each in totals if each.value == best.value]
    places = {(each.cell.page, each.cell.row) for each in same if "total" in each.kinds and each.how == "line"}
    borne = any(add_up(sheet, each) for each in same) or (len(places) > 1 and best.value == _greatest(sheet))
    return "" if borne else ALONE


def add_up(sheet: Sheet, one: Sum) -> bool:
    """Whether the amounts above it in its column, at least two, come to it."""
    total, count = Decimal(0), 0
    for line in sheet.above_line(one.cell):
        above = [cell for cell in line if abs(cell.box[2] - one.cell.box[2]) < _ALIGNED]
        found = _money(above[-1].text) if above else []
        if not found:
            continue
        if found[-1].value == one.value and count == 0:
            continue  # a subtotal of the same amount
        if found[-1].value < 0:
            return False  # something was paid before, or given back
        total, count = total + found[-1].value, count + 1
        if total == one.value and count >= 2:
            return True
        if total > one.value or count > 200:
            return False
    return False


def _greatest(sheet: Sheet) -> Decimal:
    return max((each.value for cell in sheet.cells for each in _money(cell.text)), default=Decimal(0))
