"""What people answer in a model's place is kept with it, as an example: once, sealed, and gone with its persons."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.erased import erase
from tests.workflows.scripted import Scripted, gone_on, value, walked
from tests.world import MASTER_KEY, World, again, world

from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import Refused
from fairlead.labels import DataClass, Labels
from fairlead.learning.taught import Example, forget, listed, opened, whole
from fairlead.storage import example_rows
from fairlead.storage.example_rows import Which
from fairlead.storage.legal_holds import LegalHold, place_hold
from fairlead.storage.retention import About, Rules, Swept, sweep
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workflows.asked import Order
from fairlead.workflows.lessons import lesson_of
from fairlead.workflows.opened import packed, unpacked
from fairlead.workflows.steering import NotNow
from fairlead.workflows.walk import StepResult

ROLES = {"roles": {"clerk": {"persons": ["lee", "max"]}}}
ANYBODY = '@id("all") permit(principal, action, resource);'
NOBODY = f'{ANYBODY}\n@id("no") forbid(principal, action == Action::"call_model", resource);'
FORM = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


def read(**more: Any) -> dict[str, Any]:
    model = {"prompt": "What is the total of ${input.text}?", "instructions": "Be exact.", "gives": FORM}
    return {"id": "read", "model": {**model, "model": "house", "expert": {"role": "clerk"}, **more}}


RULE = {"check": {"rules": [{"that": "value.total < 100", "otherwise": "the total is too high"}]}}


@asynccontextmanager
async def office(folder: Path, policy: str = NOBODY, **more: Any) -> AsyncIterator[World]:
    async with world(folder, {"policies/all.cedar": policy}, approvals=ROLES, **more) as w:
        yield w


def answer(w: World, run: str, person: str = "lee", at: str = "read.~expert", **more: Any) -> None:
    order = Order(do="approve", at=at, **{"value": {"total": 7}, **more})
    w.running.workflows.carry_out(run, w.caller(person), order)


def kept(w: World) -> list[Example]:
    vault = Vault(MASTER_KEY, StoredSubjects(w.store), SystemClock())
    return list(opened(vault, listed(w.store, Which())))


async def asked(w: World, *steps: dict[str, Any], text: str = "bill 12") -> str:
    return (await walked(w, *(steps or (read(),)), given={"text": text})).id


async def test_what_an_expert_gives_where_no_model_may_is_an_example_with_all_that_was_asked(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        run = await asked(w)
        answer(w, run)
        assert value(w, await gone_on(w, run)) == {"total": 7}
        (example,) = kept(w)
        row = example.row
        assert (row.source, row.workflow, row.run, row.place) == ("expert", "flow", run, "read")
        assert (row.reason, row.code, row.data_class) == ("refused", "denied", DataClass.public)
        (record,) = [each for each in w.records("call_model") if each.run == row.action]
        assert (row.task, row.revision) == (record.task, record.revision)
        told = whole(example)
        assert [(each["role"], each["content"]) for each in told["messages"]] == [
            ("system", "Be exact."),
            ("user", "What is the total of bill 12?"),
            ("assistant", '{"total":7.0}'),
        ]
        assert (told["role"], told["schema"], told["rejected"]) == ("clerk", FORM, [])
        assert "lee" not in str(told), "people stand in what is given away by their ids"


async def test_answers_that_did_not_pass_are_kept_beside_the_one_that_counts(tmp_path: Path) -> None:
    async with office(tmp_path, ANYBODY) as w:
        Scripted(w, ['{"total": 120}', '{"total": 130}'])
        agent = {"goal": "The total of ${input.text}?", "at_most": 2, "gives": FORM, "model": "house"}
        expert = {"role": "clerk", "errors": ["check"]}
        run = await asked(w, {"id": "read", "agent": {**agent, "expert": expert}, **RULE})
        answer(w, run, "max")
        (example,) = kept(w)
        assert [(each.model, each.text) for each in example.content.rejected] == [
            ("house", '{"total": 120}'), ("house", '{"total": 130}')
        ]  # fmt: skip
        assert (example.row.reason, example.row.code) == ("check", "check_failed")
        assert example.row.action == example.content.rejected[-1].run


async def test_a_reply_in_another_form_than_was_asked_for_is_kept_as_not_taken(tmp_path: Path) -> None:
    async with office(tmp_path, ANYBODY) as w:
        Scripted(w, ["Well, 7!", '{"total": 130}'])
        retry = {"retry": {"attempts": 2, "errors": ["check"], "wait": "1s"}}
        run = await asked(w, {**read(expert={"role": "clerk", "errors": ["check"]}), **RULE, **retry})
        answer(w, run, "max")
        (example,) = kept(w)
        assert [(each.model, each.text) for each in example.content.rejected] == [
            ("house", "Well, 7!"), ("house", '{"total": 130}')
        ]  # fmt: skip
        assert all(each.run for each in example.content.rejected)


async def test_an_answer_that_the_check_of_its_step_refuses_is_kept_as_such(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        ask = {"id": "ask", "approval": {"role": "clerk", "ask": "Is it right?", "answer": FORM}}
        ask["check"] = {"rules": [{"that": "value.answer.total < 100", "otherwise": "too high"}]}
        for step, at in (({**read(), **RULE}, "read.~expert"), (ask, "ask")):
            for total in (120, 7):
                run = await asked(w, step)
                answer(w, run, at=at, value={"total": total})
                await gone_on(w, run)
        assert w.running.runs.one(run).status == "done"
        found = {(each.row.place, each.content.answer["total"], each.row.accepted) for each in kept(w)}
        assert found == {("read", 120, False), ("read", 7, True), ("ask", 120, False), ("ask", 7, True)}
        with w.store.reading() as connection:
            assert [each.accepted for each in example_rows.examples(connection, Which(accepted=True))] == [True, True]


async def test_an_expert_whose_answer_does_not_pass_is_asked_again_and_told_why(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        run = await asked(w, {**read(), **RULE})
        for at, total in (("read.~expert", 120), ("read.~expert~1", 130), ("read.~expert~2", 7)):
            ((_, waiting),) = w.running.runs.waits(w.running.runs.open(run))
            assert waiting.id == at
            answer(w, run, at=at, value={"total": total})
            await gone_on(w, run)
        assert (waiting.show["failed"], waiting.show["answered"]) == ("check", {"total": 130})
        assert "too high" in waiting.show["message"]
        assert value(w, w.running.runs.one(run)) == {"total": 7}
        found = {(each.row.place, each.content.answer["total"], each.row.accepted) for each in kept(w)}
        assert found == {("read", 120, False), ("read~1", 130, False), ("read~2", 7, True)}
        stubborn = await asked(w, {**read(), **RULE})
        for at in ("read.~expert", "read.~expert~1", "read.~expert~2"):
            answer(w, stubborn, at=at, value={"total": 120})
            await gone_on(w, stubborn)
        assert w.running.runs.one(stubborn).status == "failed"


async def test_an_example_is_as_secret_as_all_that_any_model_was_given_on_the_way(tmp_path: Path) -> None:
    async with office(tmp_path, ANYBODY) as w:
        Scripted(w, ['{"total": 120}'])
        opened = w.running.runs.open(await asked(w, {**read(), **RULE}))
        ((_, waiting),) = w.running.runs.waits(opened)
        row = opened.results["read"]
        given = unpacked(opened.key.open("read", row.sealed), StepResult)
        given = replace(given, labels=Labels(DataClass.restricted))  # by a page, say, of which the next try had none
        results = {**opened.results, "read": replace(row, sealed=opened.key.seal("read", packed(given)))}
        lesson = lesson_of(replace(opened, results=results), "read.~expert", waiting, w.caller("lee"), 7)
        assert lesson.rejected[0].text == '{"total": 120}'
        assert lesson.labels.data_class == DataClass.restricted


async def test_an_answer_is_never_without_its_example_nor_an_example_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(tmp_path) as w:
        run = await asked(w)
        with monkeypatch.context() as broken:
            broken.setattr(example_rows, "keep", _dies)
            with pytest.raises(OSError, match="killed"):
                answer(w, run)
        assert (kept(w), w.running.runs.one(run).status) == ([], "waiting")
        answer(w, run)
        with pytest.raises(NotNow):
            answer(w, run, "max", value={"total": 8})
        await w.running.stop()
        w.running = await again(w)  # killed before anything walked on
        assert value(w, await gone_on(w, run)) == {"total": 7}
        await gone_on(w, run)
        assert [each.content.answer for each in kept(w)] == [{"total": 7}]


def _dies(*_: object) -> bool:
    raise OSError("killed here")


async def test_what_is_said_without_work_is_no_example_and_what_is_filled_in_is(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        ask = {"id": "ask", "approval": {"role": "clerk", "ask": "Is it right?", "show": "${input.text}"}}
        run = await asked(w, ask)
        answer(w, run, at="ask", value=None)
        denied = await asked(w)
        w.running.workflows.carry_out(denied, w.caller("lee"), Order(do="deny", at="read.~expert"))
        assert kept(w) == []
        ask["approval"] = {**ask["approval"], "answer": FORM}
        run = await asked(w, ask)
        answer(w, run, at="ask")
        (example,) = kept(w)
        assert (example.row.source, example.row.reason, example.content.answer) == ("approval", "asked", {"total": 7})
        assert example.content.messages == [("user", 'Is it right?\n\n"bill 12"')]


async def test_where_nothing_is_kept_of_what_is_said_no_example_is(tmp_path: Path) -> None:
    async with office(tmp_path, payloads="none") as w:
        run = await asked(w)
        answer(w, run)
        assert value(w, await gone_on(w, run)) == {"total": 7}
        assert w.count("example") == 0


async def test_an_example_is_as_secret_as_its_texts_and_gone_with_either_of_its_persons(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        vault = Vault(MASTER_KEY, StoredSubjects(w.store), SystemClock())
        for person in ("lee", "max"):
            answer(w, await asked(w, read(gives={})), person, value="Pay to DE89370400440532013000.")
        examples = kept(w)
        assert {(*each.content.categories, each.row.data_class) for each in examples} == {("iban", 2)}
        with w.store.reading() as connection:
            counts = [example_rows.counted(connection, Which(up_to=each.value)) for each in DataClass]
        assert counts == [0, 0, 2, 2]
        erase(w.store, vault, "lee")
        assert [each.content.person for each in kept(w)] == ["max"]
        erase(w.store, vault, "kim")
        assert w.count("example") == 0
        assert list(opened(vault, [each.row for each in examples])) == [], "a copy of the row does not open either"


async def test_examples_are_kept_as_long_as_payloads_and_while_a_hold_is_on_them(tmp_path: Path) -> None:
    async with office(tmp_path) as w:
        run = await asked(w)
        answer(w, run)
        ((row, _),) = [(each.row, each.content) for each in kept(w)]
        with w.store.writing() as connection:
            place_hold(connection, LegalHold("person", row.by, row.by, 1, "os:test", "a case"))
        rules, later = Rules({"public": 1000}), row.at + 2000

        def swept() -> Swept:
            told = lambda about: deed(w.clock, "retention", by="test", about=about)  # noqa: E731
            return sweep(w.store, rules, later, lambda _: About("", ""), told)

        assert swept().examples == 0
        with pytest.raises(Refused, match="cannot be deleted"):
            forget(w.store, w.clock, [row], by="os:test")
        with w.store.writing() as connection:
            connection.exec_driver_sql("DELETE FROM legal_hold")
        assert (swept().examples, swept().examples, w.count("example")) == (1, 0, 0)
        assert w.records("retention")[-1].about == "1 labelled examples"
