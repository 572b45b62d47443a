"""What the log says of each rule: how often it was asked, how often it applied, and what it would have done."""

from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.cli.policy_hits import AskedOf, counted
from fairlead.costs.record import Record, RecordedError
from fairlead.execution import Answer

RULES = {
    "r1": {
        "watching": AskedOf("shadow", calls=False, replies=True),
        "strict": AskedOf("enforce", calls=True, replies=False),
    }
}


def row(run: str, **more: object) -> Record:
    about = {"kind": "call_model", "outcome": "done", "data_class": "public", "model": "m", "revision": "r1", **more}
    return Record(at=0, run=run, v=1, **about)  # type: ignore[arg-type]


def test_rules_are_counted_by_the_runs_that_they_were_asked_in() -> None:
    records = [
        row("run_1", hits=(("watching", "shadow", "withhold"),)),
        row("run_2"),
        row("run_3", outcome="refused", error=RecordedError("denied"), policies=("strict",)),
        row("run_4", outcome="refused", error=RecordedError("withheld"), hits=(("watching", "shadow", "redact"),)),
        row("run_5", outcome="failed", error=RecordedError("upstream")),
        row("run_6", kind="attempt"),
        row("run_7", revision="unknown"),
        row("run_8", data_class=""),
    ]
    watching, strict = counted(records, RULES)
    assert (watching.rule, watching.mode, watching.evaluated, watching.hits) == ("watching", "shadow", 3, 2)
    assert watching.effects == {"redact": 1, "withhold": 1}
    assert watching.runs == ("run_4", "run_1")
    assert (strict.rule, strict.evaluated, strict.hits, strict.effects) == ("strict", 5, 1, {"refuse": 1})
    assert strict.share == 0.2


def test_the_command_shows_every_rule_in_force(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    rows = {row["rule"]: row for row in fairlead("policy", "hits", "--json").json}
    assert all(row["mode"] == "enforce" and row["hits"] == 0 for row in rows.values())
    assert max(row["evaluated"] for row in rows.values()) == 1
    assert "change nothing" in fairlead("policy", "hits").err
