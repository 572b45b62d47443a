"""One day of a retail chain, made from a seed: 1,600 stores, their handbook, their budgets, and what they ask by hour.

The workspace is the template `retail` (its pages, policies, detectors and kinds of work), grown to a chain: every store
has a key and a person's budget, every region a department's, and the handbook has 160 more pages. Everything is
invented.
"""

import json
import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.clock import SystemClock
from fairlead.identity.keys import digest_of, new_key

STORES = 1_600
REGIONS = 20
TEMPLATE = Path(__file__).parents[1] / "src" / "fairlead" / "workspace" / "templates" / "retail"

HOURS: Mapping[int, float] = {
    6: 2, 7: 5, 8: 8, 9: 9, 10: 8, 11: 7, 12: 6, 13: 6, 14: 7, 15: 7, 16: 8, 17: 9, 18: 8, 19: 5, 20: 3, 21: 1, 22: 1
}  # fmt: skip
"""The share of the day's requests by hour: deliveries in the morning, customers in the afternoon."""

KINDS: Mapping[str, float] = {
    "staff_question": 34, "customer_question": 16, "translation": 11, "product_text": 9, "routing_of_complaints": 10,
    "delivery_note": 10, "summary": 10,
}  # fmt: skip

_THINGS = ("lamp", "sofa", "wardrobe", "blanket", "pan", "vase", "mirror", "carpet", "table", "chair", "shelf", "sheet")
_MATERIALS = ("oak", "linen", "steel", "wool", "glass", "cotton", "bamboo", "clay")
_AREAS = ("goods-in", "tills", "shop-floor", "back-office", "equipment", "web-orders", "energy", "events")
_SUBJECTS = (
    "damaged deliveries", "pallets", "price labels", "returns of web orders", "lifts", "cooling", "alarm codes",
    "keys", "cleaning", "seasonal windows", "stocktaking", "recycling", "gift wrapping", "spare parts", "loan tools",
    "parking", "loudspeakers", "trolleys", "display models", "batteries",
)  # fmt: skip
_VERBS = ("count", "report", "label", "store", "check", "return", "sign for", "photograph", "hand over", "block")
_WHO = ("the shift lead", "the store manager", "two colleagues", "the area manager", "the service desk")
_WHEN = ("before opening", "at the handover", "on the same day", "within two days", "every Monday", "at once")
_LANGUAGES = ("Polish", "Turkish", "French", "Ukrainian", "Spanish", "German", "Romanian")
_NAMES = ("Meyer", "Okafor", "Lindqvist", "Rossi", "Tanaka", "Novak", "Silva", "Keller")
_CLASSES = ("late delivery", "damaged goods", "missing parts", "wrong price", "unfriendly service", "other")

_FRONT = "owner: retail-operations\naudience: [everyone]\nclass: internal\n"
_HEADINGS = ("Who", "When", "If it goes wrong")
_BUYING = (("How long can I return", ""), ("Do you deliver", " on Saturday"), ("Is there a warranty on", ""))
_SENSITIVE = ("Card 4111 1111 1111 1111.", "IBAN DE89 3704 0044 0532 0130 00.", "Club LC-1234-5678.")

