"""Measures of what is paid, and when: days of payment, interest, and how prices rise."""

from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.quantities import percents
from fairlead.agreements.reading import NO_LIMIT, Read, Sentence, Value, lengths, pattern_of, shares, the_only

_MONEY_TALK: Final = (
    r"\bpay(?:s|able|ment|ments)?\b|\bpaid\b|\bdue\b|\bsettl(?:e|es|ed|ement)\b|\bremit(?:s|ted)?\b|\bnet\b"
)
_PAID_FOR: Final = r"invoice|fee|charge|remuneration|payment|billing|\bbills?\b|price|sums?\b"
_FROM_INVOICE: Final = r"days?\b[^.;]{0,20}\b(?:from|of|after)\b[^.;]{0,30}\b(?:invoice|bill|statement)"
_OTHER_TIMES: Final = (
    r"interest|increase|\braises? (?:its|the|any|all)?\s*(?:price|fee|rate|charge)|insur|liab|terminat|refund|credit"
    r"|audit|warrant|renew|escrow|suspen|in the \w+ months|remind|dunning"
)
_NO_PAYMENT: Final = (
    r"discount|deduct|\bdisput|\bissues\b|\bissued?\b(?! *(?:,|$|date|of|by))|object|quer(?:y"
    r"|ies)|complain|reject|overdue|delay|\blate\b"
)
_PARTS: Final = (
    r"\b(?:balance|remainder|instal?lments?|deposit|down payment|remaining)\b|\bon order\b|(?:%"
    r"|percent)\)? of the (?:fees|price)|\bhalf of\b"
)
_ON_AN_EVENT: Final = (
    r"\b(?:due|payable|paid)\b[^.;]{0,30}\b(?:on|upon|at|when|before) (?:the )?(?:signature|signing|order|placing"
    r"|delivery|completion|acceptance|(?:it|they) (?:is|are) (?:placed|ordered|accepted))"
)
_NET: Final = r"\bnet\s+(\d+)(?!\s*(?:%|per ?cent))"


def _payment_days(said: Sentence) -> Iterator[Value]:
    if not said.has(f"{_MONEY_TALK}|{_FROM_INVOICE}") or not said.about(_PAID_FOR) or said.about(_OTHER_TIMES):
        return
    found = [each.days for each in lengths(said, "day week fortnight month", aside=_NO_PAYMENT)]
    net = [float(each[1]) for each in pattern_of(_NET).finditer(said.plain)]
    if said.has(_PARTS) and not said.has(r"(?:outstanding|unpaid|any) balance"):
        yield Value(why="it is paid in parts")
    elif said.has(r"(?:no|not) (?:earlier|sooner) than") and len(found) > 1:
        yield Value(why="it names an earliest and a latest day")
    elif found or net:
        yield from the_only((*found, *net), "days")
    elif said.has(r"on (?:receipt|presentation|demand)|in advance|immediately|upon (?:receipt|invoice)"):
        yield Value(0.0)
    elif said.has(_ON_AN_EVENT):
        yield Value(why="it is due when something happens, and not some days after the invoice")


_AS_LAW_ALLOWS: Final = (
    r"(?:less|lesser|lower) of\b|(?:maximum|highest)[^.;]{0,40}(?:law|permitted)[^.;]{0,20}(?:less|lower|smaller)"
)
_YEARLY: Final = {
    "day": 365.0,
    "dai": 365.0,
    "week": 52.0,
    "fortnight": 26.0,
    "month": 12.0,
    "quarter": 4.0,
    "year": 1.0,
    "annu": 1.0,
}
_RATE: Final = pattern_of(
    r"(?:per|a|an|each|every)\s+(?:(?P<count>\d+)\s+)?(?P<one>day|week|fortnight|month|quarter|year|annum)s?\b|\b(?P<two>dai|week|fortnight|month|quarter|year|annual)l?y?\b"
)


