"""Declared queries: parameters are bound wherever they really stand, and settings that are wrong say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.sql_queries import definitions_of, queries_of
from fairlead.tools.types import Definition


def settings(sql: str, **changed: object) -> SqlSettings:
    return SqlSettings(url="sqlite:x.db", queries={"ask": QuerySettings(sql=sql, **changed)})  # type: ignore[arg-type]


def defined(sql: str, **changed: object) -> Definition:
    return definitions_of("shop", settings(sql, **changed))[0]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT :a, :b, :a", ("a", "b", "a")),
        ("SELECT ':a', \":a\", :b", ("b",)),
        ("SELECT 'it''s :a' || :b", ("b",)),
        ("SELECT E'\\' :a' || :b", ("b",)),
        ("SELECT $$ :a $$, $x$ :a $x$, :b", ("b",)),
        ("SELECT 1 -- :a\n, :b", ("b",)),
        ("SELECT 1 /* :a */, :b", ("b",)),
        ("SELECT x::text, :b::int, y[1:2]", ("b",)),
        ("SELECT 1", ()),
    ],
)
def test_parameters_are_found_where_they_really_stand(sql: str, names: tuple[str, ...]) -> None:
    assert queries_of("shop", settings(sql))["ask"].names == names


@given(st.lists(st.sampled_from([":a", "':a'", "::a", " x ", "--:a\n", "%", "%(a)s", "/*:a*/", '":a"', "$$:a$$"])))
def test_taking_a_query_apart_loses_nothing(pieces: list[str]) -> None:
    sql = "SELECT " + " ".join(pieces) + " x"
    query = queries_of("shop", settings(sql))["ask"]
    assert query.text(":{}", quoted=False) == sql
    assert query.text("%({})s", quoted=True).replace("%%", "\0").replace("%(a)s", ":a").replace("\0", "%") == sql


def test_a_query_is_a_tool_with_its_parameters() -> None:
    made = defined(
        "SELECT :id, :name, :person",
        parameters={"id": {"type": "integer", "default": 7}},
        about="Finds.",
        effect="read",
    )
    assert made.input == {
        "type": "object",
        "properties": {"id": {"type": "integer", "default": 7}, "name": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }
    assert made.description == "Finds."
    assert made.effect == "read"


def test_a_default_stands_in_for_an_argument_that_is_missing() -> None:
    query = queries_of("shop", settings("SELECT :n, :person", parameters={"n": {"type": "integer", "default": 7}}))[
        "ask"
    ]
    assert query.values({}, "ada") == {"person": "ada", "n": 7}
    assert query.values({"n": 8}, "ada") == {"person": "ada", "n": 8}
    with pytest.raises(BadInput):
        query.values({"m": 1}, "ada")


def test_tables_make_a_tool_that_reads() -> None:
    made = definitions_of("shop", SqlSettings(url="sqlite:x", tables=["orders"]))
    assert [(each.name, each.effect) for each in made] == [("select", "read")]
    assert "orders" in made[0].description


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        (settings("SELECT 1", parameters={"a": {}}), "systems.shop.queries.ask.parameters"),
        (settings("SELECT :person", parameters={"person": {}}), "systems.shop.queries.ask.parameters"),
        (settings("SELECT :a", parameters={"a": {"type": "text"}}), "systems.shop.queries.ask.parameters.a.type"),
        (SqlSettings(url="sqlite:x"), "systems.shop"),
        (
            SqlSettings(url="sqlite:x", tables=["t"], queries={"select": QuerySettings(sql="SELECT 1")}),
            "systems.shop.queries",
        ),
        (SqlSettings(url="sqlite:x", queries={"Drop It": QuerySettings(sql="SELECT 1")}), "systems.shop.queries"),
    ],
)
def test_settings_that_are_wrong_name_their_key(wrong: SqlSettings, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        definitions_of("shop", wrong)
    assert refused.value.message.startswith(key)
    assert refused.value.mend
