"""One set of queries speaks to databases that name things otherwise: another mapping, and nothing else."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.world import FixedClock

from fairlead.errors import BadInput
from fairlead.tools.cards import NO_CARD
from fairlead.tools.registry import defined
from fairlead.tools.settings import AnySystem, SqlSettings
from fairlead.tools.sql import SqlSystem
from fairlead.tools.sql_mapping import mapped
from fairlead.tools.systems import compile_system
from fairlead.tools.types import Credential, SystemCall

OTHERS = """
CREATE TABLE "Bestellung" ("BestNr" TEXT, "Lieferant" TEXT, "Brutto_Cent" INTEGER, geloescht INTEGER);
INSERT INTO "Bestellung" VALUES ('B-1', 'L1', 59550, 0), ('B-2', 'L1', 100, 1);
CREATE TABLE "Buchung" ("Beleg" TEXT, "Betrag_Cent" INTEGER, "Schluessel" TEXT UNIQUE);
"""
MAPPING = b"""
tables:
  orders:
    table: Bestellung
    columns:
      number: BestNr
      supplier: Lieferant
      currency: {value: EUR}
      total: {column: Brutto_Cent, hundredths: true}
    where: geloescht = 0
  postings:
    table: Buchung
    columns: {number: Beleg, total: {column: Betrag_Cent, hundredths: true}, once: Schluessel}
"""
QUERIES: dict[str, Any] = {
    "all": {
        "sql": "SELECT number, total, currency FROM orders WHERE total > :more",
        "parameters": {"more": {"type": "number"}},
    },
    "named": {"sql": "WITH dear AS (SELECT * FROM orders) SELECT 'orders' AS said, count(*) AS n FROM dear"},
    "post": {"insert": "postings", "parameters": {"number": {"type": "string"}, "total": {"type": "number"}}},
}


def system(folder: Path, mapping: bytes = MAPPING, **queries: Any) -> SqlSystem:
    path = folder / "others.db"
    if not path.exists():
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(OTHERS)
    plain = {"use": "sql", "url": f"sqlite:{path}", "mapping": "shop.mapping.yaml", "queries": queries or QUERIES}
    settings = msgspec.convert(plain, AnySystem)
    files = {"systems/shop.mapping.yaml": mapping}
    return SqlSystem(
        compile_system("shop", settings, NO_CARD, defined("shop", settings, None, files), files), None, FixedClock()
    )  # type: ignore[arg-type]


async def call(shop: SqlSystem, name: str, key: str = "run:step", **arguments: Any) -> Any:
    tools = {each.name: each for each in await shop.definitions(Credential(kind="none"), 0)}
    made = SystemCall(
        tool=tools[name],
        arguments=arguments,
        credential=Credential(kind="none"),
        person="kim",
        deadline=FixedClock().monotonic() + 60,
        idempotency_key=key,
    )
    result = await shop.call(made)
    assert not result.failed, result.text
    return result.structured


async def test_queries_in_our_words_read_and_write_a_database_that_has_others(tmp_path: Path) -> None:
    shop = system(tmp_path)
    rows = (await call(shop, "all", more=0.5))["rows"]
    assert rows == [{"number": "B-1", "total": 595.5, "currency": "EUR"}]
    assert (await call(shop, "named"))["rows"] == [{"said": "orders", "n": 1}]
    assert (await call(shop, "post", number="R-1", total=595.5))["changed"] == 1
    assert (await call(shop, "post", number="R-1", total=595.5))["changed"] == 0, "the same step again"
    assert (await call(shop, "post", key="run:other", number="R-2", total=0.29))["changed"] == 1
    with closing(sqlite3.connect(tmp_path / "others.db")) as connection:
        assert connection.execute('SELECT "Betrag_Cent" FROM "Buchung"').fetchall() == [(59550,), (29,)]
    definitions = {each.name: each for each in await shop.definitions(Credential(kind="none"), 0)}
    assert (definitions["post"].effect, definitions["post"].idempotent) == ("write", True)
    await shop.close()


async def test_a_value_that_all_rows_have_stands_for_what_is_given_with_an_insert(tmp_path: Path) -> None:
    mapping = MAPPING.replace(b"once: Schluessel", b"currency: {value: EUR}, once: Schluessel")
    text = {"type": "string"}
    post = {"insert": "postings", "parameters": {"number": text, "currency": text, "total": {"type": "number"}}}
    shop = system(tmp_path, mapping, post=post)
    assert (await call(shop, "post", number="R-1", currency="EUR", total=1.0))["changed"] == 1
    with closing(sqlite3.connect(tmp_path / "others.db")) as connection:
        assert connection.execute('SELECT "Beleg", "Betrag_Cent" FROM "Buchung"').fetchall() == [("R-1", 100)]
    await shop.close()


@pytest.mark.parametrize(
    ("mapping", "queries", "said"),
    [
        (MAPPING, {"q": {"sql": "SELECT 1", "insert": "postings"}}, "either `sql` or `insert`"),
        (MAPPING, {"q": {}}, "either `sql` or `insert`"),
        (MAPPING, {"q": {"insert": "postngs"}}, "no table 'postngs'"),
        (MAPPING, {"q": {"insert": "postings", "parameters": {"totl": {}}}}, "no column 'totl'"),
        (MAPPING, {"q": {"sql": "DELETE FROM orders", "effect": "write"}}, "cannot be mapped"),
        (b"tables: {t: {table: T, columns: {a: {}}}}", {"q": {"sql": "SELECT 1"}}, "either `column` or `value`"),
        (b"tables: {t: {tabel: T}}", {"q": {"sql": "SELECT 1"}}, "shop.mapping.yaml"),
        (b"tables: [", {"q": {"sql": "SELECT 1"}}, "shop.mapping.yaml"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_compiled(mapping: bytes, queries: Any, said: str) -> None:
    settings = msgspec.convert({"url": "sqlite:x", "mapping": "shop.mapping.yaml", "queries": queries}, SqlSettings)
    with pytest.raises(BadInput) as caught:
        mapped("shop", settings, {"systems/shop.mapping.yaml": mapping})
    assert said in str(caught.value)


def test_on_postgresql_a_name_of_ours_may_be_theirs_as_well() -> None:
    plain = {"url": "postgresql://h/d", "mapping": "m.yaml", "queries": {"q": {"sql": "SELECT a FROM t"}}}
    text = b"tables: {t: {table: s.t, columns: {a: 'B\"b'}}}"
    made = mapped("shop", msgspec.convert(plain, SqlSettings), {"systems/m.yaml": text})
    assert made.queries["q"].sql == 'WITH t AS (SELECT "B""b" AS "a" FROM "s"."t") SELECT a FROM t'
