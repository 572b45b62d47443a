"""Whether a sentence bears out what somebody else, a model mostly, says that it says: in the measure's own unit."""

from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.quantities import amounts, digits, durations, percents
from fairlead.agreements.reading import pattern_of
from fairlead.agreements.worded import country_of

_UNITS: Final[Mapping[str, str]] = {
    "payment_days": "days", "renewal_notice": "days", "convenience_notice": "days", "audit_notice": "days",
    "initial_term": "months", "renewal_term": "months", "non_solicit": "months", "warranty": "months",
    "confidentiality": "years", "breach_notice": "hours", "insurance": "money", "late_interest": "percent",
    "liability_cap": "percent", "availability": "percent", "price_increase": "percent",
}  # fmt: skip
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "indemnity": frozenset({"supplier", "mutual", "customer"}),
    "ip_owner": frozenset({"customer", "licence", "joint", "supplier"}),
    "subprocessors": frozenset({"consent", "notice", "free"}),
    "assignment": frozenset({"consent", "affiliates", "free"}),
    "publicity": frozenset({"consent", "free"}),
    "exclusivity": frozenset({"exclusive"}),
}
_NEEDED: Final[Mapping[str, str]] = {
    "consent": r"consent|approv|permission|authori[sz]|\bagree[sd]?\b",
    "notice": r"notice|notif|inform|tell|told|object",
    "affiliates": r"affiliat|group|subsidiar|parent",
    "mutual": r"\b(?:each|both|either|mutual|neither)",
    "joint": r"joint|together|common|both",
    "licence": r"licen[cs]",
}


def bears_out(measure: str, number: float | None, word: str, quote: str) -> bool:
    """Whether the quote holds the number in the unit of the measure (`two years` bears out 24 months, and not 2), or
    the word is one that the measure has; whose law it is has to stand there by name."""
    if measure in _UNITS:
        return number is not None and any(abs(each - number) < 0.01 for each in _numbers(measure, digits(quote)))
    if number is not None:
        return False
    if measure == "governing_law":
        return bool(word) and any(country_of(each) == country_of(word) for each in _names(quote))
    return word in _WORDS.get(measure, ()) and _speaks_of(word, quote)


def _speaks_of(word: str, quote: str) -> bool:
    """Whether a quote has what a word that is good for us cannot do without: consent that nobody speaks of is none."""
    needed = _NEEDED.get(word)
    return needed is None or pattern_of(needed).search(quote) is not None


def _numbers(measure: str, plain: str) -> Iterator[float]:
    unit = _UNITS[measure]
    if unit == "money":
        yield from (amount for amount, _ in amounts(plain))
    elif unit == "percent":
        for number, _ in percents(plain):
            yield from (number * each for each in ((1, 12, 52, 365) if measure == "late_interest" else (1,)))
    for each in durations(plain):
        if unit in ("days", "months", "hours"):
            yield getattr(each, unit)
        elif unit == "years":
            yield each.months / 12
        elif measure == "liability_cap":
            yield round(100 * each.months / 12, 1)


def _names(quote: str) -> Iterator[str]:
    """Runs of up to four words of the quote: names of countries are among them."""
    words = [each.strip(".,;:()\"'") for each in quote.split()]
    for start in range(len(words)):
        for length in range(1, 5):
            yield " ".join(words[start : start + length])
