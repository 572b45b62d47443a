"""Clauses that speak of what preferred terms speak of, whether or not a rule can read what they say of it."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from fairlead.agreements.clauses import LONGEST_SENTENCE, Clause, is_special, sentences, unbroken
from fairlead.agreements.readers import Said
from fairlead.agreements.reading import pattern_of

_NUMBER: Final = r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|twice|double|\w+teen|\w+th)\b"
_MAY: Final = r"\b(?:may|can|shall|must|will|is|are|does|do|free|grants?|entitled)\b|n't\b"
_SUBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "payment_days": (
        r"invoic\w*.{0,80}\b(?:due|payable|paid|presentation)|\b(?:due|payable|paid|pays?|payment)\b.{0,80}\b(?:invoice|bill)",
        r"\bdays?\b|\bmonth|\bweek|presentation|receipt|advance|\w+th day",
    ),
    "late_interest": (r"\binterest\b|late charge|default charge", _NUMBER),
    "liability_cap": (r"liab\w*|\bdamages?\b", r"limit|\bcap|up to|at most|the most|maximum|restrict|exceed|greater"),
    "initial_term": (
        r"agreement|contract|\bterm\b|together|subscription",
        r"anniversar|indefinite|fixed (?:term|period)|\bfor (?:an? |the )?(?:\w+ ){0,2}(?:period|term|duration) of",
    ),
    "price_increase": (
        r"\b(?:prices?|price list|fees|charges|rates)\b",
        r"amend|revis|uplift|rais|increas|adjust|vary|\bfixed\b|unchanged|\bchange of|list prices?\b|then[- ]current",
    ),
    "renewal_term": (r"renew|tacit|year to year|roll(?:s|ed)?[- ]?over|successive|thereafter until", _MAY),
    "renewal_notice": (r"renew|year to year|roll(?:s|ed)?[- ]?over", r"notice|cancel|opt out|terminat"),
    "convenience_notice": (
        r"(?:terminat|cancel|\bend\b)\w*[^.;]{0,80}(?:convenience|without cause|any reason|no reason|any time|giving)"
        r"|(?:convenience|without cause|any reason|any time)[^.;]{0,80}(?:terminat|cancel|\bend\b)"
        r"|(?:terminat|cancel)\w*\b[^.;]{0,120}\bmonths?\b[^.;]{0,20}\bnotice",
        r"\b(?:may|can|shall|right|entitled)\b",
    ),
    "confidentiality": (
        r"confidential|secrecy|secret\b",
        r"(?:surviv|period of|remain|continu|thereafter|following|after|indefinit|perpetu).{0,80}|\bfor (?:\w+"
        r"|\d+)( \(\d+\))? (?:years|months)\b",
    ),
    "ip_owner": (r"work product|deliverables|foreground|work made for hire|works made", r"\b(?:own|title|belong"
    r"|vest|assign|property|rights)\w*"),
    "audit_notice": (r"\baudit\w*|inspect|\brecords of\b", r"notice|days|hours|weeks"),
    "insurance": (r"insur", r"\d"),
    "governing_law": (r"\blaws? of\b|\b[A-Z][a-z]+ law\b", r"govern|constru|interpret|subject to|appl(?:y|ies)"),
    "breach_notice": (r"breach|incident|\bleak", r"personal data|data\b.{0,60}(?:tell|report|notif|inform|alert|hear)"),
    "subprocessors": (r"sub-?processors?|(?:another|other|third[- ]party) processors?", _MAY),
    "availability": (r"availab|uptime|downtime|\b(?:up|down|reachable)\b", r"%|per ?cent"),
    "warranty": (r"warrant|guarantee|defects?\b|\bbreaks?\b", r"\b(?:year|month|week|day)s?\b"),
    "assignment": (r"\b(?:assign|transfer|novate|hand\w*)\b.{0,60}\b(?:agreement|contract|rights)", _MAY),
    "publicity": (r"\blogo\b|publicity|advertis|as a (?:customer|client)|list of (?:customers|clients)", _MAY),
    "exclusivity": (
        r"\bsolely\b|\bexclusiv\w*\b(?! jurisdiction| of\b| remed| propert| right)|(?:not|no).{0,40}anyone but"
        r"|all (?:of )?its requirements"
        r"|\b(?:nobody|no ?one|none|nowhere) (?:but|else|other)|\bentire (?:demand|requirement)",
        rf"{_MAY}|undertak|agrees|commit",
    ),
    "non_solicit": (r"employees|\bstaff\b|personnel", r"recruit|hire|solicit|entice|poach|offer\w* work"),
    "indemnity": (r"indemnif|harmless|third part\w+.{0,60}\bclaim|\bsues?\b", _MAY),
}  # fmt: skip
"""By measure: what a clause speaks of, and what it has to have beside that to say something of it."""


_CHANGES: Final = (
    r"\b(?:clause|section|article|paragraph|words?|sentence)\b.{0,120}\b(?:(?:is|are"
    r"|be) (?:hereby )?(?:deleted|replaced|amended|substituted))"
)
_VERSION: Final = (
    r"\b(?:german|french|spanish|italian|dutch|portuguese|polish|swedish)(?:[- ]language)? (?:version|text|wording"
    r"|original|language)\b[^.;]{0,80}\b(?:prevail|authoritative|binding|precedence|decisive|govern|control)"
)
_PERCENT: Final = r"\d\s*%|per ?cent"
_FIGURES: Final[Mapping[str, str]] = {
    "liability_cap": rf"{_PERCENT}|[£€$]\s?\d|\b(?:GBP|EUR|USD)\b|\b(?:months?|years?|times|twice)\b",
    "price_increase": _PERCENT,
    "late_interest": _PERCENT,
}
"""Of these a second clause may say something else, which is worse: by measure, how its numbers look."""


_HEADS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"\bpayments?\b(?! of interest)|invoic|billing", ("payment_days", "late_interest")),
    (r"\blate\b|overdue|arrears|\binterest\b", ("late_interest",)),
    (r"liab", ("liability_cap",)),
    (r"^\W*(?:the )?(?:initial |fixed )?term\b(?!s| and condition)|duration|commencement", ("initial_term",)),
    (r"renew|prolong", ("renewal_term", "renewal_notice")),
    (r"terminat|\bleaving\b|\bexit\b", ("convenience_notice",)),
    (
        r"^\W*prices?\W*$|price (?:change|adjust|increase|review)"
        r"|(?:change|adjust\w*|review) of (?:the )?(?:price|fee|charge)",
        ("price_increase",),
    ),
    (r"indemni", ("indemnity",)),
    (r"insur", ("insurance",)),
    (r"confiden|secrecy", ("confidentiality",)),
    (r"data protection|personal data|breach", ("breach_notice",)),
    (r"sub-?process", ("subprocessors",)),
    (r"ownership|intellectual", ("ip_owner",)),
    (r"assignment|transfer of", ("assignment",)),
    (r"publicity|references", ("publicity",)),
    (r"service levels?|availab|uptime", ("availability",)),
    (r"warrant|guarantee", ("warranty",)),
    (r"audit|\brecords\b|inspection", ("audit_notice",)),
    (r"\bstaff\b|solicit|personnel", ("non_solicit",)),
    (r"exclusiv", ("exclusivity",)),
    (r"governing law|applicable law|^\W*law\b", ("governing_law",)),
)  # fmt: skip
"""By the heading of a clause: what it is expected to say."""


class Unheard(Struct, frozen=True):
    """A clause that somebody has to read, from where in its text, and why."""

    clause: Clause
    at: int
    why: str


def unheard(clauses: Iterable[Clause], said: Iterable[Said]) -> list[Unheard]:
    """The clauses that somebody has to read: those that speak, by their heading or their words, of a measure of which
    nothing was read anywhere in the contract; those that name a figure beside what was read of its measure elsewhere;
    and those that change what another clause says."""
    told = list(said)
    read, quotes = {each.measure for each in told}, {each.quote for each in told}
    known = {each.place for each in told}
    found = (_unheard(each, read, quotes, has_said=each.place in known) for each in clauses if each.text)
    return [each for each in found if each is not None]


def _unheard(clause: Clause, read: set[str], quotes: set[str], *, has_said: bool) -> Unheard | None:
    parts = [(start - clause.start, unbroken(text)) for start, text in sentences(clause) if text not in quotes]
    for at, text in parts:
        if why := _reaching(text):
            return Unheard(clause, at, why)
    if not has_said and is_special(clause):
        return Unheard(clause, 0, "special terms mostly change what another clause says")
    by_words = {measure: at for at, text in reversed(parts) for measure in _SUBJECTS if _speaks(text, measure)}
    by_heading = set() if has_said else {
        measure for head, measures in _HEADS
        if not read & set(measures) and pattern_of(head).search(clause.heading) for measure in measures
    }  # fmt: skip
    silent = sorted({*by_heading, *(by_words.keys() - read)})
    if silent:
        at = min((by_words[each] for each in silent if each in by_words), default=0)
        return Unheard(clause, at, f"it seems to speak of {_named(silent)}, and no rule could read what it says")
    for at, text in parts:
        figures = sorted(each for each in by_words if _has_figure(text, each))
        if figures:
            why = f"it names a figure beside what another sentence says of {_named(figures)}"
            return Unheard(clause, at, why)
    return None


def _reaching(text: str) -> str:
    """Why a sentence has to be read by somebody, whatever it speaks of."""
    if len(text) >= LONGEST_SENTENCE // 2:
        return "a sentence of it is too long for any rule"
    if pattern_of(_CHANGES).search(text):
        return "it changes what another clause says"
    if pattern_of(_VERSION).search(text):
        return "what counts is a text in another language, and no rule read that"
    return ""


def _named(measures: Iterable[str]) -> str:
    return " or ".join(each.replace("_", " ") for each in measures)


def heads_of(heading: str) -> set[str]:
    """The measures that a clause of this heading is expected to speak of."""
    return {measure for head, measures in _HEADS if pattern_of(head).search(heading) for measure in measures}


def _speaks(text: str, measure: str) -> bool:
    return all(pattern_of(each).search(text) is not None for each in _SUBJECTS[measure])


def _has_figure(text: str, measure: str) -> bool:
    """Whether a sentence that speaks of the measure has a number in its unit, which may be another than was read."""
    pattern = _FIGURES.get(measure)
    return pattern is not None and pattern_of(pattern).search(text) is not None and _speaks(text, measure)
