"""Contracts put together from wordings, with what deviates known by construction."""

import random
from collections.abc import Callable
from typing import Any

# Per measure: wordings with a place for the value, and values with the deviation that they are.
WORDINGS: dict[str, tuple[str, list[str], list[tuple[str, str]]]] = {
    "payment_days": (
        "Invoicing",
        [
            "Sums properly invoiced become payable {v} days after the invoice has been received.",
            "{us} settles every correct invoice not later than {v} days from its date.",
            "The period for payment is {v} days, counted from receipt of the invoice.",
            "Payment terms: {v} days net from the invoice date.",
        ],
        [("60", ""), ("45", ""), ("30", "minor"), ("21", "major"), ("7", "critical")],
    ),
    "late_interest": (
        "Default",
        [
            "If {us} is late with a payment, {them} may claim interest of {v}% a year.",
            "Sums overdue attract simple interest at {v} per cent per year.",
            "On arrears, interest accrues at an annual rate of {v}%.",
        ],
        [("3", ""), ("4", ""), ("6", "minor"), ("11", "major"), ("15", "critical")],
    ),
    "liability_cap": (
        "Limits",
        [
            "In any year the liability of {them} is capped at {v}% of that year's fees.",
            "{them} is liable up to a maximum of {v} percent of the annual fees.",
            "The maximum aggregate liability of {them} under this agreement amounts to {v} % of the yearly charges.",
            "{them}'s liability for all claims of a contract year may not be greater than {v} per cent of the fees.",
        ],
        [("300", ""), ("200", ""), ("150", "minor"), ("120", "major"), ("80", "critical")],
    ),
    "initial_term": (
        "Commencement",
        [
            "This agreement comes into force on signature and remains in force for {v} months.",
            "The minimum term amounts to {v} months.",
            "The fixed term is {v} months from the start date.",
            "Unless ended earlier, this agreement shall continue for an initial period of {v} months.",
        ],
        [("12", ""), ("24", ""), ("36", "minor"), ("48", "major"), ("84", "critical")],
    ),
    "convenience_notice": (
        "Leaving",
        [
            "{us} may cancel this agreement for convenience, giving {v} days' notice.",
            "{us} has the right to terminate without stating reasons subject to a notice period of {v} days.",
            "With {v} days' written notice {us} can terminate this agreement at any time.",
        ],
        [("30", ""), ("60", ""), ("90", "minor"), ("150", "major"), ("365", "critical")],
    ),
    "price_increase": (
        "Adjustment of prices",
        [
            "Once a year {them} may adjust its prices upwards by {v}% at most.",
            "Fees may be raised annually; the rise is limited to {v} per cent.",
            "Any yearly increase of the charges is capped at {v}%.",
        ],
        [("2", ""), ("3", "minor"), ("4", "major"), ("9", "critical")],
    ),
    "confidentiality": (
        "Secrecy",
        [
            "What one party learns of the other's business is kept secret for {v} years after this agreement.",
            "Confidential information may not be disclosed during this agreement and {v} years beyond it.",
            "The duty of confidence lasts {v} years from disclosure.",
        ],
        [("7", ""), ("5", ""), ("3", "minor"), ("2", "major"), ("1", "critical")],
    ),
    "breach_notice": (
        "Data",
        [
            "{them} informs {us} of any breach of personal data no later than {v} hours after learning of it.",
            "Security incidents concerning personal data must be reported to {us} within {v} hours.",
            "{them} will give notice of a personal data breach inside {v} hours.",
        ],
        [("24", ""), ("48", "minor"), ("72", "major"), ("96", "critical")],
    ),
    "availability": (
        "Operation",
        [
            "The service is reachable {v} % of the hours of a month; its availability is measured at the gateway.",
            "{them} warrants an availability of {v} percent each month.",
            "Guaranteed uptime: {v}%.",
        ],
        [("99.9", ""), ("99.6", "minor"), ("99.2", "major"), ("97", "critical")],
    ),
    "non_solicit": (
        "Staff",
        [
            "{us} shall not hire people of {them} during this agreement and for {v} months afterwards.",
            "Neither party may solicit the other's employees until {v} months after its end.",
        ],
        [("12", "minor"), ("18", "major"), ("36", "critical")],
    ),
    "insurance": (
        "Cover",
        [
            "{them} holds liability insurance for at least GBP {v} a claim.",
            "{them} shall be insured with a minimum sum of GBP {v}.",
        ],
        [("5,000,000", ""), ("1,500,000", "minor"), ("750,000", "major"), ("100,000", "critical")],
    ),
    "governing_law": (
        "Choice of law",
        [
            "This agreement is subject to the law of {v}.",
            "The laws of {v} govern this agreement.",
            "The law of {v} shall apply.",
        ],
        [("England and Wales", ""), ("Scotland", "minor"), ("Portugal", "major")],
    ),
    "assignment": (
        "Transfer",
        ["{them} {v}."],
        [
            ("may not transfer this agreement unless {us} has consented in writing", ""),
            ("may transfer this agreement within its group of companies", "minor"),
            ("is free to assign this agreement to whomever it likes", "major"),
        ],
    ),
    "publicity": (
        "Use of names",
        ["{them} {v}."],
        [
            ("uses the logo of {us} only with its prior written consent", ""),
            ("may name {us} in press releases and marketing", "major"),
        ],
    ),
    "indemnity": (
        "Claims of others",
        ["{v} from claims that third parties raise because of this agreement."],
        [
            ("{them} shall indemnify {us} and hold it harmless", ""),
            ("Each party shall indemnify the other", "minor"),
            ("{us} agrees to indemnify {them}", "critical"),
        ],
    ),
    "ip_owner": (
        "Results",
        ["{v}."],
        [
            ("Work product is the property of {us} from the moment of its creation", ""),
            ("The deliverables remain the property of {them}; {us} has a perpetual licence to them", "minor"),
            ("{them} owns the deliverables", "critical"),
        ],
    ),
}

