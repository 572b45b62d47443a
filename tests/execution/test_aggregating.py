"""The one way to a lower class, down the whole path: the same question about the same rows stays in the house with the
rows, and may leave with what is told of groups."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.execution.test_tool_call import call
from tests.world import FixedClock, World, world

from fairlead.costs.record import encode_record
from fairlead.costs.told import Arrival
from fairlead.errors import Denied
from fairlead.execution import Answer, call_model
from fairlead.execution.tool_asking import ToolAnswer
from fairlead.labels import DataClass
from fairlead.server.openai.chat_request import read_request
from fairlead.tools.failures import SystemFailed
from fairlead.workspace.problems import InvalidWorkspace

RULE = """
declassify:
  - name: sales_trend
    kind: aggregate
    of: shop.lines
    about: What customers spend, by region.
    arguments: {from: $since, to: $until}
    subject: customer
    by: [region]
    values: {spent: {within: [0, 500], gives: [sum, mean]}}
    at_least: 3
    to: internal
"""
POLICIES = """
@id("all") permit(principal, action, resource);
@id("in-house") @reason("confidential data stays in the house")
forbid(principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.data_class >= 2 };
"""
FILES = {
    "policies/main.cedar": POLICIES,
    "rules/shop.yaml": RULE,
    "tasks/rows.yaml": "context: 500\nlive: [rows]\n",
    "tasks/trend.yaml": "context: 500\nlive: [trend]\n",
    "context/sources.yaml": """
live:
  rows: {tool: shop.lines, arguments: {from: '2026-10-01', to: '2026-11-01'}, title: Lines}
  trend: {tool: shop.sales_trend, title: Sales by region}
