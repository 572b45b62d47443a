"""Contracts of wordings that are hard to read: numbers in words, several in a clause, multiples, fractions, and clauses
that only look as if they said something. What each clause says is known by construction; the wordings are data, in
`contracts_kept/unseen*.json`, where a bound by days stands for the days that the generator writes in several ways."""

import json
import random
from pathlib import Path
from typing import Any, Final, NamedTuple

from evals.contracts_made import ROLES, STYLES, TITLES

_SPELT: Final = {
    10: "ten", 14: "fourteen", 20: "twenty", 21: "twenty-one", 30: "thirty", 45: "forty-five", 60: "sixty",
    75: "seventy-five", 90: "ninety", 120: "one hundred and twenty", 150: "one hundred and fifty",
}  # fmt: skip
_RENEWALS: Final = ("renewal_term", "renewal_notice")  # one sentence says both


class Unseen(NamedTuple):
    """`said` is the deviation that each measure has ("" for none, "?" where nobody can tell); `clauses` the words of
    each."""

    text: str
    said: dict[str, str]
    clauses: dict[str, str]


class Wordings:
    """The wordings of one file."""

    def __init__(self, path: Path) -> None:
        told = json.loads(path.read_text())
        self._nothing: list[tuple[str, str]] = [(title, words) for title, words in told["nothing"]]
        self._measures: dict[str, tuple[str, list[tuple[str, str]]]] = {
            measure: (each["title"], [form for wording in each["wordings"] for form in _forms(*wording)])
            for measure, each in told["measures"].items()
        }

    def contract(self, drawn: random.Random, organisation: str) -> Unseen:
        """A contract of seven to ten clauses and three that say nothing of any measure."""
        type_, style = drawn.choice(list(TITLES)), drawn.choice(STYLES)
        us, them = drawn.choice(ROLES)
        some = [each for each in self._measures if each not in _RENEWALS]
        chosen = drawn.sample(some, drawn.randint(7, 9))
        chosen.append(drawn.choice(_RENEWALS))
        said, clauses = dict[str, str](), dict[str, str]()
        parts = []
        for measure in chosen:
            title, wordings = self._measures[measure]
            words, said[measure] = drawn.choice(wordings)
            clauses[measure] = _told(words, us, them)
            parts.append((title, clauses[measure]))
        if "renewal_notice" in said:  # each of its wordings renews by a year
            said["renewal_term"], clauses["renewal_term"] = "minor", clauses["renewal_notice"]
        parts += [(title, _told(words, us, them)) for title, words in drawn.sample(self._nothing, 3)]
        subject = f"{them} works for {us} as this agreement says. The fees come to about GBP 100,000 a year."
        parts = [("Subject", subject), *drawn.sample(parts, len(parts))]
        head = f'{TITLES[type_]}\n\nbetween {organisation} Ltd ("{us}") and Unseen Works Ltd ("{them}")\n\n'
        body = "\n\n".join(style(place, title, words) for place, (title, words) in enumerate(parts, 1))
        return Unseen(head + body + "\n", said, clauses)


def _forms(words: str, level: str | dict[str, str]) -> list[tuple[str, str]]:
    """A wording with its level; or one for each count of days, in the ways in which contracts write these."""
    if isinstance(level, str):
        return [(words, level)]
    return [(words.replace("{v}", form), each) for days, each in level.items() for form in _days(int(days))]


def _days(number: int) -> list[str]:
    words = _SPELT[number]
    return [f"{number}", words, f"{words} ({number})", f"{number} ({words})", f"{number} calendar"]


def _told(words: str, us: str, them: str) -> str:
    words = words.replace("{us}", us).replace("{them}", them)
    return words[0].upper() + words[1:]


LEVELS: Final = ("", "minor", "major", "critical")


def outcome(result: dict[str, Any], measure: str, level: str, clause: str) -> str:
    """What became of a clause: read right, put before a person (doubted), said to be worse (overstated) or better than
    it is (understated), or overlooked."""
    found = [each["code"].partition(":")[2] for each in result["deviations"] if each["measure"] == measure]
    shown = any(clause in each["text"] for each in result["attention"])
    if shown or {"unread", "contradiction"} & set(found):
        return "doubted"
    if "missing" in found:
        return "overstated"
    if not found and measure not in {each["measure"] for each in result["preferred"]}:
        return "overlooked"
    said = found[0] if found else ""
    if said == level:
        return "right"
    return "overstated" if level != "?" and LEVELS.index(said) > LEVELS.index(level) else "understated"
