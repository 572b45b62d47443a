"""Amounts with what is said of them: captions on their line or above, and lines in which arithmetic alone speaks."""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from msgspec import Struct

from fairlead.documents.amounts import Amount, amounts_in, parsed
from fairlead.documents.captions import kinds_of, tells_of_payment, tells_of_rounding
from fairlead.documents.layout import Cell, Sheet, folded

PENNY: Final = Decimal("0.02")
HIGHEST_RATE: Final = Decimal("0.30")
_CENT: Final = Decimal("0.01")
_RATE: Final = re.compile(r"(\d{1,2}(?:[.,]\d{1,2})?)\s?%")
_INITIALS: Final = re.compile(r"(?<=\b[^\W\d_])\.(?=[^\W\d_](?:\b|\.))")
_SHORT: Final = 2
_MOST_ON_LINE: Final = 12  # amounts: a table of taxes has fewer
RATED: Final = frozenset(("rated",))
"""The kind of an amount that is a share of another, and that no word calls a tax."""
_NAMES: Final = frozenset(("total", "weak_total", "net", "tax"))


class Sum(Struct, frozen=True):
    """An amount and what its caption may name it. `how` is `line` or `below`; `other` has no name of ours."""

    value: Decimal
    kinds: frozenset[str]
    cell: Cell
    amount: Amount
    how: str


class RateLine(Struct, frozen=True):
    """A line of a table of taxes: `tax` is `rate` per cent of `base`."""

    rate: Decimal
    base: Sum
    tax: Sum


class Rated(Struct, frozen=True):
    """An amount with a rate beside it."""

    rate: Decimal
    sum: Sum


def money_in(text: str) -> list[Amount]:
    """The amounts of a text that are written as money: with two decimals, or a currency's sign."""
    return [each for each in amounts_in(text) if not each.percent and (each.cents or each.sign)]


def sums_of(sheet: Sheet) -> list[Sum]:
    """All amounts whose caption says what they are, those on a caption's line first."""
    return [*_on_lines(sheet), *_below(sheet)]


def _on_lines(sheet: Sheet) -> Iterator[Sum]:
    for line in sheet.lines:
        kinds: frozenset[str] = frozenset()
        for cell in line:
            at = 0
            for one in money_in(cell.text):
                kinds = _goes_on(kinds, cell.text[at : one.start])
                behind = frozenset() if kinds else kinds_of(tokens_of(cell.text[one.end :]))  # `29.99 EUR TTC`
                if kinds or behind:
                    yield Sum(one.value, kinds or behind, cell, one, "line")
                at = one.end
            kinds = _goes_on(kinds, cell.text[at:])


def _goes_on(kinds: frozenset[str], text: str) -> frozenset[str]:
    """What the amounts after a text are called: by it, or by what stood before where it is but a word or two."""
    tokens = [token for token in tokens_of(text) if not token.isdigit()]
    if not tokens:
        return kinds
    said = kinds_of(tokens)
    return said if said or len(tokens) > _SHORT else kinds


def tokens_of(text: str) -> list[str]:
    """The words of a text, folded, a sign for a number as `no`, initials such as `T.V.A.` as a word."""
    plain = _INITIALS.sub("", folded(text.replace("#", " no ").replace("№", " no ")))
    return re.findall(r"[^\W_]+", plain)


def _below(sheet: Sheet) -> Iterator[Sum]:
    """The amount that stands alone under a caption, as in tables."""
    for cell in sheet.cells:
        if money_in(cell.text) or not (kinds := kinds_of(tokens_of(cell.text))) & _NAMES:
            continue
        right = sheet.right_of(cell)
        if right and money_in(right[0].text):
            continue
        under = next(iter(sheet.below(cell)), None)
        if under is None or kinds_of(tokens_of(under.text)):
            continue
        found = money_in(under.text)
        if len(found) == 1:
            yield Sum(found[0].value, kinds, under, found[0], "below")


