"""First agent: what a contract says, clause by clause. It reads or abstains; it does not judge."""

import re
from typing import Any

from msgspec import to_builtins

from fairlead.agreements import (
    MEASURES,
    Clause,
    Unheard,
    annual_value,
    bears_out,
    doubted,
    heads_of,
    is_in_another_language,
    parties_of,
    read,
    split,
    unheard,
)

# Clauses of these kinds say nothing that preferred terms speak of.
_ORDINARY = re.compile(
    r"definition|interpret|service|scope|purpose|goods|supply|engage|background|recital|notices?\b|force majeure|"
    r"entire|severab|counterpart|waiver|amend|variation|general|return|obligation|use\b|licen[cs]e|terms? of|product|"
    r"schedule|"
    r"fees?\b|price|charges|deliver|support|escrow|jurisdiction|courts|relationship|hosting|platform|term\b|duration|"
    r"confidential information|parties|remuneration|payment|liab|cause|credit|process|data",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(
    r"ignore (?:all|any|the|previous|prior)|disregard (?:all|any|previous|prior)|\bsystem\s*:|\bassistant\s*:|"
    r"you are (?:an?|now) |language model|\b(?:AI|LLM)\b.{0,40}(?:review|must|should)|(?:mark|report|treat).{0,40}as "
    r"(?:approved|conforming|compliant)|reply (?:only )?with|do not (?:report|flag|mention)|"
    r"instructions? to (?:the )?(?:reviewer|model)",
    re.IGNORECASE,
)
_MOST_UNREAD = 40
_UNKNOWN = "no rule knows what a clause of this kind says"
_LONGEST = 1500  # letters of a clause that somebody is shown


def extracted(text: str, organisation: str) -> dict[str, Any]:
    """Language, type, what each clause says, the clauses that no rule can read, and those in another language."""
    agreement = split(text)
    if agreement.language != "en":
        nothing: dict[str, Any] = {"value": None, "said": [], "unread": [], "foreign": [], "instructions": []}
        return {"language": agreement.language, "type": agreement.type, "clauses": len(agreement.clauses), **nothing}
    parties = parties_of(text, organisation)
    said = doubted(read(agreement.clauses, parties, agreement.type), agreement.clauses)
    known = {each.place for each in said}
    addressed = [each for each in agreement.clauses if _ADDRESSED.search(each.text)]
    foreign = [each for each in agreement.clauses if is_in_another_language(each)]
    silent = {each.clause.place: each for each in unheard(agreement.clauses, said)}
    measures = {each.measure for each in said}
    unread = [
        each
        for each in agreement.clauses
        if each not in addressed
        and each not in foreign
        and (each.place in silent or (each.place not in known and not _plain(each, measures)))
    ]
    return {
        "language": agreement.language,
        "type": agreement.type,
        "value": annual_value(text),
        "clauses": len(agreement.clauses),
        "said": [_plain_said(each) for each in said if not any(each.place == one.place for one in addressed)],
        "unread": _unread(unread, silent),
        "foreign": [_shown(each) for each in foreign[:_MOST_UNREAD]],
        "instructions": [_shown(each) for each in addressed],
    }


def joined(found: dict[str, Any], more: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """What the rules have read, and what a model has read beside them: only of measures on which the rules are silent,
    and only with a quote that stands in the contract and bears out the number, in the measure's unit, or the word."""
    read_by_rules = {each["measure"] for each in found["said"] if each["number"] is not None or each["word"]}
    words = " ".join(text.split())
    taken = list(found["said"])
    for each in more:
        quote = " ".join(str(each.get("quote", "")).split())
        if (
            each.get("measure") not in MEASURES
            or each["measure"] in read_by_rules
            or len(quote) < 12
            or quote not in words
        ):
            continue
        place = next((one["place"] for one in found["unread"] if quote in " ".join(one["text"].split())), "")
        number, word = each.get("number"), str(each.get("word") or "")
        if not place or not bears_out(each["measure"], number, word, quote):
            continue
        taken.append(
            {
                "measure": each["measure"],
                "number": number,
                "word": word,
                "why": "",
                "quote": quote,
                "place": place,
                "by": "model",
            }
        )
    return taken


def _unread(clauses: list[Clause], silent: dict[str, Unheard]) -> list[dict[str, Any]]:
    """As people are shown them, those first that seem to speak of a measure. Of too many the rest is counted."""
    told = []
    for each in sorted(clauses, key=lambda each: each.place not in silent):
        heard = silent.get(each.place)
        at = heard.at if heard and len(each.text) > _LONGEST else 0
        told.append(
            {"place": each.place, "text": each.text[at : at + _LONGEST], "why": heard.why if heard else _UNKNOWN}
        )
    if len(told) > _MOST_UNREAD:
        rest = len(told) - _MOST_UNREAD
        more = {
            "place": "",
            "text": f"{rest} more clauses were not read: the whole contract has to be",
            "why": _UNKNOWN,
        }
        told[_MOST_UNREAD:] = [more]
    return told


def _plain(clause: Clause, read_already: set[str]) -> bool:
    """Whether a clause of which nothing was read is of no concern: of an ordinary kind, or beside others of its heading
    that were read."""
    if clause.number.startswith("(") and not clause.heading:  # the parties, or items of a list
        return True
    return (
        not clause.text
        or len(clause.text) < 3
        or not clause.number
        or _ORDINARY.search(clause.heading or clause.text[:80]) is not None
        or bool(heads_of(clause.above or clause.heading) & read_already)
    )


def _plain_said(each: Any) -> dict[str, Any]:
    return {**to_builtins(each), "by": "rules"}


def _shown(clause: Clause) -> dict[str, Any]:
    return {"place": clause.place, "text": clause.text[:_LONGEST]}
