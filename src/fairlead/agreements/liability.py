"""Measures of who answers with how much: the cap of liability, insurance, and how long goods are warranted."""

from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.quantities import amounts
from fairlead.agreements.reading import (
    NO_LIMIT,
    Read,
    Sentence,
    Value,
    lengths,
    pattern_of,
    piece,
    shares,
    the_only,
)

_CAPPED: Final = (
    r"limited to|limits its|restricted to|liable (?:only )?up to|exceed|capped? at|liable for more than|maximum"
    r"|not? (?:be )?(?:more|greater|higher) than"
)
_OF_ONE_ORDER: Final = (
    r"\b(?:prices?|values?|amounts?|fees|charges|sums?)\b[^.;]{0,40}\b(?:of|for|under|in) "
    r"(?:(?:that|the|each|any|an?|such|this|relevant|affected|applicable|individual|respective|defective) )+"
    r"(?:orders?|deliver(?:y|ies)|consignments?|shipments?|invoices?|goods|products?|call-?offs?"
    r"|statements? of work|work orders?)\b"
)
_SHARE_IN_WORDS: Final = r"\bhal(?:f|ves)\b|\bthirds?\b(?! part)|\bquarters\b|\bquarter of\b"
_TIMES: Final = pattern_of(r"\b(?P<number>\d+(?:\.\d+)?)\s*(?:times\b|x\b|×|-?fold\b)")


def _liability_cap(said: Sentence) -> Iterator[Value]:
    if (
        not (said.has(r"liab") or (said.headed(r"liab") and said.has(r"damage|\bowe")))
        or (said.has(r"insur") and not said.has(rf"liab\w*\b[^.;]{{0,60}}(?:{_CAPPED})"))
        or (said.headed(r"insur") and not said.headed("liab"))
        or (
            said.has(r"^\W*nothing (?:in|limits)|excludes? (?:its|any) liability")
            and not said.has(r"liability, which (?:shall be|is) unlimited")
        )
    ):
        return
    if said.has(
        r"unlimited|\b(?:not|n't) (?:limit|cap)\b(?! \w* to)|liab\w*\b[^.;]{0,60}\bnot be limited|without limit"
    ):
        yield Value(NO_LIMIT)
        return
    if not said.has(_CAPPED) or said.parties.who(said.text) == "ours":
        return
    if said.has("insur"):
        yield Value(why="it rests on what insurance pays")
        return
    if said.has(_OF_ONE_ORDER):
        yield Value(why="it is a share of what one order costs, and not of a year's fees")
        return
    told = {*(round(each, 2) for each in shares(said)), *_times(said)}
    money = {amount for amount, _ in amounts(said.plain)}
    several = bool(money) and not said.has(r"\b(?:greater|higher|larger|more) of\b")
    if several and (told or said.has(r"fees|charges|amounts? (?:paid|payable)")):
        yield Value(why="it names several caps, an amount of money and fees")
    elif told and (len(told) > 1 or said.has(r"\b(?:lower|lesser|smaller|lowest) of\b")):
        yield Value(why=f"it names several caps, {', '.join(f'{each:g}' for each in sorted(told))} percent among them")
    elif told:
        yield _of_time(said, told.pop())
    elif said.has(_SHARE_IN_WORDS):
        yield Value(why="which share of the fees it means cannot be read")
    elif several:
        yield _of_money(money)
    elif said.has(r"fees?\b|charges|amounts?\b|sums"):
        yield _of_fees(said)
    else:
        yield Value(why="what it is limited to cannot be read")


def _times(said: Sentence) -> list[float]:
    """`1.5 times`, `2x`, `twice` the fees of a year, or of a month, as percent of those of a year."""
    found = [float(each["number"]) for each in _TIMES.finditer(said.plain)]
    found += [2.0] * said.has(r"\b(?:twice|double)\b") + [3.0] * said.has(r"\b(?:thrice|triple)\b")
    of = 12 if said.has(r"\bmonthly|(?:a|per|of the) month\b|month's") else 4 if said.has(r"\bquarterly") else 1
    return [round(100 * each / of, 2) for each in found]


def _of_time(said: Sentence, share: float) -> Value:
    """A share of the fees of so many months, where it says how many, of a year's."""
    if said.has(r"(?:fees|charges|amounts|sums)\b[^.;]{0,60}\b(?:preceding|previous|prior|last|past)\b"):
        months = {each.months for each in lengths(said, "month year", aside="")}
        if len(months) > 1:
            return Value(why="the fees of which time it means cannot be read")
        return Value(round(share * months.pop() / 12, 1)) if months else Value(share)
    return Value(share)


def _of_money(money: set[float]) -> Value:
    """A sum of its own, whatever the fees are. Of several none is taken."""
    if len(money) > 1:
        return Value(why=f"it names several caps, {', '.join(f'{each:,.0f}' for each in sorted(money))}")
    return Value(why="it is a sum of money, and nobody has said what a year's fees come to", money=money.pop())


def _of_fees(said: Sentence) -> Value:
    months = {each.months for each in lengths(said, "month year", aside="")}
    if len(months) > 1 or said.has(r"\b(?:lower|lesser|greater|higher|smaller|larger) of\b"):
        return Value(why="it names several caps")
    if months:
        return Value(round(100 * months.pop() / 12, 1))
    if said.has(r"(?:that|the|each|any|contract|calendar|preceding|previous) year|annual|per annum"):
        return Value(100.0)
    return Value(why="the fees of which time it means cannot be read")


def _insurance(said: Sentence) -> Iterator[Value]:
    spoken = said.has(r"insur") or (said.headed(r"insur") and not said.headed(r"liab"))
    if not spoken or not said.binds_them() or said.has(rf"liab\w*\b[^.;]{{0,60}}(?:{_CAPPED})"):
        return
    text = said.plain
    other = pattern_of(r"excess|deductible|retention|premium")
    yield from the_only(
        (amount for amount, at in amounts(text) if not other.search(piece(text, at))), "of its currency"
    )


_GOOD: Final = (
    r"defect|goods|material|workmanship|product|conform|software|equipment|documentation|specification"
    r"|warranty period\W{0,4}(?:is|means|shall (?:be|mean|run)|lasts|the period)"
)


def _warranty(said: Sentence) -> Iterator[Value]:
    if said.has(r"warrant|guarantee") and said.has(_GOOD):
        found = lengths(
            said, "day week fortnight month quarter year decade",
            aside=r"visible|\btold\b|tells?\b|notif|notice|mend|repair|remed|respon|claim|replac|inspect",
        )  # fmt: skip
        yield from the_only((each.months for each in found), "months")


LIABILITY: Final[Mapping[str, Read]] = {
    "liability_cap": _liability_cap,
    "insurance": _insurance,
    "warranty": _warranty,
}
