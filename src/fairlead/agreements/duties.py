"""Measures of what the other side does for us: telling of breaches, being there, showing its books."""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Final

from fairlead.agreements.quantities import Duration
from fairlead.agreements.reading import Read, Sentence, Value, lengths, shares, the_only

_LATER: Final = r"\bfull\b|detail|answer|question|further|final|complete|root cause"


def _breach_notice(said: Sentence) -> Iterator[Value]:
    if not said.has(r"breach|incident|loss of|unauthori[sz]ed|\bleak") or not said.about(
        r"personal data|data|security|privacy"
    ):
        return
    if not said.has(r"notif|notice|inform|report|\btells?\b|\btold\b|\bhears?\b|\balert") or said.has(
        r"sub-?processor"
    ):
        return
    found = lengths(said, "hour day week", aside=_LATER)
    if found:
        yield from the_only((_over_a_weekend(each) for each in found), "hours")
    else:
        yield Value(why="within how many hours is not said")


def _over_a_weekend(length: Duration) -> float:
    """The hours of it at most: of working days those of the weekends between them as well."""
    return 24 * (length.number + 2 * ceil(length.number / 5)) if length.working else length.hours


def _availability(said: Sentence) -> Iterator[Value]:
    if said.has(r"\b(?:if|where|should|when|whenever)\b[^.;]{0,60}\b(?:below|less than|under)\b"):
        return  # what a failure costs
    if said.about(r"availab|uptime") or (said.headed(r"service level") and said.has(r"\b(?:up|reachable)\b")):
        yield from the_only((number for number in shares(said) if number >= 80), "percent")


def _audit_notice(said: Sentence) -> Iterator[Value]:
    looks = said.about(r"\baudit|inspect") or (
        said.has(r"\brecords\b") and said.has(r"\b(?:look|examine|access|see)\b")
    )
    if looks and said.has(
        r"records|books|premises|systems|accounts|inspect|auditors?\b|compliance|\bmay audit|notice of (?:any "
        r"|an |such )?audit"
    ):
        units = "hour day week fortnight month"
        found = lengths(said, units, aside="", notice=True) or lengths(
            said, units, aside=r"every|\blast\b|\bpast\b|previous|\bkeeps?\b|\bkept\b|retain|\btakes?\b"
        )
        yield from the_only((each.days for each in found), "days")


DUTIES: Final[Mapping[str, Read]] = {
    "breach_notice": _breach_notice,
    "availability": _availability,
    "audit_notice": _audit_notice,
}
