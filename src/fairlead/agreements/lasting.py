"""Measures of how long something binds: the term, its renewal and its end, secrets, and people of the other side."""

from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.reading import NO_LIMIT, Read, Sentence, Value, lengths, pattern_of, plain_durations, the_only

STAFF: Final = (
    r"solicit|recruit|(?<!for )\bhires?\b|hiring|entice|poach|persuade|induce\b|\b(?:not"
    r"|neither)\b[^.;]{0,80}\bemploy\b"
)
SECRETS: Final = r"confiden|secre|non-?disclosure|in confidence"
_OVER: Final = r"terminat|cancel|\bended by\b|\bend (?:this|the)\b|\bexit\b"
_LONG: Final = "week fortnight month quarter year decade"
_RENEWS: Final = (
    r"renew|prolong|extend|tacit|successive|followed by|month to month|further (?:term|period)"
    r"|continues? for (?:another|a further|an additional)|goes on for (?:another|a further)"
    r"|(?:from )?\byear[- ]to[- ]year|roll(?:s|ed)?[- ]?over|evergreen"
)
_HEAD: Final = (
    r"(?:initial|first|minimum|fixed|basic)\s+(?:\w+\s+)?(?:term|period|duration|commitment)\b[^.;\d]{0,40}$"
    r"|\b(?:initial|minimum|fixed)\s+$|\b(?:entered into|concluded|made|binding)\b[^.;\d]{0,20}\bfor\b[^.;\d]{0,30}$"
    r"|(?:agreement|contract|subscription|licen[cs]e)\b[^.;]{0,200}"
    r"\b(?:runs?|continues?|lasts?|remains?|valid|is concluded)\b"
    r"[^.;\d]{0,60}\bfor\b[^.;\d]{0,30}$|continues? for\D{0,30}$|term of (?:this|the) \w+ is\D{0,20}$"
)
_UNTIL: Final = r"\b(?:ends?|expires?|until|runs? (?:out|to)|through)\b[^.;]{0,40}\b(?:(?:19|20)\d\d|anniversary)\b"


_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ANNIVERSARY: Final = (
    r"\b(?:continue|remain|last|run|expire|end|terminate)s?\b[^;]*\b(?:until|on|to) the "
    rf"(?P<which>{'|'.join(_ORDINALS)})(?: \(\d+\w*\))? anniversary\b(?! or)"
)


_AGAIN: Final = r"renew|extend|prolong|further|additional|successive"
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NAMES: Final = "|".join(_MONTHS)
_DATE: Final = (
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?P<month>{_NAMES})|(?P<name>{_NAMES}) (?P<number>\d{{1,2}}))"
    r",? (?P<year>(?:19|20)\d\d)"
)


def _between(text: str) -> float | None:
    """The months between the two dates of a sentence that begins and ends something; the last day counts."""
    if not pattern_of(r"\b(?:expire|end|until|through|terminate)").search(text):
        return None
    days = [
        (int(each["year"]), _MONTHS.index((each["month"] or each["name"]).lower()), int(each["day"] or each["number"]))
        for each in pattern_of(_DATE).finditer(text)
    ]
    if len(days) != 2:
        return None
    first, last = days
    months = 12 * (last[0] - first[0]) + last[1] - first[1] + (last[2] + 1 - first[2]) / 30
    return float(round(months)) if months > 0 else None


