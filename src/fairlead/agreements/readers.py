"""What clauses say that can be held against preferred terms: measures, each with the rules by which it is read.

A rule reads a sentence, with the heading above it, and gives what it says, or that somebody has to look. What it
means beyond that is not understood. Words are English.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from fairlead.agreements.clauses import Clause, sentences
from fairlead.agreements.parties import Parties
from fairlead.agreements.quantities import amounts, percents
from fairlead.agreements.reading import NO_LIMIT, Read, Sentence, Value, plain_durations
from fairlead.agreements.worded import WORDED

_MONEY_TALK: Final = r"\bpay(?:s|able|ment|ments)?\b|\bpaid\b|\bdue\b|\bsettl(?:e|es|ed|ement)\b|\bnet \d"
_PAID_FOR: Final = r"invoice|fee|charge|remuneration|payment|billing|price|sums?\b"
_OTHER_TIMES: Final = (
    r"interest|increase|raise|insur|liab|terminat|refund|credit|audit|warrant|renew|escrow|in the \w+ months"
)
_STAFF: Final = r"solicit|recruit|hire|entice|poach"
_SECRETS: Final = r"confiden|secre|non-?disclosure|in confidence"
_OVER: Final = r"terminat|cancel|\bend (?:this|the)\b|\bexit\b"


class Said(Struct, frozen=True, kw_only=True):
    """What a contract says of one measure, and where. `number` is in the measure's unit, `word` for those without one;
    neither where the rules cannot tell, and `why`. `quote` is the sentence, word by word."""

    measure: str
    number: float | None = None
    word: str = ""
    why: str = ""
    quote: str
    clause: str
    place: str
    start: int


def read(clauses: Iterable[Clause], parties: Parties, type: str) -> list[Said]:
    """All that the rules find, in the order of the text; the same thing of a clause once."""
    found: list[Said] = []
    seen: set[tuple[str, str, float | None, str]] = set()
    for clause in clauses:
        for start, text in sentences(clause):
            sentence = Sentence(text, clause.heading, type, parties)
            for measure, reader in MEASURES.items():
                for value in reader(sentence):
                    key = (measure, clause.place, value.number, value.word)
                    if key not in seen:
                        seen.add(key)
                        found.append(_said(measure, value, clause, text, start))
    return found


def _said(measure: str, value: Value, clause: Clause, text: str, start: int) -> Said:
    return Said(
        measure=measure, number=value.number, word=value.word, why=value.why, quote=text, clause=clause.number,
        place=clause.place, start=start,
    )  # fmt: skip


def annual_value(text: str) -> float | None:
    """What the contract is worth a year, as it says itself: the greatest amount that a sentence calls a year's."""
    found = [
        amount
        for line in text.split("\n")
        for part in line.split(". ")
        if _is_yearly(part)
        for amount, _ in amounts(part)
    ]
    return max(found, default=None)


def _is_yearly(part: str) -> bool:
    sentence = Sentence(part, "", "", Parties((), ()))
    return sentence.has(r"\b(?:a|per|each) year\b|\bannual|\byearly\b|per annum") and sentence.has(
        r"fee|charge|sum\b|purchases|turnover|cost|spend|price"
    ) and not sentence.has(r"liab|insur")  # fmt: skip


def _payment_days(said: Sentence) -> Iterator[Value]:
    if not said.has(_MONEY_TALK) or not said.about(_PAID_FOR) or said.about(_OTHER_TIMES):
        return
    if found := [each for each, _ in plain_durations(said) if each.unit in ("day", "week", "month")]:
        if said.has(r"(?:no|not) (?:earlier|sooner) than") and len(found) > 1:
            yield Value(why="it names an earliest and a latest day")
            return
        yield Value(found[0].days)
    elif said.has(r"\bnet (\d+)"):
        from fairlead.agreements.reading import pattern_of

        net = pattern_of(r"\bnet (\d+)").search(said.text)
        assert net is not None
        yield Value(float(net[1]))
    elif said.has(r"on receipt|immediately|upon (?:receipt|invoice)"):
        yield Value(0.0)


def _late_interest(said: Sentence) -> Iterator[Value]:
    if not said.about(r"interest") or not said.about(r"late|overdue|default|delay|outstanding|arrears|past due"):
        return
    if said.has(r"base rate|libor|euribor|\babove\b|over the|statutory|maximum .{0,20}law"):
        yield Value(why="it rests on a rate that changes")
        return
    monthly, daily = said.has(r"(?:per|a|each) month|monthly"), said.has(r"(?:per|a|each|every) day\b|\bdaily\b")
    for number, _ in percents(said.plain):
        yield Value(round(number * (365 if daily else 12 if monthly else 1), 2))
        return


