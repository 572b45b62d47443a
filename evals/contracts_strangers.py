"""Agreements and single clauses in ordinary legal English, as strangers to the rules write them.

Files of `contracts_kept/strangers/looked` and `crossed` were read while rules were changed; the others were measured
before they were. Those of `crossed` and its like have exceptions, defined terms and schedules. In agreements
`{{measure=level}}` behind a sentence is what it says: the deviation ("" for as preferred, "?" where a person has to
look). A line of `clauses.psv` is `measure | level | heading | words`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, NamedTuple

from evals.contracts_unseen import LEVELS

_MARK: Final = re.compile(r"[ \t]*\{\{(?P<measure>\w+)=(?P<level>[a-z?]*)\}\}")
_NUMBER: Final = re.compile(r"^\W*(?:\w{1,3}\)|\d[\d.]*)\s+")
_TAIL: Final = 60  # letters before a mark, by which its words are found again
WITHOUT: Final = ("exclusivity", "non_solicit", "renewal_term")
"""Of these nothing is what is preferred: silence of a clause that allows it is right."""
_AROUND: Final = """{title}

This Agreement is made on 5 May 2026 between Farmount Works Ltd (the "{them}") and Northlight Home Ltd (the "{us}").

1. Services
The {them} works for the {us} as set out in the attached order.

2. {heading}
{words}

3. Entire Agreement
This Agreement constitutes the entire agreement between the parties and supersedes all prior understandings.

4. Notices
Any notice under this Agreement shall be in writing and delivered by hand or by courier to the other party.
"""
_ROLES: Final = {
    "Vendor": "Company", "Seller": "Buyer", "Consultant": "Client", "Contractor": "Client", "Agency": "Client",
    "Processor": "Controller", "Provider": "Customer", "Supplier": "Customer",
}  # fmt: skip


class Stranger(NamedTuple):
    """`said` by measure: the level and the words that say so, a line of the text each."""

    name: str
    text: str
    said: dict[str, tuple[str, str]]


def strangers(folder: Path) -> Iterator[Stranger]:
    """The agreements of a folder, then its single clauses, each in a small agreement of its own."""
    for path in sorted(folder.iterdir()):
        if path.suffix != ".psv":
            yield _marked(path.stem, path.read_text())
    for number, line in enumerate((folder / "clauses.psv").read_text().splitlines()):
        measure, level, heading, words = (each.strip() for each in line.split("|", 3))
        them = next((each for each in _ROLES if each in words), "Supplier")
        us = next((each for each in ("Client", "Company", "Buyer", "Customer") if each in words), _ROLES[them])
        title = "Supply Agreement" if "Goods" in words else "Services Agreement"
        text = _AROUND.format(title=title, heading=heading, words=words, them=them, us=us)
        yield Stranger(f"clause {number}", text, {measure: (level, " ".join(words.split())[-_TAIL:])})


def wrapped(text: str, width: int = 72) -> str:
    """The text with its lines broken, as that of a PDF is."""
    return "\n".join("\n".join(wrap(line, width, break_on_hyphens=False)) for line in text.splitlines())


def _marked(name: str, marked: str) -> Stranger:
    said: dict[str, tuple[str, str]] = {}
    start, words = 0, ""
    for found in _MARK.finditer(marked):
        before = _MARK.sub("", marked[start : found.start()]).strip()
        last = _NUMBER.sub("", before.rpartition("\n")[2])  # clauses are shown without their numbers
        words = " ".join(last[-_TAIL:].split()) or words  # a second mark is of the same words
        said[found["measure"]] = (found["level"], words)
        start = found.end()
    return Stranger(name, _MARK.sub("", marked), said)


def became(result: dict[str, Any], measure: str, level: str, words: str) -> str:
    """Read right, doubted (a person is shown it), overstated, understated, or overlooked. What nobody can tell ("?") is
    right where it is doubted, and understated where a level is said of it."""
    found = [each["code"].partition(":")[2] for each in result["deviations"] if each["measure"] == measure]
    shown = any(words in " ".join(each["text"].split()) for each in result["attention"])
    if shown or {"unread", "contradiction"} & set(found):
        return "right" if level == "?" else "doubted"
    if "missing" in found:
        return "overstated"
    silent = not found and measure not in {each["measure"] for each in result["preferred"]}
    if silent and not (measure in WITHOUT and level == ""):
        return "overlooked"
    said = found[0] if found else ""
    if level == "?":
        return "overstated" if said == "critical" else "understated"
    if said == level:
        return "right"
    return "overstated" if LEVELS.index(said) > LEVELS.index(level) else "understated"


def of_nothing(stranger: Stranger, result: dict[str, Any]) -> list[str]:
    """What was found of things that the agreement does not say. Who says how a renewal is stopped says that it "
    "is one."""
    also = {"renewal_term"} if "renewal_notice" in stranger.said else set()
    return [
        f"{each['code']}: {each['quote']}" for each in result["deviations"]
        if each["standing"] != "missing" and each["measure"] not in stranger.said.keys() | also
    ]  # fmt: skip


def idle(stranger: Stranger, result: dict[str, Any]) -> list[str]:
    """What a person is shown that says nothing of any measure."""
    texts = [" ".join(each["text"].split()) for each in result["attention"]]
    return [each for each in texts if not any(words in each for _, words in stranger.said.values())]


def why(result: dict[str, Any], measure: str, words: str) -> str:
    """Why a person is asked, for whoever looks at what differs."""
    reasons = [each["why"] or each["code"] for each in result["deviations"] if each["measure"] == measure]
    shown = [each.get("why", "shown") for each in result["attention"] if words in " ".join(each["text"].split())]
    return "; ".join(filter(None, (*reasons, *shown)))