def _initial_term(said: Sentence) -> Iterator[Value]:
    if (
        said.about(f"{STAFF}|{SECRETS}|warrant|exclusiv|insur|invoice|price")
        or (said.headed(r"renew|prolong") and not said.about(r"initial|\bterm\b|minimum|signature"))
        or (said.type == "nda" and said.has(r"disclos|obligations? (?:of|under|imposed)"))
        or said.under("force majeure")
        or said.has(r"\b(?:delay|event|failure|suspension|default)\b[^.;]{0,40}\bcontinues\b")
    ):
        return
    if said.headed(r"\bterm\b|duration|commence|period") and said.has(
        r"\bindefinite|no fixed (?:term|period|duration)"
    ):
        yield Value(0.0)
        return
    head = pattern_of(_HEAD)
    plain = [
        each for each, notice in plain_durations(said)
        if not notice and not pattern_of(_AGAIN).search(said.plain[max(0, each.start - 40) : each.start])
    ]  # fmt: skip
    if any(head.search(said.plain[: each.start]) for each in plain):
        found = [each for each in plain if not _beside(said.plain[max(0, each.start - 30) : each.start])]
        if said.has(_RENEWS):  # the first is the term, what follows is the renewal
            found = [each for each in found if head.search(said.plain[: each.start])][:1] or found
        yield from the_only((each.months for each in found), "months")
    elif (ordinal := pattern_of(_ANNIVERSARY).search(said.text)) is not None:
        yield Value(12.0 * (_ORDINALS.index(ordinal["which"].lower()) + 1))
    elif (months := _between(said.text)) is not None and said.headed(r"\bterm\b|duration|commence|period"):
        yield Value(months)
    elif said.has(_UNTIL) and said.headed(r"\bterm\b|duration|commence|period"):
        yield Value(why="it names the day on which it ends, and not how long it lasts")


def _beside(before: str) -> bool:
    """Whether a length is a trial or a part of the term, and not the term."""
    return pattern_of(r"trial|of which|(?:in|within|during|after) the (?:first|last)\s*$").search(before) is not None


def _renewal_term(said: Sentence) -> Iterator[Value]:
    if not said.has(_RENEWS) or said.has(r"price|rates? |insur") or said.headed(r"confiden|warrant"):
        return
    if said.has(_ENDS) or _is_option(said):
        yield Value(0.0)
        return
    if said.has(r"month[- ]to[- ]month"):
        yield Value(1.0)
        return
    if not said.has(
        r"automatic|tacit|successive|followed by|thereafter|further|another|prolonged|at a time|each (?:time|case)"
        r"|unless|year[- ]to[- ]year|successive|consecutive|\buntil\b"
    ):
        return
    if said.has(r"\byear[- ]to[- ]year|\bfor (?:consecutive|successive) years|from year"):
        yield Value(12.0)
        return
    found = lengths(said, f"day {_LONG}", aside="", notice=False)
    renewed = [each for each in found if not _first_term(said.plain[: each.start])]
    if renewed:
        yield from the_only((each.months for each in renewed), "months")
    else:
        yield Value(why="for how long it goes on by itself cannot be read")


_ENDS: Final = (
    r"(?:does|do|is|are|shall|will) (?:not|never) (?:(?:be|automatically|tacitly|otherwise) )*(?:renew|extend|prolong)"
    r"|no (?:automatic )?renewal|unless both|(?:renew|extend|prolong)\w*\b[^.;]{0,40}\bonly (?:if|where|by|with)\b"
)


def _is_option(said: Sentence) -> bool:
    """Whether our side may go on if it wants to, and nothing goes on by itself."""
    found = pattern_of(r"\b(?:may|option|elect|entitled|right)\b[^.;]{0,60}\b(?:renew|extend|prolong)").search(
        said.text
    )
    return (
        found is not None
        and said.parties.who(said.text[: found.start()]) == "ours"
        and not said.has(r"automatic|tacit|unless|deemed|shall (?:be )?(?:renew|extend|prolong)")
    )


def _first_term(before: str) -> bool:
    """Whether a length is that of the term before the renewal."""
    near = before[-45:]
    return pattern_of(r"\b(?:initial|first|minimum|fixed|basic)\b[^.;\d]{0,30}$").search(near) is not None


def _renewal_notice(said: Sentence) -> Iterator[Value]:
    if (
        said.has(_RENEWS)
        and not said.has(r"price|rates? ")
        and not _is_option(said)
        and said.has(r"unless|notice|cancel|says no|\bif (?:nobody|neither|no )")
    ):
        found = lengths(said, f"day {_LONG}", aside="", notice=True)
        yield from the_only((each.days for each in found), "days")


