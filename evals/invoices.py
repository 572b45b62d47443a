"""Read invoices on the embedded default, without any model, and hold what was read against what they say.

`--data` goes through every `*.pdf` of a folder with a `*.json` of the same name beside it: a list whose first object
has the expected fields. `--invented N` makes N invoices in layouts, languages and words that no choice was made on
(`invoice_unseen.py`); with
`--practice` in those that choices were made on. `--manner wild` and `--manner wild-seen` have the layouts of telephone
bills, shops, clouds, hotels (`invoice_wild.py`): those held out, and those that choices were made on. `--manner kinds`
has bills of eighteen kinds that are held out, `--manner kinds-seen` eighteen others (`invoice_kinds.py`).

    documents               how many invoices were read; papers that are none to pay count in `wrong_unflagged` alone,
                            as `payable`, where they go through
    field_accuracy          the share of expected fields that were read as expected, flagged or not
    straight_through_share  the share of documents in which supplier, number, date, currency and total are there and
    none is flagged
    wrong_unflagged         fields that are not as expected, and that no person would have been shown             (0)
    flagged_right           fields that a person was shown although they were as expected

A field that is not read counts as wrong in `field_accuracy`. Names count as the same where the words of one are among
those of the other, legal forms aside; amounts to the cent; all else exactly, spaces, points and dashes aside
for numbers.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.paper import pdf

from evals.invoice_facts import Facts
from evals.stage import parser, say, told
from fairlead.documents import Invoice, Unread, read_invoice
from fairlead.documents.invoice import REQUIRED, invoice_of
from fairlead.documents.names import core_of
from fairlead.documents.pdf import pages_of

_OURS: Final = {
    "issuer": "supplier",
    "amount": "total",
    "amount_untaxed": "net",
    "amount_tax": "tax",
    "date": "date",
    "date_due": "due",
    "invoice_number": "number",
    "currency": "currency",
    "vat": "vat",
    "static_vat": "vat",
    "iban": "iban",
}
_CENT: Final = 0.005


def same(name: str, expected: Any, found: Any) -> bool:
    """Whether a field was read as expected."""
    if name in ("total", "net", "tax"):
        return isinstance(found, float) and abs(found - float(expected)) < _CENT
    if name == "supplier":
        one, other = set(core_of(str(expected))), set(core_of(str(found)))
        return bool(one and other) and (one <= other or other <= one)
    if name in ("vat", "iban", "number"):
        return _bare(expected) == _bare(found)
    return str(expected) == str(found)


def _bare(value: Any) -> str:
    return re.sub(r"[\s./-]", "", str(value)).casefold()


def from_folder(folder: Path) -> Iterator[tuple[str, Mapping[str, Any], Invoice | Unread]]:
    """The documents of a folder: name, expected fields in our words, what was read."""
    for path in sorted(folder.glob("*.pdf")):
        beside = path.with_suffix(".json")
        if not beside.is_file():
            continue
        said = json.loads(beside.read_text("utf-8"))
        first = said[0] if isinstance(said, list) else said
        expected = {_OURS[key]: value for key, value in first.items() if key in _OURS}
        yield path.name, expected, read_invoice(path.read_bytes())


def invented(count: int, seed: int, manner: str) -> Iterator[tuple[str, Mapping[str, Any], Invoice | Unread]]:
    """Documents that are made up as they are asked for."""
    if manner.startswith("kinds"):
        yield from _of_kinds(count, seed, manner)
        return
    sample = _sampler(manner)
    for number in range(count):
        document, facts = sample(random.Random(f"{seed}-{number}"))
        pages = pages_of(document)
        expected = {name: value for name, value in facts.truth().items() if value is not None}
        if not facts.rate:
            del expected["tax"]  # none is printed
        name = f"{number} {facts.country.code} {' '.join(sorted(facts.traps))}".strip()
        yield name, expected, pages if isinstance(pages, Unread) else invoice_of(pages)


def _of_kinds(count: int, seed: int, manner: str) -> Iterator[tuple[str, Mapping[str, Any], Invoice | Unread]]:
    """Bills of every kind in turn. What is no invoice to pay has `payable` alone among its fields, which is False."""
    from evals import invoice_kinds, invoice_kinds_aside
    from evals.invoice_bills import truth

    kinds = (invoice_kinds if manner == "kinds-seen" else invoice_kinds_aside).KINDS
    for number in range(count):
        kind = kinds[number % len(kinds)]
        said, drawn, other = kind(random.Random(f"{seed}-{number}"))
        pages = pages_of(pdf(drawn))
        expected = other if "payable" in other else truth(said, drawn, other)
        name = f"{number} {kind.__name__} {said.code}"
        yield name, expected, pages if isinstance(pages, Unread) else invoice_of(pages)


def _sampler(manner: str) -> Callable[[random.Random], tuple[bytes, Facts]]:
    from evals import invoice_practice, invoice_unseen, invoice_wild

    made: dict[str, Callable[[random.Random], tuple[bytes, Facts]]] = {
        "unseen": invoice_unseen.sample,
        "practice": invoice_practice.sample,
        "wild": invoice_wild.sample,
        "wild-seen": partial(invoice_wild.sample, held_out=False),
    }
    return made[manner]


def main() -> int:
    asked = _asked()
    count: Counter[str] = Counter()
    by_field: dict[str, Counter[str]] = {}
    began = time.process_time()
    found = (
        from_folder(asked.data)
        if asked.data
        else invented(asked.invented, asked.seed, "practice" if asked.practice else asked.manner)
    )
    for name, expected, read in found:
        fields = {} if isinstance(read, Unread) else read.fields
        if isinstance(read, Unread):
            say(f"{name}: {read.why}")
        through = all(each in fields and not fields[each].doubt for each in REQUIRED)
        if "payable" in expected:
            by_field.setdefault("payable", Counter())["wrong" if through else "right"] += 1
            if through:
                say(f"{name}: is no invoice to pay  WRONG")
            continue
        count["documents"] += 1
        count["through"] += through
        for field, value in expected.items():
            one = fields.get(field)
            right = one is not None and same(field, value, one.value)
            outcome = "missing" if one is None else ("right" if right else "wrong") + ("_flagged" if one.doubt else "")
            by_field.setdefault(field, Counter())[outcome] += 1
            if outcome == "wrong" or asked.show:
                said = "nothing" if one is None else f"{one.value!r}" + (f" ({one.doubt})" if one.doubt else "")
                say(f"{name}: {field} is {value!r}, read {said}" + ("  WRONG" if outcome == "wrong" else ""))
    return told(_result(count, by_field, time.process_time() - began), bad=False)


def _result(count: Counter[str], by_field: Mapping[str, Counter[str]], seconds: float) -> dict[str, Any]:
    summed = sum(by_field.values(), Counter())
    fields, documents = sum(summed.values()), count["documents"]
    return {
        "documents": documents,
        "fields": fields,
        "field_accuracy": round((summed["right"] + summed["right_flagged"]) / max(1, fields), 4),
        "straight_through_share": round(count["through"] / max(1, documents), 4),
        "wrong_unflagged": summed["wrong"],
        "flagged_right": summed["right_flagged"],
        "by_field": {name: dict(sorted(each.items())) for name, each in sorted(by_field.items())},
        "cpu_ms_each": round(seconds / max(1, documents) * 1000, 1),
    }


def _asked() -> Any:
    made = parser(__doc__)
    made.add_argument("--data", type=Path, help="a folder of *.pdf with *.json beside")
    made.add_argument("--invented", type=int, default=200, help="how many are made up, without --data (default 200)")
    made.add_argument(
        "--manner", choices=("unseen", "practice", "wild", "wild-seen", "kinds", "kinds-seen"), default="unseen"
    )
    made.add_argument("--practice", action="store_true", help="in the layouts that choices were made on")
    made.add_argument("--show", action="store_true", help="tell every field, not only those that are wrong")
    return made.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