_CLASSIFICATION = {
    "description": "Which desk a complaint belongs to.",
    "max_output": 40,
    "prefer": ["small", "house"],
    "instructions": "Answer with one of: " + ", ".join(_CLASSES) + ".",
}
_EXTRACTION = {
    "description": "The fields of a delivery note.",
    "max_output": 200,
    "prefer": ["small", "house"],
    "instructions": "Read the delivery note and give its fields as JSON.",
}
_FORM = {
    "type": "object",
    "properties": {
        "order": {"type": "string"},
        "supplier": {"type": "string"},
        "pieces": {"type": "integer"},
        "damaged": {"type": "boolean"},
    },
    "required": ["order", "supplier", "pieces", "damaged"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the day: at what hour, by which store (its number), as what body."""

    hour: int
    store: int
    body: bytes


def keys(count: int = STORES) -> list[str]:
    """An API key for each store."""
    clock = SystemClock()
    return [new_key(clock)[0] for _ in range(count)]


def write(folder: Path, upstream: str, tokens: list[str]) -> None:
    """The workspace of the chain, whose models are all at one upstream: `small` in a cloud, `house` in the house."""
    for part in ("policies", "rules", "context", "tasks"):
        shutil.copytree(TEMPLATE / part, folder / part)
    (folder / "policies" / "tests.yaml").unlink()  # it tests the template's own models
    for path in (folder / "tasks").glob("*.yaml"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join("prefer: [small, house]" if line.startswith("prefer:") else line for line in lines))
    (folder / "tasks" / "routing_of_complaints.yaml").write_text(json.dumps(_CLASSIFICATION))
    (folder / "tasks" / "delivery_note.yaml").write_text(json.dumps(_EXTRACTION))
    for name, text in pages():
        path = folder / "context" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "fairlead.yaml").write_text(json.dumps(settings(upstream, tokens)))


def settings(upstream: str, tokens: list[str]) -> dict[str, Any]:
    """fairlead.yaml as data: JSON is YAML."""

    def model(name: str, placement: Mapping[str, str]) -> dict[str, Any]:
        return {"use": f"openai-compatible/{name}", "url": upstream, "placement": placement, "max_output": 4096}

    return {
        "organisation": "chain",
        "models": {
            "small": model("small", {"kind": "cloud", "region": "eu", "vendor": "instant"}),
            "house": model("house", {"kind": "on_prem"}),
        },
        "prices": {
            "small": {"input": 0.25, "output": 2, "cached_input": 0.025},
            "house": {"input": 0.05, "output": 0.1},
        },
        "prefer": ["small", "house"],
        "fallback": True,
        "defaults": {"max_output": 800, "deadline": 60, "context": 1200},
        "context": {"owner": "retail-operations", "class": "internal", "audience": ["everyone"]},
        "budgets": {
            "organisation": {"monthly": 100_000},
            "departments": {"*": {"monthly": 10_000, "daily": 1_000}},
            "persons": {"*": {"daily": 50}},
            "tasks": {"product_text": {"monthly": 20_000}},
        },
        "keys": {
            f"store-{number}": {
                "secret": f"sha256:{digest_of(token).hex()}",
                "person": f"store-{number}",
                "department": f"region-{number % REGIONS}",
                "groups": ["store_staff"],
            }
            for number, token in enumerate(tokens)
        },
    }


def pages() -> Iterator[tuple[str, str]]:
    """The pages that the template has not: a path, and a text of a few sections."""
    rng = random.Random("pages")
    for area in _AREAS:
        for subject in _SUBJECTS:
            title = f"{subject} ({area.replace('-', ' ')})"
            head = f"---\ntitle: {title}\n{_FRONT}---\n# {title}\n"
            sections = [f"\n## {heading}\n{_rules(rng, subject, area)}\n" for heading in _HEADINGS]
            yield f"{area}/{subject.replace(' ', '-')}.md", head + "".join(sections)


def _rules(rng: random.Random, subject: str, area: str) -> str:
    said = [
        f"{rng.choice(_WHO).capitalize()} must {rng.choice(_VERBS)} {subject} in {area.replace('-', ' ')} "
        f"{rng.choice(_WHEN)}, in lots of {rng.randrange(2, 40)}."
        for _ in range(rng.randrange(3, 6))
    ]
    return " ".join(said)


def day(requests: int, stores: int, seed: int) -> Iterator[Asked]:
    """The day's requests, in order: drawn one by one, so a day of any length needs no memory."""
    rng = random.Random(seed)
    questions = _questions(rng)
    whole, kinds, weights = sum(HOURS.values()), list(KINDS), list(KINDS.values())
    given, due = 0, 0.0
    for hour, share in HOURS.items():
        due += requests * share / whole
        while given < round(due):
            given += 1
            kind = rng.choices(kinds, weights)[0]
            yield Asked(hour, rng.randrange(stores), _body(rng, kind, questions))


def first_of_each(stores: int, seed: int) -> Iterator[Asked]:
    """A request of every store, as on a day before."""
    rng = random.Random(seed + 1)
    questions, kinds = _questions(rng), list(KINDS)
    for store in range(stores):
        yield Asked(10, store, _body(rng, kinds[store % len(kinds)], questions))


def _questions(rng: random.Random) -> dict[str, list[str]]:
    """What is asked of the handbook. Stores ask the same again and again: a few questions make most of the day."""
    staff = [
        f"Who has to {verb} the {subject} in {area.replace('-', ' ')}, and when?"
        for area in _AREAS for subject in _SUBJECTS for verb in rng.sample(_VERBS, 2)
    ]  # fmt: skip
    customer = [
        f"{start} a {thing} of {material}{end}?"
        for start, end in _BUYING for thing in _THINGS for material in _MATERIALS
    ]  # fmt: skip
    rng.shuffle(staff)
    rng.shuffle(customer)
    return {"staff_question": staff, "customer_question": customer}


def _body(rng: random.Random, kind: str, questions: Mapping[str, list[str]]) -> bytes:
    named = kind
    whole: dict[str, Any] = {}
    if kind in questions:
        asked = questions[kind]
        text = asked[min(len(asked) - 1, int(rng.paretovariate(0.6)) - 1)]
        named = kind if rng.random() < 0.8 else "auto"  # what the request itself must tell
    elif kind == "translation":
        text = f"Translate into {rng.choice(_LANGUAGES)}: {_message(rng, 40)}"
    elif kind == "product_text":
        thing = f"{rng.choice(_MATERIALS)} {rng.choice(_THINGS)}"
        text = f"A text of 80 words for the web shop: {thing}, {_dimensions(rng)}."
    elif kind == "summary":
        text = f"Sum this up for the late shift: {_message(rng, 220)}"
    elif kind == "delivery_note":
        order = f"{rng.choice(_NAMES)}, order A-{rng.randrange(9000)}"
        text = f"Delivery note {order}: {rng.randrange(1, 60)} pieces of {_dimensions(rng)}"
        form = {"name": "note", "strict": True, "schema": _FORM}
        whole["response_format"] = {"type": "json_schema", "json_schema": form}
    else:
        text = _message(rng, 60)
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": named, "messages": messages, **whole}, separators=(",", ":")).encode()


def _dimensions(rng: random.Random) -> str:
    return f"{rng.randrange(20, 220)} by {rng.randrange(20, 90)} cm, article {rng.randrange(10**6)}"


def _message(rng: random.Random, words: int) -> str:
    """What a customer or a supplier wrote; in one of ten stands what must not go to a cloud."""
    said: list[str] = []
    while len(said) < words:
        said += (
            f"The {rng.choice(_MATERIALS)} {rng.choice(_THINGS)} of {rng.choice(_NAMES)} came {rng.choice(_WHEN)}, "
            f"{rng.randrange(1, 9)} pieces are missing and {rng.choice(_WHO)} will {rng.choice(_VERBS)} it."
        ).split()
    if rng.random() < 0.1:
        said.append(rng.choice(_SENSITIVE))
    return " ".join(said)