REQUIRED = {
    "software": ("liability_cap", "payment_days", "convenience_notice", "breach_notice", "availability"),
    "services": ("liability_cap", "payment_days", "convenience_notice", "ip_owner", "insurance"),
}
TITLES = {"software": "Software Subscription Agreement", "services": "Agreement on Consulting Services"}
ROLES = [("the Customer", "the Provider"), ("the Client", "the Contractor"), ("the Buyer", "the Vendor")]
ROMAN = (
    "I",
    "II",
    "III",
    "IV",
    "V",
    "VI",
    "VII",
    "VIII",
    "IX",
    "X",
    "XI",
    "XII",
    "XIII",
    "XIV",
    "XV",
    "XVI",
    "XVII",
    "XVIII",
)
STYLES: list[Callable[[int, str, str], str]] = [
    lambda number, title, words: f"{number}. {title.upper()}\n{number}.1 {words}",
    lambda number, title, words: f"## {number} {title}\n\n{words}",
    lambda number, title, words: f"Article {number} - {title}\n{words}",
    lambda number, title, words: f"§ {number} {title}\n(a) {words}",
    lambda number, title, words: f"{number}) {title}. {words}",
    lambda number, title, words: f"**{number}. {title}.** {words}",
    lambda number, title, words: f"{ROMAN[number - 1]}. {title}\n{words}",
]


def made(drawn: random.Random, number: int, organisation: str) -> tuple[str, str, set[str]]:
    """A contract's name, its text, and the codes of its deviations."""
    type_ = drawn.choice(list(TITLES))
    us, them = drawn.choice(ROLES)
    style, expected = drawn.choice(STYLES), set[str]()
    body: list[str] = []
    measures = drawn.sample(list(WORDINGS), drawn.randint(9, len(WORDINGS)))
    for place, measure in enumerate(["services", *measures], 1):
        if measure == "services":
            words: Any = f"{them} works for {us} as this agreement says. The fees come to about GBP 100,000 a year."
            title = "Subject"
        else:
            title, wordings, values = WORDINGS[measure]
            value, level = drawn.choice(values)
            words = drawn.choice(wordings).replace("{v}", value).replace("{us}", us).replace("{them}", them)
            if level:
                expected.add(f"{measure}:{level}")
        words = words[0].upper() + words[1:]
        body.append(style(place, title, words))
    needed = ("governing_law", "confidentiality", *REQUIRED[type_])
    expected |= {f"{each}:missing" for each in needed if each not in measures}
    name = f"Other Company {number} Ltd"
    head = f'{TITLES[type_]}\n\nbetween {organisation} Ltd ("{us}") and {name} ("{them}")\n\n'
    return f"made-{number}", head + "\n\n".join(body) + "\n", expected
