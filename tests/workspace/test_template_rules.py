"""Rules that templates bring along, each by itself: what one attempt cannot pass, many at once cannot either."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
import yaml
from tests.postgres import Server

import fairlead.workspace.solutions as templates
from fairlead.tools.python import load
from fairlead.tools.settings import SqlSettings
from fairlead.tools.sql_mapping import mapped

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


@pytest.mark.parametrize(
    ("article", "found"),
    [
        ("beech chair", "CH-440"),
        ("chairs beech", "CH-440"),
        ("Chair Beech", "CH-440"),
        ("ch-440", "CH-440"),
        ("copper chair", None),
        ('a "quoted"] chair', None),
        ("zs", None),
        ("ssss", None),
        ("sss ss", None),
        ("  ", None),
        ("%%", None),
        ("__", None),
    ],
)
def test_an_article_is_found_by_the_words_of_its_name_in_any_order(
    shops: tuple[Callable[[str], list[str]], ...], article: str, found: str | None
) -> None:
    for asked in shops:
        assert asked(article) == ([found] if found else [])


@pytest.fixture(scope="module")
def shops(postgres: Server) -> Iterator[tuple[Callable[[str], list[str]], ...]]:
    """What the query of the stock finds, in SQLite and in PostgreSQL."""
    made = _ROOT / "store-assistant"
    samples, url = made / "samples" / "store", postgres.make_database()
    small = yaml.safe_load((made / "adds" / "fairlead.yaml").read_text())["systems"]["shop"]["queries"]["stock"]["sql"]
    large = yaml.safe_load((samples / "postgresql.yaml").read_text())["shop"]["queries"]["stock"]["sql"]
    with closing(sqlite3.connect(":memory:")) as file, psycopg.connect(url, autocommit=True) as server:
        file.executescript((samples / "store.sql").read_text())
        server.execute((samples / "postgresql.sql").read_text())
        yield (
            lambda article: [row[0] for row in file.execute(small, _of(article))],
            lambda article: [
                row[0] for row in server.execute(re.sub(r":(\w+)", r"%(\1)s", large.replace("%", "%%")), _of(article))
            ],
        )


def _of(article: str) -> dict[str, str]:
    return {"person": "noor", "article": article}


def test_of_two_at_once_one_gets_the_discount_on_postgresql(postgres: Server) -> None:
    shop = _ROOT / "store-assistant" / "samples" / "store"
    give = yaml.safe_load((shop / "postgresql.yaml").read_text())["shop"]["queries"]["give"]["sql"]
    url = postgres.make_database()

    def given(on: psycopg.Connection[Any], key: str, customer: str) -> list[Any]:
        said = {"key": key, "sku": "SH-100", "customer": customer, "percent": 4, "reason": "scratch", "person": "noor"}
        return on.execute(re.sub(r":(\w+)", r"%(\1)s", give), said).fetchall()

    with psycopg.connect(url) as one, psycopg.connect(url, autocommit=True) as two, ThreadPoolExecutor(1) as beside:
        two.execute((shop / "postgresql.sql").read_text())
        assert given(one, "one", "C-9") == [("one",)]  # and not committed yet
        second = beside.submit(given, two, "two", " c-9")
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)  # it waits for the first
        one.commit()
        assert second.result(timeout=60) == []
        assert given(two, "one", "C-9") == [("one",)]  # the same key, asked again
        assert given(two, "three", "C-7") == []
        assert two.execute("SELECT count(*) FROM discounts").fetchone() == (2,)


def _post(block: dict[str, Any]) -> str:
    """The statement that posts an invoice, for the database of a block of settings."""
    made = _ROOT / "invoice-processing"
    plain = yaml.safe_load((made / "adds" / "fairlead.yaml").read_text())["systems"]["purchasing"]
    settings = msgspec.convert({key: each for key, each in {**plain, **block}.items() if key != "use"}, SqlSettings)
    mapping = (made / "systems" / settings.mapping).read_bytes()
    return mapped("purchasing", settings, {f"systems/{settings.mapping}": mapping}).queries["post"].sql


def _posting(once: str, number: str, billed: float, total: float) -> dict[str, Any]:
    said = {"supplier": "S-100", "number": number, "order_number": "PO-4711", "date": "2026-04-17", "currency": "EUR"}
    return {**said, "total": total, "billed_before": billed, "once": once}


def test_of_two_invoices_of_one_order_at_once_one_is_compared_anew(tmp_path: Path) -> None:
    samples, file, post = _ROOT / "invoice-processing" / "samples" / "invoices", tmp_path / "orders.db", _post({})
    with closing(sqlite3.connect(file)) as made:
        made.executescript((samples / "purchasing.sql").read_text())

    def posted(number: str, billed: float = 0.0, total: float = 400.1) -> int:
        with closing(sqlite3.connect(file)) as on, on:
            return on.execute(post, _posting(number, number, billed, total)).rowcount

    with ThreadPoolExecutor(8) as many:
        assert sorted(many.map(posted, "ABCDEFGH")) == [0] * 7 + [
            1
        ]  # all of them saw an order of which nothing was billed
    with closing(sqlite3.connect(file)) as on:
        [[first]] = on.execute("SELECT number FROM postings WHERE supplier = 'S-100'").fetchall()
        assert on.execute("SELECT invoiced FROM orders WHERE number = 'PO-4711'").fetchone() == (400.1,)
    assert posted(first) == 0  # a try of the same step again: it is there, and nothing is counted twice
    assert posted("Z", 400.1) == 1  # what a person accepted, having seen what was billed
    with closing(sqlite3.connect(file)) as on:
        assert on.execute("SELECT invoiced FROM orders WHERE number = 'PO-4711'").fetchone() == (800.2,)


def test_an_invoice_is_posted_once_however_many_post_at_once_on_postgresql(postgres: Server) -> None:
    samples = _ROOT / "invoice-processing" / "samples" / "invoices"
    post = _post(yaml.safe_load((samples / "postgresql.yaml").read_text()))
    url = postgres.make_database()

    def posted(on: psycopg.Connection[Any], once: str, number: str, billed: float) -> int:
        return on.execute(re.sub(r":(\w+)", r"%(\1)s", post), _posting(once, number, billed, 100.1)).rowcount

    with psycopg.connect(url) as one, psycopg.connect(url, autocommit=True) as two, ThreadPoolExecutor(1) as beside:
        two.execute((samples / "postgresql.sql").read_text())
        two.execute("DROP ROLE IF EXISTS fairlead_posting")
        two.execute("CREATE ROLE fairlead_posting")
        two.execute("GRANT SELECT ON suppliers, orders, postings TO fairlead_posting")
        two.execute("GRANT INSERT ON postings TO fairlead_posting")
        for each in (one, two):
            each.execute("SET ROLE fairlead_posting")
        one.commit()
        # While the first is not committed: the same try again, another run with the same invoice, and another invoice
        # of the same order, which has seen what was billed before the first.
        cases = {"A": ("A", "A", 0.0), "B": ("other run", "B", 200.2), "C": ("third run", "D", 200.2)}
        for number, (again, other, billed) in cases.items():
            assert posted(one, number, number, {"A": 0.0, "B": 100.1, "C": 200.2}[number]) == 1
            second = beside.submit(posted, two, again, other, billed)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.1)  # it waits for the first
            one.commit()
            if number == "B":
                with pytest.raises(psycopg.errors.UniqueViolation):
                    second.result(timeout=60)
            else:
                assert second.result(timeout=60) == 0
        assert posted(two, "fourth run", "D", 300.3) == 1  # compared anew
        rows = two.execute("SELECT number FROM postings WHERE supplier = 'S-100' ORDER BY 1").fetchall()
        assert rows == [("A",), ("B",), ("C",), ("D",)]
        assert two.execute("SELECT invoiced FROM orders WHERE number = 'PO-4711'").fetchone() == (Decimal("400.40"),)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            two.execute("UPDATE orders SET invoiced = 0")
        two.execute("RESET ROLE")
        two.execute("DROP OWNED BY fairlead_posting")
        two.execute("DROP ROLE fairlead_posting")


def test_what_was_accepted_of_an_order_counts_no_more_once_it_was_billed() -> None:
    path = _ROOT / "invoice-processing" / "workflows" / "invoices.py"
    ended = load(path.read_bytes(), path.name).functions["ended"].run
    now = {"fields": {"number": "1"}, "accepted": ["iban", "total", "read date"], "corrected": {}, "ready": True}
    assert ended(now, [{"number": "1"}]) == {**now, "posted": True}
    assert ended(now, []) == {**now, "accepted": ["iban", "read date"], "posted": False}
    assert ended({**now, "ready": False}, [])["accepted"] == now["accepted"]  # nobody has tried to post it yet


def test_a_total_that_a_person_fills_in_is_held_against_net_and_tax() -> None:
    path = _ROOT / "invoice-processing" / "workflows" / "invoices.py"
    functions = load(path.read_bytes(), path.name).functions
    compared, settled = functions["compared"].run, functions["settled"].run
    master = {"id": "S-1", "name": "Nord", "vat": "", "iban": ""}
    order = {"number": "PO-1", "supplier": "S-1", "currency": "EUR", "total": 600.0, "invoiced": 0.0}
    fields = {"supplier": "Nord", "number": "1", "date": "2026-11-02", "currency": "EUR", "order": "PO-1"}
    fields |= {"net": 403.36, "tax": 76.64, "total": 480.0}

    def told(fields: dict[str, Any], accepted: list[str]) -> dict[str, Any]:
        return compared(fields, [], [master], [order], [], accepted)

    assert told(fields, ["read total"])["problems"] == []
    after = settled(told(fields, []), {"total": 300.0}, {})
    asked = told(after["fields"], after["accepted"])
    assert [each["code"] for each in asked["problems"]] == ["sums"]
    assert "come to 480.00, and the total is 300.00" in asked["question"]
    assert settled(asked, {"accept": True}, {})["ready"]


def test_who_accepts_a_problem_accepts_nothing_that_other_fields_make_of_it() -> None:
    path = _ROOT / "invoice-processing" / "workflows" / "invoices.py"
    settled = load(path.read_bytes(), path.name).functions["settled"].run
    fields = {"supplier": "Nord", "number": "1", "total": 600.0}
    matched = {"fields": fields, "accepted": ["read date"], "problems": [{"code": "iban"}, {"code": "total"}]}
    assert settled({**matched, "posting": {}}, {"accept": True}, {})["ready"]
    again = settled({**matched, "posting": {}}, {"accept": True, "supplier": "Harbour"}, {})
    assert (again["ready"], again["accepted"]) == (False, ["read date", "read supplier"])
