"""Rules that templates bring along, each by itself: what one attempt cannot pass, many at once cannot either."""

import sqlite3
from contextlib import closing
from pathlib import Path

import yaml

import fairlead.workspace.solutions as templates
from fairlead.tools.python import load

_ROOT = Path(templates.__path__[0])


def test_a_customer_gets_one_discount_however_many_ask_at_once() -> None:
    made = _ROOT / "store-assistant"
    give = yaml.safe_load((made / "adds" / "fairlead.yaml").read_text())["systems"]["shop"]["queries"]["give"]["sql"]
    with closing(sqlite3.connect(":memory:")) as shop:
        shop.executescript((made / "samples" / "store" / "store.sql").read_text())

        def given(key: str, customer: str) -> list[tuple[str]]:
            said = {
                "key": key,
                "sku": "SH-100",
                "customer": customer,
                "percent": 4,
                "reason": "scratch",
                "person": "noor",
            }
            return shop.execute(give, said).fetchall()

        assert given("one", "C-9") == given("one", "C-9") == [("one",)]
        assert given("two", " c-9") == []
        assert given("three", "C-10") == [("three",)]
        assert shop.execute("SELECT count(*) FROM discounts").fetchone() == (3,)


def test_who_accepts_a_problem_accepts_nothing_that_other_fields_make_of_it() -> None:
    path = _ROOT / "invoice-processing" / "workflows" / "invoices.py"
    settled = load(path.read_bytes(), path.name).functions["settled"].run
    fields = {"supplier": "Nord", "number": "1", "total": 600.0}
    matched = {"fields": fields, "accepted": ["read date"], "problems": [{"code": "iban"}, {"code": "total"}]}
    assert settled({**matched, "posting": {}}, {"accept": True}, {})["ready"]
    again = settled({**matched, "posting": {}}, {"accept": True, "supplier": "Harbour"}, {})
    assert (again["ready"], again["accepted"]) == (False, ["read date", "read supplier"])