def _liability_cap(said: Sentence) -> Iterator[Value]:
    if (
        not said.has(r"liab")
        or said.about(r"insur")
        or said.has(r"^\W*nothing (?:in|limits)|excludes? (?:its|any) liability")
    ):
        return
    if said.has(r"unlimited|liab\w*\b[^.;]{0,60}\bnot be limited|without limit"):
        yield Value(NO_LIMIT)
        return
    capped = r"limited to|exceed|capped? at|liable for more than|maximum|not? (?:be )?(?:more|greater|higher) than"
    if not said.has(capped) or said.parties.who(said.text) == "ours":
        return
    shares = [number for number, _ in percents(said.plain)]
    if shares:
        yield _of_time(said, shares[-1])
    elif times := _times(said):
        yield Value(100.0 * times)
    elif said.has(r"\bhal(?:f|ves)\b|\bthirds?\b(?! part)|\bquarters\b|\bquarter of\b"):
        yield Value(why="which share of the fees it means cannot be read")
    elif said.has(r"fees|charges|amounts|sums"):
        yield _of_fees(said)
    else:
        yield Value(why="what it is limited to cannot be read")


def _times(said: Sentence) -> float | None:
    from fairlead.agreements.reading import pattern_of

    if said.has(r"\btwice\b"):
        return 2.0
    found = pattern_of(r"\b(\d+(?:\.\d+)?)\s*(?:times|x)\b").search(said.plain)
    return float(found[1]) if found else None


def _of_time(said: Sentence, share: float) -> Value:
    """A share of the fees of so many months, where it says how many, of a year's."""
    if said.has(r"(?:fees|charges|amounts|sums)\b[^.;]{0,60}\b(?:preceding|previous|prior|last|past)\b"):
        months = [each.months for each, _ in plain_durations(said) if each.unit in ("month", "year")]
        return Value(round(share * months[0] / 12, 1)) if len(months) == 1 else Value(share)
    return Value(share)


def _of_fees(said: Sentence) -> Value:
    months = [each.months for each, _ in plain_durations(said) if each.unit in ("month", "year")]
    if months:
        return Value(round(100 * months[0] / 12, 1))
    if said.has(r"(?:that|the|each|any|contract|calendar|preceding|previous) year|annual|per annum"):
        return Value(100.0)
    return Value(why="the fees of which time it means cannot be read")


def _initial_term(said: Sentence) -> Iterator[Value]:
    if said.about(f"{_STAFF}|{_SECRETS}|warrant|exclusiv|insur|invoice|price") or (
        said.type == "nda" and said.has("disclos")
    ):
        return
    from fairlead.agreements.reading import pattern_of

    head = pattern_of(
        r"(?:initial|first|minimum|fixed|basic)\s+(?:\w+\s+)?(?:term|period|duration)\b[^.;\d]{0,40}$"
        r"|(?:agreement|contract|subscription|licen[cs]e)\b[^.;]{0,80}"
        r"\b(?:runs?|continues?|lasts?|remains?|valid|is concluded)\b"
        r"[^.;\d]{0,60}\bfor\b[^.;\d]{0,30}$|continues? for\D{0,30}$|term of (?:this|the) \w+ is\D{0,20}$"
    )
    for each, notice in plain_durations(said):
        if not notice and head.search(said.plain[: each.start]):
            yield Value(round(each.months, 2))
            return


_RENEWS: Final = r"renew|prolong|extend|tacit|successive|followed by|month to month|further (?:term|period)"


def _renewal_term(said: Sentence) -> Iterator[Value]:
    if not said.has(_RENEWS) or said.has(r"price|rates? |insur") or said.headed(r"confiden|warrant"):
        return
    if said.has(
        r"(?:does|do|is|are|shall|will) (?:not|never)\b[^.;]{0,30}(?:renew|extend|prolong)"
        r"|no (?:automatic )?renewal|unless both"
    ):
        yield Value(0.0)
        return
    if said.has(r"month[- ]to[- ]month"):
        yield Value(1.0)
        return
    if not said.has(r"automatic|tacit|successive|followed by|thereafter|further|prolonged|at a time|unless"):
        return
    lengths = [each for each, notice in plain_durations(said) if not notice]
    if lengths:
        yield Value(round(lengths[0].months, 2))
    else:
        yield Value(why="for how long it goes on by itself cannot be read")