def _convenience_notice(said: Sentence) -> Iterator[Value]:
    if (
        not said.has(_OVER)
        or said.has(
            f"{_RENEWS}|{STAFF}|surviv|(?:notwithstanding|upon|after|following) (?:the |any )?terminat|insolven"
        )
        or said.parties.who(said.text) not in ("both", "ours", "")
    ):
        return
    if said.has(_BOUND):
        yield Value(NO_LIMIT)
        return
    causes = pattern_of(r"without (?:affecting|prejudice to|limiting)[^,;]*,").sub("", said.text)
    free = said.has(r"convenience|without cause|any reason|any time|without (?:giving|stating|naming)|no reasons?\b")
    if not free and (not said.has(_GIVEN) or pattern_of(_CAUSE).search(causes)):
        return
    found = lengths(said, f"hour day {_LONG}", aside="", notice=True) or lengths(said, f"hour day {_LONG}", aside="")
    if found:
        yield from the_only((each.days for each in found), "days")
    elif said.has(_ENDED):
        yield Value(why="with how much notice cannot be read")


_GIVEN: Final = (  # for no cause that is named, and so for any
    r"\b(?:may|can|entitled to|right to|until|be)\b[^.;]{0,40}\b(?:terminat|cancel|end)(?:ed|e)?\b[^.;]{0,120}\bnotice"
)
_CAUSE: Final = (
    r"breach|default|insolv|bankrupt|fail|cure|remed|material|force majeure|\bif\b|\bwhere\b|\bwhen\b|\bevent\b"
    r"|immediate|forthwith"
    r"|for cause|exceed|price|increase|change of control|affected|unpaid|overdue|object"
)
_BOUND: Final = (
    r"(?:(?:shall|may|can|will|must) not|not be (?:entitled|allowed|permitted) to|no right to"
    r"|neither\b[^.;]{0,30}\bmay)"
    r" (?:terminate|cancel|end)\b[^.;]{0,60}(?:convenience|without cause|any reason|any time)"
)
_ENDED: Final = (
    r"(?:terminat\w*|cancel\w*|end)\b[^.;]{0,60}"
    r"\b(?:agreement|contract|order|engagement|appointment|services?|subscription|statement|it|term|convenience)\b"
)


def _confidentiality(said: Sentence) -> Iterator[Value]:
    duty = (
        said.about(SECRETS)
        or (said.under(SECRETS) and said.has(r"obligations?|dut(?:y|ies)|undertaking"))
        or (
            said.type == "nda"
            and said.has(r"obligations|duties")
            and (said.headed(r"term|duration") or said.has(r"obligations (?:of|under)"))
        )
    )
    if (
        not duty
        or said.about(f"{STAFF}|personal data|warrant")
        or said.has(r"\bliability\b[^.;]{0,60}(?:exceed|limited to)")
    ):
        return
    found = lengths(said, "month year decade", aside=r"return|destroy|delet|hand(?:s|ed)? back|written down|in writing")
    if said.has(r"as long as|indefinite|perpetual|perpetuity|without limit in time|for ?ever\b"):
        yield Value(why="it names a time, and none for a part") if found else Value(NO_LIMIT)
        return
    yield from the_only((each.months / 12 for each in found), "years")


def _non_solicit(said: Sentence) -> Iterator[Value]:
    if said.has(
        r"(?:nothing|not|neither)\b[^.;]{0,40}\b(?:restrict|prevent|prohibit|preclude)\w*[^.;]{0,60}(?:" + STAFF + ")"
    ):
        yield Value(0.0)
    elif said.has(STAFF) and said.binds_us():
        found = lengths(said, f"day {_LONG}", aside="")
        if found:
            yield from the_only((each.months for each in found), "months")
        else:
            yield Value(why="for how long is not said")


LASTING: Final[Mapping[str, Read]] = {
    "initial_term": _initial_term,
    "renewal_term": _renewal_term,
    "renewal_notice": _renewal_notice,
    "convenience_notice": _convenience_notice,
    "confidentiality": _confidentiality,
    "non_solicit": _non_solicit,
}
