"""Work under pseudonyms: what leaves, what comes back, and what it is worth.

Letters of invented people, planted with their names (of a register), addresses, accounts and numbers in many spellings,
are sent through every door, streamed (cut at every byte) and not, to a model in a cloud that says them again, and to
one in the house that sees them as they are.

    requests        letters sent to the cloud
    values          protected values in them
    leaked          values of which anything was found in a byte that left (0)
    restored_share  values that came back as they were written
    utility         share of replies that are, byte for byte, what the model in the house said
    us_per_kb       what it costs to look for names, by how many are known: text without any of them
    beyond          of the spellings that no register claims to know, the share that left as it was

Ways in which a name is not known by design are counted under `beyond` alone: letter by letter, in base64, misspelt, and
in halves over two messages.
"""

import argparse
import base64
import json
import random
import re
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import normalize
from urllib.parse import quote, unquote

import httpx
from msgspec import Struct
from tests.doors.asking import DOORS
from tests.world import Served, served

from evals.stage import parser, say, told
from fairlead.policy.names import Name, Names

_SYLLABLES = (
    "ka",
    "lo",
    "mi",
    "re",
    "sa",
    "tu",
    "vo",
    "be",
    "na",
    "di",
    "gor",
    "lin",
    "mar",
    "ton",
    "wel",
    "sky",
    "brom",
)
_UMLAUTS = ("mü", "jö", "ßa", "né", "łu", "ço")
_PROSE = (
    "The shipment arrived on Tuesday and the amount of 412.50 EUR is still open. ",
    "We should look at the contract again before the end of the month. ",
    "Nobody has answered the last two letters, and the deadline has passed. ",
)
_HOSTS = ("post.example.org", "mail.example.com", "firm.example.net")


class Person(Struct, frozen=True):
    """Somebody who does not exist."""

    given: str
    family: str
    email: str
    iban: str
    phone: str


class Planted(Struct, frozen=True):
    """A value in a letter: as it is written, and what must not be found in what leaves, plain."""

    written: str
    secret: str


def word(rng: random.Random, syllables: int) -> str:
    chosen = [rng.choice(_SYLLABLES) for _ in range(syllables)]
    if rng.random() < 0.2:
        chosen[0] = rng.choice(_UMLAUTS)
    return "".join(chosen).capitalize()


def person(rng: random.Random) -> Person:
    given, family = word(rng, 2), word(rng, 4)
    body = f"{rng.randrange(10**18):018d}"
    check = 98 - int(f"{body}131400") % 97
    return Person(
        given,
        family,
        f"{plain(given)}.{plain(family)}@{rng.choice(_HOSTS)}",
        f"DE{check:02d}{body}",
        f"+49 30 {rng.randrange(10**6, 10**7)}",
    )


def spelt(rng: random.Random, who: Person) -> Planted:
    """The person's name in one of the spellings that registers know."""
    full = f"{who.given} {who.family}"
    ways = (
        full, full, full.upper(), full.lower(), f"{who.family}, {who.given}", f"{who.given[0]}. {who.family}",
        f"{who.given}\u00a0{who.family}", normalize("NFD", full), quote(full), json.dumps(full)[1:-1],
        f"{who.given}_{who.family}", json.dumps({"first": who.given, "last": who.family}),
    )  # fmt: skip
    return Planted(rng.choice(ways), plain(who.family))


def letter(rng: random.Random, who: list[Person]) -> tuple[str, list[Planted]]:
    """A letter about these persons, and all that must not leave of it."""
    planted: list[Planted] = []
    for each in who:
        planted.append(spelt(rng, each))
        kinds = (
            Planted(each.email, each.email),
            Planted(each.iban, each.iban[4:]),
            Planted(each.phone, each.phone[-7:]),
        )
        planted += rng.sample(kinds, rng.randrange(3))
    rng.shuffle(planted)
    pieces = [
        f"{rng.choice(_PROSE)}{rng.choice(('It is about ', 'Tell ', 'From: '))}{each.written}. " for each in planted
    ]
    if rng.random() < 0.4:
        pieces.append(f"Dear {who[0].given} {who[0].family}, ask {who[0].family} soon. ")
    return "".join(pieces).strip(), planted