def _renewal_notice(said: Sentence) -> Iterator[Value]:
    if said.has(_RENEWS) and not said.has(r"price|rates? ") and said.has(r"unless|notice|cancel"):
        for each, notice in plain_durations(said):
            if notice:
                yield Value(each.days)
                return


def _convenience_notice(said: Sentence) -> Iterator[Value]:
    if not said.has(_OVER) or said.has(_RENEWS) or said.parties.who(said.text) not in ("both", "ours", ""):
        return
    if not said.has(r"convenience|without cause|any reason|any time|without (?:giving|stating|naming)|no reasons?\b"):
        return
    lengths = [each for each, _ in plain_durations(said)]
    if lengths:
        yield Value(lengths[0].days)
    else:
        yield Value(why="with how much notice cannot be read")


def _confidentiality(said: Sentence) -> Iterator[Value]:
    duty = said.about(_SECRETS) or (
        said.type == "nda" and said.has(r"obligations|duties") and said.headed(r"term|duration")
    )
    if not duty or said.about(f"{_STAFF}|personal data|warrant"):
        return
    if said.has(r"as long as|indefinite|perpetual|without limit in time|for ever"):
        yield Value(NO_LIMIT)
        return
    found = [each for each, _ in plain_durations(said) if each.unit in ("month", "year")]
    if found:
        yield Value(round(found[-1].months / 12, 2))


def _breach_notice(said: Sentence) -> Iterator[Value]:
    if not said.has(r"breach|incident|loss of|unauthori[sz]ed") or not said.about(
        r"personal data|data|security|privacy"
    ):
        return
    if not said.has(r"notif|notice|inform|report|\btell\b") or said.has(r"sub-?processor"):
        return
    found = [each.hours for each, _ in plain_durations(said) if each.unit in ("hour", "day", "week")]
    yield Value(min(found)) if found else Value(why="within how many hours is not said")


def _availability(said: Sentence) -> Iterator[Value]:
    if said.about(r"availab|uptime"):
        for number, _ in percents(said.plain):
            if number >= 80:
                yield Value(number)
                return


def _audit_notice(said: Sentence) -> Iterator[Value]:
    if said.about(r"\baudit|inspect") and said.has(r"records|books|premises|systems|accounts|inspect"):
        for each, _ in plain_durations(said):
            if each.unit in ("day", "week", "month"):
                yield Value(each.days)
                return


def _non_solicit(said: Sentence) -> Iterator[Value]:
    if said.has(_STAFF) and said.binds_us():
        found = [each.months for each, _ in plain_durations(said)]
        yield Value(round(max(found), 2)) if found else Value(why="for how long is not said")


def _price_increase(said: Sentence) -> Iterator[Value]:
    rises = r"increas|raise|go up|adjust|vary|varied|chang|uplift|indexed"
    if not said.has(rises) or not said.about(r"price|fees?\b|rates?\b|charges?\b") or said.has(r"interest|liab|insur"):
        return
    found = [number for number, _ in percents(said.plain)]
    index = said.has(r"index|\bcpi\b|inflation|consumer price")
    if found and not (index and said.has(r"greater|higher|in addition|\bplus\b")):
        yield Value(found[0])
    elif index:
        yield Value(why="it follows an index")
    elif said.has(r"\b(?:may|can|is (?:entitled|allowed)|reserves)\b"):
        yield Value(NO_LIMIT)


def _warranty(said: Sentence) -> Iterator[Value]:
    if said.has(r"warrant|guarantee") and said.has(r"defect|goods|material|workmanship|product|conform"):
        for each, _ in plain_durations(said):
            yield Value(round(each.months, 2))
            return


def _insurance(said: Sentence) -> Iterator[Value]:
    if said.about(r"insur") and said.binds_them():
        for amount, _ in amounts(said.text):
            yield Value(amount)
            return


MEASURES: Final[Mapping[str, Read]] = {
    "payment_days": _payment_days,
    "late_interest": _late_interest,
    "liability_cap": _liability_cap,
    "initial_term": _initial_term,
    "renewal_term": _renewal_term,
    "renewal_notice": _renewal_notice,
    "convenience_notice": _convenience_notice,
    "confidentiality": _confidentiality,
    "breach_notice": _breach_notice,
    "availability": _availability,
    "audit_notice": _audit_notice,
    "non_solicit": _non_solicit,
    "price_increase": _price_increase,
    "warranty": _warranty,
    "insurance": _insurance,
    **WORDED,
}
"""The rules by what they read: days, months, years (`confidentiality`), hours (`breach_notice`), percent of a year's
fees (`liability_cap`), percent, money (`insurance`), or words."""
