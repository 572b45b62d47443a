"""Every kind of rule through every door, streamed and not: no forbidden byte leaves, and what may leave, leaves.

A reply holds a forbidden text, and the provider cuts its stream inside it: once at every place, then at every byte of
the wire, then not at all. Doors and rules are lists; a cell is a door, a rule, and whole or streamed.

    cells        doors x rules x (whole, streamed)
    requests     sent, with every way of cutting
    failures     requests that let out what they must not, kept back what they need not, or were recorded otherwise (0)
"""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.doors.asking import DOORS, Got
from tests.world import key_of, settings

from evals.stage import Stage, books, parser, say, stage, told
from fairlead.costs.record import Record

_IBAN = "DE89370400440532013000"
_CARD = "4111 1111 1111 1111"
_RULES = """
detectors:
  - {name: project, category: project, pattern: '(?i)\\bproject bluebird\\b'}
  - {name: letter, category: letter, pattern: '\\bletterhead\\b'}
  - {name: ledger, category: ledger, pattern: '\\bledgerline\\b'}
  - {name: moon, category: moon, pattern: '\\bmoonrock\\b'}
  - {name: court, category: court, pattern: '\\bcourtroom\\b'}
  - {name: jury, category: jury, pattern: '\\bjuryroom\\b'}
  - {name: bench, category: bench, pattern: '\\bbenchmark\\b'}
require:
  - {name: signed, text: Yours faithfully, labels: [letter]}
  - {name: sealed, text: under seal, otherwise: withhold, labels: [ledger]}
grounding:
  - {name: grounded, labels: [moon]}
judge:
  - {name: kind, model: house, ask: Is it kind?, at_least: 3, labels: [court]}
  - {name: kinder, model: house, ask: Is it kind?, at_least: 7, labels: [jury]}
  - {name: unheard, model: silent, ask: Is it kind?, labels: [bench]}
facts:
  - {name: discount, pattern: '(?P<value>[0-9]{1,3})%', take: max}
words:
  - {name: no_promises, never: [guarantee* profit], reason: nobody promises profits}
  - {name: no_rivals, never: ["rival & sons", O'Rival], then: redact}
  - {name: no_cheap, never: [cheap*], then: replace, instead: good value}
  - {name: no_leader, never: [market leader], mode: shadow}
  - {name: no_boasts, never: [best in the world], mode: warn, then: redact}
"""
_POLICIES = """
@id("anyone") permit (principal, action in [Action::"call_model", Action::"release_reply"], resource);
@id("discounts") forbid (principal, action == Action::"release_reply", resource)
when { context.facts has discount && context.facts.discount.greaterThan(decimal("15.0")) };
"""
_LEAN: list[dict[str, Any]] = [
    {"withhold": ["payment_card"]},
    {"redact": ["email"], "for": "replies"},
    {"redact": ["iban"], "for": "cloud"},
    {"withhold": ["project"], "mode": "shadow"},
]


_NEVER = {"failures": 10**6, "least": 10**6}
_PRICES = {"small": {"input": 2, "output": 8}, "house": {"input": 1, "output": 1}, "silent": {"input": 1, "output": 1}}


def models(url: str) -> dict[str, Any]:
    """The world's models, and one that never answers."""
    silent = {"use": "openai-compatible/fault-503", "url": f"{url}/v1", "placement": {"kind": "on_prem"}}
    return {**settings(url)["models"], "silent": silent}


class Case(msgspec.Struct, frozen=True):
    """A rule, what the model says of it, and what comes of it. `out` is what leaves in its place, None where the reply
    is withheld; `hits` is what the record says, `end` what is added."""

    rule: str
    said: str
    out: str | None
    hits: tuple[tuple[str, str, str], ...] = ()
    end: str = ""