def paid_in(sheet: Sheet) -> frozenset[Decimal]:
    """What was paid before, by captions such as `Deposit` or `Bereits bezahlt`, without signs."""
    found: set[Decimal] = set()
    for line in sheet.lines:
        said: list[str] = []  # since the last amount
        for cell in line:
            money = money_in(cell.text)
            if money and tells_of_payment(tokens_of(" ".join([*said, cell.text]))):
                found |= {abs(one.value) for one in money}
            said = [] if money else [*said, cell.text]
    return frozenset(found)


def rounded_by(sheet: Sheet) -> frozenset[Decimal]:
    """What sums may have been rounded by, by captions such as `Rounding`: less than one, with either sign."""
    found = (
        one.value
        for line in sheet.lines
        if tells_of_rounding(tokens_of(" ".join(cell.text for cell in line)))
        for cell in line
        for one in money_in(cell.text)
        if 0 < abs(one.value) < 1
    )
    return frozenset(sign * value for value in found for sign in (1, -1))


def rated_sums(sheet: Sheet) -> list[Rated]:
    """The amounts beside a rate whose caption is of no known kind: taxes in words that are not known, or charges."""
    found = []
    for line in sheet.lines:
        text = " ".join(cell.text for cell in line)
        rates = {rate for said in _RATE.findall(text) if (rate := parsed(said)) is not None and rate > 0}
        money = [(one, cell) for cell in line for one in money_in(cell.text) if one.value > 0]
        if len(rates) == len(money) == 1 and not kinds_of(tokens_of(_RATE.sub("", line[0].text))):
            one, cell = money[0]
            found.append(Rated(rates.pop(), Sum(one.value, RATED, cell, one, "line")))
    return found


def rate_lines(sheet: Sheet) -> list[RateLine]:
    """The lines in which a rate, what is taxed and the tax stand side by side, each once."""
    found: dict[tuple[Decimal, Decimal], RateLine] = {}
    for line in sheet.lines:
        text = " ".join(cell.text for cell in line)
        rates = [rate for said in _RATE.findall(text) if (rate := parsed(said)) is not None]
        money = [(one, cell) for cell in line for one in money_in(cell.text) if one.value > 0]
        if not rates and kinds_of(tokens_of(line[0].text)) == {"tax"}:
            rates = [value for cell in line[1:] if (value := parsed(cell.text)) is not None and 0 < value < 31]
        if len(money) > _MOST_ON_LINE:
            continue
        for rate in dict.fromkeys(rates):
            for one, cell in money:
                for other, beside in money:
                    taxed = one.value * rate / 100
                    if rate and other is not one and abs(taxed - other.value) <= _CENT and other.value >= _CENT * 5:
                        none: frozenset[str] = frozenset()
                        base = Sum(one.value, none, cell, one, "line")
                        tax = Sum(other.value, none, beside, other, "line")
                        found.setdefault((one.value, other.value), RateLine(rate, base, tax))
    return list(found.values())


def triples_in_lines(sheet: Sheet) -> list[tuple[Sum, Sum, Sum]]:
    """Total, net and tax where three amounts of a line that follow one another add up so."""
    found = []
    for line in sheet.lines:
        money = [Sum(one.value, frozenset(), cell, one, "line") for cell in line for one in money_in(cell.text)]
        for net, tax, total in zip(money, money[1:], money[2:], strict=False):
            if 0 < tax.value <= net.value * HIGHEST_RATE and net.value + tax.value == total.value:
                found.append((total, net, tax))
    return found


def rates_printed(sheet: Sheet) -> set[Decimal]:
    """The rates of a tax that stand in its captions."""
    found = set()
    for line in sheet.lines:
        for number, cell in enumerate(line):
            if "tax" in kinds_of(tokens_of(_RATE.sub("", cell.text))):
                beside = " ".join(each.text for each in line[number : number + 2])
                found |= {rate for said in _RATE.findall(beside) if (rate := parsed(said)) is not None and rate > 0}
    return found


def holds_tax(total: Decimal, rate: Decimal) -> Decimal:
    """The tax that is in an amount, to the cent."""
    return (total * rate / (100 + rate)).quantize(_CENT, ROUND_HALF_UP)


def with_rate(net: Decimal, rate: Decimal) -> Decimal:
    """An amount with its tax, to the cent."""
    return (net * (100 + rate) / 100).quantize(_CENT, ROUND_HALF_UP)
