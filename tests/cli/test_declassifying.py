"""The declared ways to a lower class at the command line."""

import sqlite3
from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.clock import SystemClock
from fairlead.policy.periods import last_over

RULE = """
declassify:
  - name: sales_trend
    kind: aggregate
    of: shop.lines
    arguments: {since: $since, until: $until}
    subject: customer
    by: [region]
    values: {spent: {within: [0, 500]}}
    at_least: 3
  - {kind: decision, name: summary, role: publisher}
"""
SYSTEM = """
systems:
  shop:
    use: sql
    url: sqlite:FILE
    data_class: confidential
    queries:
      lines: {sql: "SELECT region, customer, spent FROM line WHERE day >= :since AND day < :until"}
rules:
  - {allow: {}}
"""


def test_what_would_be_left_out_is_shown_and_what_was_told_is_listed(live: Path, fairlead: Fairlead) -> None:
    day = last_over("month", SystemClock().now()).since
    with sqlite3.connect(live / "shop.db") as database:
        database.execute("CREATE TABLE line (region TEXT, customer TEXT, spent REAL, day TEXT)")
        for region, people in {"north": 4, "south": 5, "west": 1}.items():
            for number in range(people):
                database.execute("INSERT INTO line VALUES (?, ?, ?, ?)", (region, f"{region}{number}", 10, day))
    entry = live / "fairlead.yaml"
    text = entry.read_text().split("\nsystems:")[0]
    entry.write_text(text + SYSTEM.replace("FILE", str(live / "shop.db")).split("rules:")[0])
    (live / "rules").mkdir(exist_ok=True)
    (live / "rules" / "shop.yaml").write_text(RULE)
    policy = '@id("t") permit(principal, action in [Action::"call_tool", Action::"release_result"], resource);\n'
    (live / "policies" / "tools.cedar").write_text(policy)
    assert "nothing was told" in fairlead("declassify", "explain", "sales_trend").err
    applied = fairlead("apply", "--yes")
    assert applied.status == 0, applied.err
    row, decision = fairlead("declassify", "list", "--json").json
    assert (decision["tool"], decision["kind"], decision["by"]) == ("declassify.summary", "decision", "publisher")
    assert "never decides about their own" in fairlead("declassify", "explain", "summary").out
    assert "is decided by people" in fairlead("declassify", "try", "summary").err
    assert "declassify.summary" in fairlead("declassify", "list").out
    assert (row["tool"], row["from"], row["to"], row["told"]) == (
        "shop.sales_trend",
        "confidential",
        "internal",
        "never",
    )
    tried = fairlead("declassify", "try", "sales_trend", "--json")
    assert tried.status == 0, tried.err
    whys = {each["group"][0]: each["why"] for each in tried.json["groups"]}
    assert whys["west"] == "few"
    assert sorted(whys.values()) == ["", "few", "protects"]
    assert "left out: too few" in fairlead("declassify", "try", "shop.sales_trend").out
    assert fairlead("declassify", "list", "--json").json[0]["told"] == "never"
    called = fairlead("tools", "call", "shop.sales_trend", "--json")
    assert called.status == 0, called.err
    explained = fairlead("declassify", "explain", "sales_trend", "--json").json
    assert (explained["history"][0]["groups"], explained["history"][0]["suppressed"]) == (1, 2)
    assert "confidential becomes internal" in fairlead("declassify", "explain", "sales_trend").out
    assert "no rule 'nothing'" in fairlead("declassify", "explain", "nothing").err