CASES = (
    Case("no rule", "good morning", "good morning"),
    Case("words withheld", "Guaranteed  Profits", "Guaranteed  Profits"),  # another word: it may leave
    Case("words withheld", "Guaranteed  Profit", None),
    Case("words redacted", "O\u2019Rival", "[redacted no_rivals]", (("no_rivals", "enforce", "redact"),)),
    Case("words replaced", "cheapest", "good value", (("no_cheap", "enforce", "redact"),)),
    Case("words in shadow", "market-leader", "market-leader", (("no_leader", "shadow", "withhold"),)),
    Case("words warned of", "best in the world", "best in the world", (("no_boasts", "warn", "redact"),)),
    Case("a number withheld", _CARD, None),
    Case("an address redacted", "ann@example.com", "[redacted email]", (("rule-2", "enforce", "redact"),)),
    Case("redacted and restored", _IBAN, _IBAN, (("rule-3", "enforce", "redact"),)),
    Case("a detector in shadow", "project bluebird", "project bluebird", (("rule-4", "shadow", "withhold"),)),
    Case("a text appended", "letterhead", "letterhead", (("signed", "enforce", "append"),), "\n\nYours faithfully"),
    Case("a text that is there", "letterhead: yours  faithfully", "letterhead: yours  faithfully"),
    Case("a text missing", "ledgerline", None),
    Case("a text seen whole", "ledgerline under seal", "ledgerline under seal"),
    Case("not grounded", "moonrock cheese costs money", None),
    Case("judged good", "courtroom manners", "courtroom manners"),  # the provider gives 3 for every score
    Case("judged bad", "juryroom manners", None),
    Case("nobody to judge", "benchmark manners", None),
    Case("a fact within bounds", "15%", "15%"),
    Case("a fact beyond bounds", "40%", None),
)
_BEFORE, _AFTER = "So, ", " it is."


class Place(msgspec.Struct, frozen=True):
    """Where the doors are, for those who ask."""

    url: str

    def auth(self, person: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key_of(person)}"}


def asked(case: Case) -> Iterator[tuple[bool, str, str]]:
    """Each way of asking: streamed, how the provider behaves, what it is told to say."""
    whole = _BEFORE + case.said + _AFTER
    yield False, "", f"echo {whole}"
    for fault in ("split-every-byte", "one-read", "crlf"):
        yield True, fault, f"echo {whole}"
    if case.said is not _IBAN and case.said is not _CARD:  # the request would hold the value at another place
        for at in range(len(_BEFORE) - 1, len(_BEFORE) + len(case.said) + 2):
            yield True, "", f"cut {at} {whole}"


def wrong(case: Case, streamed: bool, got: Got, record: Record | None) -> str:
    """What is wrong with an answer, "" for nothing."""
    assert got.whole is not None
    hidden = case.said not in got.whole.text
    if record is None or record.hits != case.hits:
        return f"recorded {record and record.hits}"
    if case.out is None:
        fine = got.error == "withheld" and record.outcome == "refused" and hidden and _BEFORE.startswith(got.text)
    else:
        as_meant = (got.text, got.error, got.ended) == (_BEFORE + case.out + _AFTER + case.end, "", True)
        fine = as_meant and (hidden or case.out == case.said)
    return "" if fine else f"it let out {got.text!r} and ended with {got.error!r}"


def sent(door: str, place: Place, text: str, streamed: bool) -> Got:
    return DOORS[door](place, "kim", text, streamed, "small")


async def measured(on: Stage) -> dict[str, Any]:
    """Ask everything, then read the log."""
    place = Place(f"http://127.0.0.1:{on.port}")
    cells: set[tuple[str, str, bool]] = set()
    results: list[tuple[str, Case, bool, str, Got]] = []
    for door in DOORS:
        for case in CASES:
            for streamed, fault, text in asked(case):
                await on.behave(fault)
                cells.add((door, case.rule, streamed))
                got = await asyncio.to_thread(sent, door, place, text, streamed)
                results.append((door, case, streamed, f"{fault} {text}", got))
        say(f"{door}: {len(results)} requests so far")
    records = {record.run: record for record in books(on.database).records if record.kind == "call_model"}
    failures = 0
    for door, case, streamed, how, got in results:
        if said := wrong(case, streamed, got, records.get(got.run)):
            failures += 1
            say(f"{door}, {case.rule}, {'streamed' if streamed else 'whole'}, {how!r}: {said}")
    return {"doors": len(DOORS), "cells": len(cells), "requests": len(results), "failures": failures}


async def main() -> int:
    options = parser(__doc__).parse_args()
    files = {"policies/main.cedar": _POLICIES, "rules/all.yaml": _RULES}
    async with stage(
        1,
        {"rules": _LEAN, "models": models, "prices": _PRICES, "breaker": _NEVER},
        keep=options.keep,
        files=files,
        storage=options.storage,
    ) as on:
        result = await measured(on)
    return told(result, bool(result["failures"]))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