def _late_interest(said: Sentence) -> Iterator[Value]:
    late = r"\blate|overdue|default|delay|outstanding|arrears|past due|(?:not|un)\s?paid"
    if not (said.about(r"interest") or (said.has("%|per ?cent") and said.has(r"\bcharge|\bfee"))) or not said.about(
        late
    ):
        return
    if said.has(r"liab|deliver|credit|damages"):
        return
    plain = said.plain
    lawful = said.has(_AS_LAW_ALLOWS) and not said.has(r"great|high(?:er|est) of|more")  # the rate itself is the most
    if said.has(r"base (?:lending )?rate|libor|euribor|\babove\b|over the|statutory") or (
        not lawful and said.has(r"maximum .{0,20}law")
    ):
        yield Value(why="it rests on a rate that changes")
        return
    yield from the_only((number * _times_a_year(plain, at) for number, at in percents(plain)), "percent a year")


def _times_a_year(text: str, at: int) -> float:
    """How often a year a rate is due: by the first such word behind it, else the last before it."""
    found = next(_RATE.finditer(text, at), None) or next(reversed(list(_RATE.finditer(text, 0, at))), None)
    if found is None:
        return 1.0
    word = (found["one"] or found["two"]).lower()
    return _YEARLY["annu" if word.startswith("annu") else word] / float(found["count"] or 1)


_STILL: Final = r"\b(?:may|shall|will|can|must) not\b[^.;]{0,30}\b(?:increas|rais|adjust|chang|vary|varied)"
_FIXED: Final = (
    r"\b(?:prices|fees|charges|rates)\s+(?:in [^.;,]{0,30} )?(?:(?:shall|will|are|is|stay|remain)\s+)+"
    r"(?:remain |stay |be )?(?:fixed|unchanged|the same|as they are|firm)\b"
)


_THEIRS: Final = (
    r"\b(?:prices?|fees|charges|rates)\b[^.;]{0,60}\b(?:follow|correspond|according to|as per|are those)\b[^.;]{0,60}"
    r"\b(?:list|tariff|then[- ]current|prevailing|from time to time)\b"
)


def _price_increase(said: Sentence) -> Iterator[Value]:
    if said.has(_THEIRS):
        yield Value(why="it follows prices that the other side sets")
        return
    rises = (
        r"increas|\brais|\bris(?:e|es|ing)\b|go up|adjust|vary|varied|chang|uplift|indexed|amend|revis(?:e|es|ed|ing)\b"
        r"|escalat"
    )
    if (
        not (said.has(rises) or said.has(_FIXED))
        or not said.about(r"\bpric(?:e|es|ing)\b|\bfees?\b|\brates?\b|\bcharges?\b")
        or said.has(r"interest|liab|insur")
    ):
        return
    found = shares(said, aside=r"discount|rebate|deposit|advance")
    if not found and said.has(f"{_FIXED}|{_STILL}"):
        part = said.has(r"\bfirst\b|\binitial|during|until|unless|except|without|before|once|thereafter|after that")
        whole = said.has(r"(?:during|throughout|for) the (?:whole |entire )?(?:term|duration|life)\b")
        yield (
            Value(why="for how long they are fixed, or what comes then, cannot be read")
            if part and not whole
            else Value(0.0)
        )
        return
    index = said.has(r"index|\bcpi\b|inflation|consumer price")
    if found and not (index and said.has(r"greater|higher|in addition|\bplus\b")):
        yield from the_only(found, "percent")
    elif index:
        yield Value(why="it follows an index")
    elif said.has(rf"\b(?:may|can|is (?:entitled|allowed)|reserves)\b(?:(?!terminat|cancel|leave)[^.;])*(?:{rises})"):
        yield Value(NO_LIMIT)


PAYING: Final[Mapping[str, Read]] = {
    "payment_days": _payment_days,
    "late_interest": _late_interest,
    "price_increase": _price_increase,
}
