"""Recorded work, decided anew: nothing differs where nothing was changed, what differs is told with its rule, and what
cannot be decided again is never counted as the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql
from tests.workflows.walking import PAY, PRICE, Shop, shop
from tests.world import secret_of

from fairlead.errors import Denied
from fairlead.workspace.backtest_report import Report, backtested, changed_text
from fairlead.workspace.backtesting import Differs
from fairlead.workspace.remade import remade

RULE = '@id("{id}") @reason("as of Monday")\nforbid(principal, action == Action::"{action}", resource{of});\n'


@asynccontextmanager
async def worked(folder: Path, **more: Any) -> AsyncIterator[Shop]:
    """A deployment that has done some work: a run of a workflow, and questions of two persons."""
    async with shop(folder, PRICE, PAY, **more) as s:
        assert (await s.bought())["status"] == "done"
        for person in ("kim", "lee"):
            await s.w.ask("hello there, calm harbour", person=person)
        yield s


def under(s: Shop, policy: Path, start: int = 0) -> tuple[Report, list[Differs]]:
    w, report = s.w, Report()
    text = changed_text(w.store, w.clock, policy)
    vault = w.fairlead.ledger.vault
    found = list(backtested(w.store, vault, text, start, secret_of, w.clock, report, lambda: None))
    return report, found


def rule(folder: Path, action: str, of: str = "", id: str = "monday") -> Path:
    path = folder / f"{id}.cedar"
    path.write_text(RULE.format(id=id, action=action, of=of))
    return path


async def test_the_revision_in_force_changes_nothing(tmp_path: Path) -> None:
    async with worked(tmp_path) as s:
        report, found = under(s, s.w.folder / "acme")
        assert (found, report.undecided, report.actions) == ([], 0, 5)
        assert report.same == report.decisions == 7  # two calls of tools, two of a model with their replies, one start
        run = s.w.records("call_model")[0].run
        again = remade(s.w.store, s.w.fairlead.ledger.vault, run, secret_of, s.w.clock)
        assert [(each.what, each.came_out) for each in again.parts] == [
            ("policies", "the same"), ("choice of the model", "there was none"), ("context", "there was none"),
        ]  # fmt: skip


async def test_every_decision_that_would_differ_is_told_with_its_rule(tmp_path: Path) -> None:
    async with worked(tmp_path) as s:
        report, found = under(s, rule(tmp_path, "bank.pay"))
        assert [(each.what, each.was, each.would_be, each.rules, each.step) for each in found] == [
            ("tool call", "let pass", "refused", (("monday", "new"),), "pay")
        ]
        assert (report.tools_not_called, list(report.runs)) == (1, [s.w.running.runs.named("wf_")])
        _, found = under(s, rule(tmp_path, "call_model", ' == Model::"small"'))
        assert {each.would_be.partition(" (")[0] for each in found if each.subject == "small"} == {"refused"}
        assert sum(each.cost for each in found) == sum(each.cost for each in s.w.records("call_model"))
        words = tmp_path / "words.cedar"
        words.write_text('@id("leads") forbid(principal, action == Action::"call_model", resource) '
                         'unless { principal in Group::"leads" };\n')  # fmt: skip
        persons = {each.person for each in s.w.records("call_model")}
        _, found = under(s, words)
        assert len({each.person for each in found}) == 1, "lee is one of the leads, and is let pass"
        assert {each.person for each in found} < persons


async def test_every_kind_of_start_is_decided_again(tmp_path: Path) -> None:
    buy = ' == Workflow::"buy"'
    who = f'principal == Person::"lee", action == Action::"start_workflow", resource{buy}'
    no_lee = f'@id("not-lee") @reason("not lee") forbid({who});'
    async with shop(tmp_path, PRICE, PAY, files={"policies/no.cedar": no_lee}) as s:
        run = (await s.bought())["id"]
        failed = (await s.walked(s.begin(article="stone")))["id"]
        copy = s.order(failed, "fork", **{"from": "price"}, input={"article": "lamp"})["id"]
        s.order(failed, "retry")
        with pytest.raises(Denied):
            s.begin(person="lee")
        report, found = under(s, s.w.folder / "acme")
        assert (found, report.undecided) == ([], 0), "each is held against the revision that decided it"
        assert {each.revision for each in s.w.records("workflow_forked")} == {s.w.fairlead.current().revision}
        _, found = under(s, rule(tmp_path, "start_workflow", buy, id="no"))
        starts = [(each.what, each.was, each.would_be, each.run, each.step) for each in found]
        assert starts == [
            ("start", "begun", "refused", run, "its start"), ("start", "begun", "refused", failed, "its start"),
            ("copy", "begun", "refused", copy, "its start"), ("retry", "begun", "refused", failed, "its start"),
        ]  # fmt: skip
        report, found = under(s, open_to_all(tmp_path))
        assert [(each.what, each.was, each.would_be, each.subject) for each in found] == [
            ("start", "refused", "begun", "buy")
        ]


def open_to_all(folder: Path) -> Path:
    path = folder / "more" / "no.cedar"
    path.parent.mkdir()
    path.write_text('@id("not-nobody") forbid(principal == Person::"nobody", action, resource);')
    return path


async def test_what_cannot_be_decided_again_is_told(tmp_path: Path) -> None:
    async with worked(tmp_path) as s:
        with s.w.store.writing() as connection:
            connection.execute(sql("DELETE FROM payload"))
        report, found = under(s, rule(tmp_path, "bank.pay"))
        assert not found
        assert report.undecided_by["tool call: its payload was deleted"] == 2
        assert report.same == 4 + 1, "who has a key stood in the revision, and what labels the text had in the record"
        rules = tmp_path / "rules.yaml"
        rules.write_text("detectors:\n  - {name: harbour, category: harbour, pattern: harbour}\n")
        report, found = under(s, rules)
        assert not found
        assert all("other detectors look" in why or "deleted" in why for why in report.undecided_by)
        assert report.undecided >= 4


async def test_other_detectors_look_at_what_was_kept(tmp_path: Path) -> None:
    async with worked(tmp_path) as s:
        folder = tmp_path / "next"
        folder.mkdir()
        (folder / "rules.yaml").write_text("detectors:\n  - {name: harbour, category: harbour, pattern: harbour}\n")
        (folder / "leave.cedar").write_text('@id("no-harbours") forbid(principal, action == Action::"call_model", '
                                            'resource) when { context.labels.contains("harbour") };\n')  # fmt: skip
        _, found = under(s, folder)
        assert [(each.would_be.partition(" (")[0], each.rules[0]) for each in found if each.what == "model call"] == [
            ("refused", ("no-harbours", "new"))
        ] * 2


async def test_other_caps_are_reckoned(tmp_path: Path) -> None:
    async with worked(tmp_path) as s:
        folder = tmp_path / "acme"
        whole = (folder / "fairlead.yaml").read_text()
        (folder / "fairlead.yaml").write_text(whole.replace('"organisation": "acme",', '"organisation": "acme",\n'
                                              '"budgets": {"organisation": {"monthly": 0.000001}},', 1))  # fmt: skip
        _, found = under(s, folder)
        assert {(each.what, each.was, each.would_be) for each in found} == {("budget", "fits", "over the cap")}
        assert len(found) == 2