""",
}
QUERY = "SELECT region, customer, spent FROM line WHERE day >= :from AND day < :to"
QUESTION = "How do sales develop?"


def shop(tmp_path: Path) -> dict[str, Any]:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE line (region TEXT, customer TEXT, spent REAL, day TEXT)")
        for region, people in {"north": 4, "south": 5, "west": 1}.items():
            for number in range(people):
                row = region, f"{region}-{number}", 10.0 * (number + 2), "2026-10-07"
                database.execute("INSERT INTO line VALUES (?, ?, ?, ?)", row)
        database.execute("INSERT INTO line VALUES ('west', 'erika', 99, '2026-11-07')")
    return {
        "shop": {
            "use": "sql",
            "url": f"sqlite:{tmp_path}/shop.db",
            "data_class": "confidential",
            "queries": {"lines": {"sql": QUERY}},
        }
    }


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, FILES, clock=FixedClock(), systems=shop(tmp_path)) as one:
        yield one


async def test_with_the_rows_a_question_stays_in_the_house_and_with_groups_it_may_leave(w: World) -> None:
    rows = await w.ask(QUESTION, model="rows")
    assert (rows.model.name, rows.labels.data_class) == ("house", DataClass.confidential)
    assert [(each.model, each.reason) for each in rows.dropped] == [("small", "confidential data stays in the house")]
    trend = await w.ask(QUESTION, model="trend")
    assert (trend.model.name, trend.labels.data_class) == ("small", DataClass.internal)
    sent = w.provider.received[-1].body
    assert b"sales" in sent.lower()
    assert b"north-0" not in sent
    assert b"west" not in sent


async def test_an_agent_that_passes_on_rows_stays_in_the_house_and_one_that_passes_on_groups_need_not(
    tmp_path: Path,
) -> None:
    agents = {"bot": {"passes_words_on": False}}
    async with world(tmp_path, FILES, clock=FixedClock(), systems=shop(tmp_path), agents=agents) as w:

        async def asked_with(name: str, arguments: dict[str, Any]) -> ToolAnswer:
            return await call(w, name, arguments, flow="trends")

        async def answered(found: ToolAnswer, flow: str = "trends") -> Answer:
            body = {
                "model": "auto",
                "messages": [
                    {"role": "user", "content": QUESTION},
                    {"role": "assistant", "tool_calls": [
                        {"id": "1", "type": "function", "function": {"name": "shop", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "1", "content": found.result.text},
                ],
            }  # fmt: skip
            request = read_request(msgspec.json.encode(body)).request
            arrival = Arrival(door="openai.chat", flow=flow)
            return await call_model(w.fairlead, w.caller(), request, arrival)

        trend = await answered(await asked_with("shop.sales_trend", {}))
        assert (trend.model.name, trend.labels.data_class) == ("small", DataClass.internal)
        rows = await asked_with("shop.lines", {"from": "2026-10-01", "to": "2026-11-01"})
        kept = await answered(rows)
        assert (kept.model.name, kept.labels.data_class) == ("house", DataClass.confidential)
        assert kept.dropped[0].reason == "confidential data stays in the house"


async def test_what_is_told_is_a_table_of_groups_and_the_record_has_counts_and_no_value(w: World) -> None:
    answer = await call(w, "shop.sales_trend", {})
    assert answer.labels.data_class == DataClass.internal
    data = answer.result.structured
    assert (data["since"], data["until"]) == ("2026-10-01", "2026-11-01")
    (row,) = data["rows"]
    assert row in (
        {"region": "north", "subjects": 4, "spent_sum": 140, "spent_mean": 35},
        {"region": "south", "subjects": 5, "spent_sum": 200, "spent_mean": 40},
    )
    (record,) = w.records("call_tool")
    said = record.declassified
    assert said is not None
    assert (said.rule, said.groups, said.suppressed) == ("shop.sales_trend", 1, 2)
    assert (said.was, said.to, said.since) == ("confidential", "internal", "2026-10-01")
    assert row["region"].encode() not in encode_record(record)
    raw = await call(w, "shop.lines", {"from": "2026-10-01", "to": "2026-11-01"})
    assert raw.labels.data_class == DataClass.confidential
    assert w.records("call_tool")[-1].declassified is None


async def test_what_was_told_of_a_period_is_told_again_and_another_rule_tells_nothing_of_it(
    w: World, tmp_path: Path
) -> None:
    first = (await call(w, "shop.sales_trend", {})).result.structured
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("INSERT INTO line VALUES ('north', 'late', 400, '2026-10-09')")
    assert (await call(w, "shop.sales_trend", {}, person="lee")).result.structured == first
    rules = dict(w.fairlead.deployment.declassify)
    rules["shop.sales_trend"] = type(rules["shop.sales_trend"])(
        setting=rules["shop.sales_trend"].setting, tool="shop.sales_trend", digest="another"
    )
    w.fairlead.deployment.declassify.update(rules)  # type: ignore[attr-defined]
    with pytest.raises(Denied, match="tells nothing of 2026-10-01 to 2026-11-01") as refused:
        await call(w, "shop.sales_trend", {})
    assert "set against each other" in refused.value.why


async def test_a_source_that_does_not_give_all_its_rows_is_told_nothing_of(tmp_path: Path) -> None:
    systems = shop(tmp_path)
    systems["shop"]["most_rows"] = 9
    async with world(tmp_path, FILES, clock=FixedClock(), systems=systems) as w:
        with pytest.raises(SystemFailed, match="did not give all of its rows"):
            await call(w, "shop.sales_trend", {})
        assert w.count("released") == 0
        with pytest.raises(Exception, match="argument"):
            await call(w, "shop.sales_trend", {"region": "west"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("to: internal", "to: confidential"), "gives confidential data"),
        (("to: internal", "to: public\n    take_down: internal"), "gives confidential data"),
        (("shop.lines", "shop.nothing"), "is no declared query"),
        (("{from: $since, to: $until}", "{from: $since, to: '2026-11-01'}"), "lacks $until"),
        (("name: sales_trend", "name: lines"), "is a tool already"),
        (("by: [region]", "by: [customer]"), "named twice"),
        (("within: [0, 500]", "within: [5, 5]"), "first bound"),
        (("at_least: 3", "at_least: 2"), "at_least"),
    ],
)
async def test_a_rule_that_would_tell_too_much_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    from tests.world import secret_of, settings, write_workspace

    from fairlead.clock import SystemClock
    from fairlead.workspace.compile import compile_workspace
    from fairlead.workspace.load import read_folder

    files = {**FILES, "rules/shop.yaml": RULE.replace(*change)}
    folder = write_workspace(tmp_path / "acme", settings("http://127.0.0.1:9", systems=shop(tmp_path)), files)
    with pytest.raises(InvalidWorkspace) as wrong:
        compile_workspace(read_folder(folder), secret_of, now=SystemClock().now())
    assert any(said in str(each) for each in wrong.value.problems), wrong.value.problems
