"""Clauses that speak of what preferred terms speak of, whether or not a rule can read what they say of it."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fairlead.agreements.clauses import Clause
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
        r"anniversar|indefinite|fixed (?:term|period)",
    ),
    "price_increase": (
        r"\b(?:prices?|price list|fees|charges|rates)\b",
        r"amend|revis|uplift|rais|increas|adjust|vary|\bfixed\b",
    ),
    "breach_notice": (r"breach|incident|\bleak", r"personal data|data\b.{0,60}(?:tell|report|notif|inform|alert|hear)"),
    "subprocessors": (r"sub-?processors?|(?:an)?other processors?", _MAY),
    "availability": (r"availab|uptime|downtime|\b(?:up|down|reachable)\b", r"%|per ?cent"),
    "warranty": (r"warrant|guarantee|defects?\b|\bbreaks?\b", r"\b(?:year|month|week|day)s?\b"),
    "assignment": (r"\b(?:assign|transfer|novate|hand\w*)\b.{0,60}\b(?:agreement|contract|rights)", _MAY),
    "publicity": (r"\blogo\b|publicity|advertis|as a (?:customer|client)|list of (?:customers|clients)", _MAY),
    "exclusivity": (
        r"\bsolely\b|\bexclusiv\w*\b(?! jurisdiction)|(?:not|no).{0,40}anyone but|all (?:of )?its requirements",
        _MAY,
    ),
    "non_solicit": (r"employees|\bstaff\b|personnel", r"recruit|hire|solicit|entice|poach|offer\w* work"),
    "indemnity": (r"indemnif|harmless|third part\w+.{0,60}\bclaim|\bsues?\b", _MAY),
}  # fmt: skip
"""By measure: what a clause speaks of, and what it has to have beside that to say something of it."""


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
    (r"audit", ("audit_notice",)),
    (r"\bstaff\b|solicit|personnel", ("non_solicit",)),
    (r"exclusiv", ("exclusivity",)),
    (r"governing law|applicable law|^\W*law\b", ("governing_law",)),
)  # fmt: skip
"""By the heading of a clause: what it is expected to say."""


def unheard(clauses: Iterable[Clause], said: Iterable[Said]) -> list[Clause]:
    """The clauses of which nothing was read and that speak, by their heading or their words, of a measure of which
    nothing was read anywhere in the contract."""
    told = list(said)
    read, known = {each.measure for each in told}, {each.place for each in told}
    open_ = [patterns for measure, patterns in _SUBJECTS.items() if measure not in read]
    heads = [head for head, measures in _HEADS if not read & set(measures)]
    return [
        each
        for each in clauses
        if each.place not in known
        and (
            any(pattern_of(head).search(each.heading) for head in heads)
            or any(_speaks(each.text, *patterns) for patterns in open_)
        )
    ]


def _speaks(text: str, subject: str, beside: str) -> bool:
    """Whether one sentence has both."""
    return any(
        pattern_of(subject).search(each) is not None and pattern_of(beside).search(each) is not None
        for each in re.split(r"(?<=[.;])\s", text)
    )
