"""A statement that a model writes is let in piece by piece, and what is run is what was checked."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.statements import HOSTILE, HOSTILE_ON_POSTGRES, USUAL, mutations, selects

from fairlead.errors import BadInput
from fairlead.tools.sql_statement import MOST_TEXT, Dialect, Restriction

TABLES = ("orders", "shops", "reports.totals")
DIALECTS: tuple[Dialect, ...] = ("postgres", "sqlite")


def restricted(text: str, dialect: Dialect = "postgres", *functions: str) -> str:
    return Restriction(dialect, TABLES, functions).restricted(text)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_statement_is_not_run(text: str, dialect: Dialect) -> None:
    with pytest.raises(BadInput) as refused:
        restricted(text, dialect)
    assert refused.value.why
    assert refused.value.mend


@pytest.mark.parametrize("text", HOSTILE_ON_POSTGRES)
def test_a_statement_that_is_hostile_to_one_database_is_not_run_there(text: str) -> None:
    with pytest.raises(BadInput):
        restricted(text)


@pytest.mark.parametrize("text", USUAL)
def test_a_usual_statement_passes(text: str) -> None:
    assert restricted(text)


def test_tables_get_their_schema_and_names_their_quotes() -> None:
    written = restricted("select Id from Orders o join reports.totals using (id)")
    assert '"public"."orders" AS "o"' in written
    assert '"reports"."totals" AS "totals"' in written
    assert 'SELECT "id"' in written


def test_a_subquery_in_with_gets_a_name_that_no_table_has() -> None:
    written = restricted("with secret as (select 1 as a) select secret.a from secret")
    assert written == (
        'WITH "fairlead with secret" AS (SELECT 1 AS "a") SELECT "secret"."a" FROM "fairlead with secret" AS "secret"'
    )


def test_a_name_out_of_scope_finds_nothing_that_is_real() -> None:
    written = restricted("select * from pg_shadow, (with pg_shadow as (select 1 as a) select * from pg_shadow) as x")
    assert '"pg_shadow"' in written  # as an alias
    assert 'FROM "pg_shadow"' not in written


def test_comments_are_not_carried_over() -> None:
    assert restricted("select id /* ; drop */ from orders -- ; delete") == (
        'SELECT "id" FROM "public"."orders" AS "orders"'
    )


def test_a_declared_function_may_be_called_and_no_other_of_its_name() -> None:
    assert "reports" in restricted("select reports.total(id) from orders", "postgres", "reports.total")
    for text in ("select total_of(1)", "select other.total(1)", "select reports.other(1)", 'select "reports.total"(1)'):
        with pytest.raises(BadInput):
            restricted(text, "postgres", "reports.total")


@pytest.mark.parametrize(
    "text",
    [
        "select " + "array[" * 200 + "1" + "]" * 200,
        "select " + "(" * 5000,
        "select " + "- " * 5000 + "1",
        "select " + "not " * 3000 + "true",
        "select " + "case when " * 500 + "1",
        "select " + "+".join("1" * 6000),
        "select 1" + " union select 1" * 900,
        "select " + "cast(" * 60 + "1",
        "select * from " + "(" * 60 + "orders" + ")" * 60,
        "select " + "array[array[array[1]]]," * 100 + "1",
        "select 1::int" + "[]" * 2000,
        "select " + "interval " * 1500,
        "select " + "date " * 2000,
        "select " + "x." * 4000 + "x",
        "select '" + "a" * MOST_TEXT,
        "with " * 1000,
    ],
)
def test_an_involved_statement_comes_to_an_end(text: str) -> None:
    with contextlib.suppress(BadInput):  # without bounds some of these take hours
        restricted(text)


@settings(max_examples=40)
@given(selects(TABLES))
def test_every_select_from_the_list_passes_and_stays_as_it_is_written(text: str) -> None:
    restriction = Restriction("postgres", TABLES)
    written = restriction.restricted(text)
    assert "public" in written or "reports" in written or "FROM" not in written


@settings(max_examples=60)
@given(selects(TABLES).flatmap(mutations))
def test_a_select_into_which_something_forbidden_was_put_does_not_pass(text: str) -> None:
    with pytest.raises(BadInput):
        restricted(text)


@settings(max_examples=50)
@given(st.text(max_size=60), st.sampled_from(DIALECTS))
def test_no_text_breaks_the_restriction(text: str, dialect: Dialect) -> None:
    for given_ in (text, f"SELECT {text} FROM orders", f"SELECT '{text}'"):
        with contextlib.suppress(BadInput):
            restricted(given_, dialect)