def beyond(rng: random.Random, who: Person) -> list[str]:
    """Messages with a name in a way that no register claims to know."""
    full = f"{who.given} {who.family}"
    ways = (
        [" ".join(full)], [base64.b64encode(full.encode()).decode()], [f"{who.given} {who.family[:-1]}xq"],
        [f"signed {who.given}", f"{who.family} it is"],
    )  # fmt: skip
    return rng.choice(ways)


def plain(text: str) -> str:
    """A text as somebody would read it who wants to know."""
    apart = normalize("NFKD", unquote(text)).casefold().replace("ł", "l")
    return re.sub("[\u0300-\u036f\u00ad]", "", apart)


def left(s: Served, before: int) -> str:
    """All that has left since, as it came and as it reads."""
    pieces: list[str] = []
    for each in s.provider.received[before:]:
        if each.json.get("model") == "tiny":
            heads = " ".join(each.headers.values())
            pieces += [each.path, heads, each.body.decode(), json.dumps(each.json, ensure_ascii=False)]
    return plain("\n".join(pieces))


def measured(s: Served, rng: random.Random, people: list[Person], count: int) -> dict[str, Any]:
    found = Counter[str]()
    doors = list(DOORS.values())
    for number in range(count):
        text, planted = letter(rng, rng.sample(people, rng.choice((1, 1, 2, 3))))
        streamed, door = rng.random() < 0.5, doors[number % len(doors)]
        before = len(s.provider.received)
        s.provider.next = ["split-every-byte"] if streamed else []
        got = door(s, "kim", f"echo {text}", streamed, "small")
        out = left(s, before)
        house = door(s, "kim", f"echo {text}", False, "house")
        found["requests"] += 1
        found["values"] += len(planted)
        found["leaked"] += sum(each.secret in out for each in planted)
        found["restored"] += sum(each.written in got.text for each in planted)
        found["same"] += got.text == house.text and not got.error
    for _ in range(count // 4):
        said = beyond(rng, rng.choice(people))
        before = len(s.provider.received)
        messages = [{"role": "user", "content": each} for each in said]
        body = {"model": "small", "messages": messages}
        httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body, timeout=20)
        found["beyond"] += bool(left(s, before))
    return {
        "requests": found["requests"],
        "values": found["values"],
        "leaked": found["leaked"],
        "restored_share": round(found["restored"] / found["values"], 4),
        "utility": round(found["same"] / found["requests"], 4),
        "beyond": round(found["beyond"] / max(count // 4, 1), 4),
    }


def looked_for(rng: random.Random) -> dict[str, float]:
    """Microseconds of CPU for a kilobyte without any name, by how many names are known."""
    text = ("".join(_PROSE) * 10)[:1024]
    found = {}
    for count in (10, 10_000, 100_000):
        names = Names(Name("person_name", word(rng, 4), word(rng, 2)) for _ in range(count))
        best = min(_timed(names, text) for _ in range(7))
        found[f"{count}"] = round(best, 1)
    return found


def _timed(names: Names, text: str) -> float:
    begun = time.process_time_ns()
    for _ in range(200):
        names.may_occur([text])
    return (time.process_time_ns() - begun) / 200 / 1000


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--requests", type=int, default=400, help="letters to send (default 400)")
    asked: argparse.Namespace = options.parse_args()
    rng = random.Random(asked.seed)
    people = [person(rng) for _ in range(2000)]
    table = "given,family\n" + "".join(f"{each.given},{each.family}\n" for each in people)
    register = "names: [{name: customers, file: customers.csv, columns: [given, family]}]\n"
    files = {"rules/people.yaml": register, "rules/customers.csv": table}
    rules = [{"pseudonymise": ["person_name", "email", "iban", "phone"], "for": "cloud"}]
    with TemporaryDirectory() as folder, served(Path(folder), files, rules=rules) as s:
        say(f"{asked.requests} letters about {len(people)} people")
        result = measured(s, rng, people, asked.requests)
    result["us_per_kb"] = looked_for(rng)
    return told(result, bool(result["leaked"]))


if __name__ == "__main__":
    sys.exit(main())
