"""What takes back a part of what a sentence says: exceptions, conditions, a price to be paid for it.

A rule reads the number or the word of a sentence. Whether that is all that the sentence says is asked here: each
exception has to be one that is known to take nothing from us, else somebody has to read it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.clauses import LONGEST_SENTENCE
from fairlead.agreements.quantities import digits, durations
from fairlead.agreements.reading import pattern_of

_MARK: Final = (
    r"\b(?:except(?:ing|ed)?|save|other than|apart from|with the exception of|excluding|exclusive of|not counting"
    r"|unless|provided(?:,? (?:that|however)|,)|but(?! (?:not limited|unpaid))|however|in which case"
    r"|deemed (?:given|granted|approved|accepted|to have|to be (?:given|granted|approved|accepted))"
    r"|(?<=and )otherwise|(?<=[,;:] )otherwise|failing which)\b"
)
_PART: Final = re.compile(rf"(?:{_MARK})(?P<rest>(?:(?!{_MARK})[^;.]|\.(?=\d)|(?<=\d)\.)*)", re.IGNORECASE)
_ANYWHERE: Final = (
    r"^\W*(?:as )?(?:(?:may be )?otherwise )?(?:agreed|stated|provided|specified|set|expressly|permitted|required)\b"
    r"|^\W*(?:a|another) (?:different|other) |\bagree[sd]?\b|\b(?:by|under) (?:\w+ )?law\b"
    r"|mandatory|\bno(?:t| event)? (?:less|more|later|earlier|fewer)\b|unreasonabl|in writing\W*$|the foregoing"
    r"|(?:earlier|sooner) (?:terminat|end|cancel)|(?:terminat|end|cancel)\w* (?:earlier|sooner)"
    r"|^\W*(?:that|shall|it|is|be|may|and|or|to)?\W*$"
)
"""Exceptions that are in every contract, and take nothing away."""
_STOPPED: Final = (
    r"noti(?:ce|f)|terminat|cancel|object|\bopt|stop|\bend(?:s|ed)?\b|consent|written|either|neither|\bsigns?\b"
    r"|renewed|increase"
)
_DISCOUNT: Final = r"^(?!.*(?:\bat once|immediate|in advance|\bwithout\b|\bno\b)).*(?:deduct|discount|rebate)"
"""One that we are granted, for paying early."""
_FREE: Final[Mapping[str, str]] = {
    "payment_days": rf"disput|quer(?:y|ies)|correct|valid|proper|accept|{_DISCOUNT}",
    "late_interest": r"disput|good faith",
    "liability_cap": r"^(?!.*(?:exceed|limited (?:to|in)|reduc|exhaust|credit|\bfees|charges|\d|%|no liability"
    r"|not be liable))",
    "initial_term": r"terminat|renew|extend",
    "renewal_term": _STOPPED,
    "renewal_notice": _STOPPED,
    "price_increase": r"\bnot?\b[^;]{0,60}(?:exceed|more|above|increase|greater)|notice|notif",
    "confidentiality": r"^\W*(?:as|to)\b|^(?!.*\bonly (?:until|for|during)\b).*(?:representat|employee|advis|public"
    r"|\blaw|court|known|independent|terminat|expir|disclos|\bend)",
    "publicity": r"consent|approv|permission|law|regulat|authori[sz]|allow",
    "assignment": r"^[^,]{0,60}\b(?:consent|approv|permission)|\blaw\b",
    "subprocessors": r"^[^,]{0,60}\b(?:consent|approv|permission|authori)|notice|inform|notif|\blaw\b",
    "availability": r"maintenance|downtime|upgrad|force majeure|control|scheduled|emergenc|customer|notice",
    "audit_notice": r"notice",
    "indemnity": r"liab",
    "governing_law": r"^(?!.*(?:govern|constru|laws? of|\blaw\b))|conflict|choice of law|\brules|principles|convention",
    "ip_owner": r"\bgrants? (?:the )?(?:client|customer|buyer|company|us)\b|perpetual|background|pre-?existing"
    r"|made for hire",
}
"""By measure: exceptions that take nothing from us. Of availability each thing that does not count has to be one."""
ON_US: Final = frozenset({"non_solicit", "late_interest"})
"""What binds us: an exception is one for us."""
_EACH: Final = pattern_of(r",|\band\b|\bor\b")
_AFFILIATES: Final = r"affiliate|group|subsidiar|holding|consent"
_MONTH: Final = "january|february|march|april|may|june|july|august|september|october|november|december"
_ONE_YEAR: Final = r"\b(?:any|a|per|each|every|one|1|12)[- ](?:\w+ )?(?:year|months)\b|annual|anniversar|annum"
_LOCKED: Final = 12  # months in which it cannot be ended; a year is what a first term mostly has
_MEASURED: Final = 3  # months over which a share may be reckoned, so that a bad day is still seen
_TAKES: Final = (
    r"\b(?:lapses?|forfeit\w*|exempt\w*(?! by law)|no longer|suspend\w*|revo(?:ke[sd]?|cation)|doubles?|doubled"
    r"|tripled?s?|repa(?:y|id)\w*|not covered|(?:is|are) excluded|in addition(?! to|,)|borne by|without restriction"
    r"|bears?(?! (?:simple |compound )?interest)|freely|reserves? the right|(?:counts?|treated) as|as amended by"
    r"|once during the (?:whole )?(?:term|agreement)|(?<!out )of (?:which|whom)"
    r"|may (?:reduce|cancel|alter|withdraw|suspend|reuse|resell|sell)|requires? n(?:o|one))\b"
)
"""Words that take away, of whatever is spoken of: in the sentence that was read, or behind it."""
_MEANT: Final[Mapping[str, str]] = {
    "convenience_notice": r"may cancel|no longer|may withdraw",
    "liability_cap": r"double|bear",
    "initial_term": r"of which",
    "availability": r"of which",
    "governing_law": r"excluded",
    "confidentiality": r"no longer|of which",
}
"""By measure: those of them that say what is read, or something else."""
_TAKES_BACK: Final[Mapping[str, tuple[str, str]]] = {
    "convenience_notice": (
        r"^(?!.*(?:(?:performed|rendered|provided|done|delivered|accepted)\b|accrued|up to))"
        r".*(?:\bpay(?:s|ment|ing)?\b|\bpaid\b)"
        r"|break (?:fee|charge|cost)|(?:termination|exit|cancellation) (?:fee|charge)"
        r"|compensat|reimburs|\bexpir\w+ (?:on|at|with)\b[^.;]{0,30}\byear",
        "ending it seems to cost something, or to be possible on some days only",
    ),
    "liability_cap": (
        r"\b(?:whole|entire|full) (?:life|term|duration|period)\b"
        r"|\blife(?:time)? of (?:the|this) (?:agreement|contract)",
        "it counts for all years together",
    ),
    "price_increase": (
        r"\b(?:per|each|every|a|any) (?:calendar )?(?:quarter|month|week|half)|quarterly|monthly|semi-?annual"
        r"|half-?year|twice (?:a|each|per|every|in)"
        r"|every (?:[2-9]|second|third|fourth|sixth|other) (?:months?|quarters?)"
        rf"|^(?!.*(?:{_ONE_YEAR})).*(?:at any|from) time"
        rf"|\b(?:{_MONTH})\b[^.;]{{0,20}}\band\b[^.;]{{0,20}}\b(?:{_MONTH})\b",
        "prices may rise more than once a year",
    ),
    "warranty": (
        r"shorter|\bless(?:er)? of|earlier of|whichever|hours of|kilomet|\bmiles|\bcycles",
        "it ends by whichever of several comes first",
    ),
    "breach_notice": (
        r"confirm|investigat|forensic|conclusion",
        "the time does not begin when they know of it",
    ),
    "insurance": (
        r"(?:excess|deductible|retention)\b[^.;]{0,60}\b(?:client|customer|buyer|company|you)\b",
        "a part of it is borne by us",
    ),
    "ip_owner": (
        r"\b(?:does|do|shall|will) not (?:pass|vest|belong|transfer|extend)\b|\bnone of\b",
        "of something it says that it does not pass",
    ),
    "audit_notice": (r"\b(?:consent|approv|permission)", "it needs the consent of the other side"),
}
"""By measure: words by which what is read is not all of it, and what that means."""


def shortfall(measure: str, word: str, text: str) -> str:
    """Why what is read of a sentence (`word`, where it is one) may not be all that it says; "" where nothing speaks for
    that."""
    if len(text) >= LONGEST_SENTENCE // 2:
        return "the sentence is too long for any rule"
    takes = _TAKES_BACK.get(measure)
    if takes is not None and pattern_of(takes[0]).search(digits(text)):
        return takes[1]
    if measure == "convenience_notice" and any(each.months > _LOCKED for each in durations(digits(text))):
        return "it seems to be possible only after a long time"
    if measure == "availability" and any(each.months > _MEASURED for each in durations(digits(text))):
        return "it is measured over a long time"
    taking = takes_away(measure, word, text)
    if taking:
        return f"it says {taking!r}, and what that takes away no rule knows"
    part = next(exceptions(measure, word, text), "")
    return f"it has an exception: {part if len(part) <= 80 else f'{part[:77].rstrip()}...'}" if part else ""


def takes_away(measure: str, word: str, text: str) -> str:
    """The words of a sentence that take something away, whatever it is; "" for none."""
    if word == "free":
        return ""
    meant = _MEANT.get(measure)
    said = (found[0] for found in pattern_of(_TAKES).finditer(text))
    return next((each for each in said if meant is None or not pattern_of(meant).search(each)), "")


def exceptions(measure: str, word: str, text: str) -> Iterator[str]:
    """The exceptions of a sentence that may take something from us."""
    if measure in ON_US:
        return
    for found in _PART.finditer(text):
        part = found[0]
        if not text[: found.start()].strip():  # what it is an exception from comes behind the comma
            part = part.partition(",")[0]
        rest = part[found.start("rest") - found.start() :]
        if _is_the_full_time(measure, part, text[: found.start()]) or pattern_of(_ANYWHERE).search(rest):
            continue
        if not is_free(measure, word, rest):
            yield part.strip()


def _is_the_full_time(measure: str, part: str, before: str) -> bool:
    """Whether it is when we pay without the discount that was spoken of `before`: that is the time that is read."""
    return (
        measure == "payment_days"
        and pattern_of(r"^\W*(?:otherwise|failing which)\b").search(part) is not None
        and pattern_of(_DISCOUNT).search(before) is not None
    )


def is_free(measure: str, word: str, rest: str) -> bool:
    """Whether an exception, or the `rest` of one, is known to take nothing from us."""
    free = _AFFILIATES if word == "affiliates" else _FREE.get(measure)
    if free is None:
        return False
    items = _EACH.split(rest) if measure == "availability" or word == "affiliates" else [rest]
    return all(pattern_of(free).search(each) for each in items if each.strip())
