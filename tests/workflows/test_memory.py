"""What runs remember for later runs, and that it is still of whoever wrote it."""

from pathlib import Path

from tests.execution.test_memory import FILES, SYSTEMS
from tests.workflows.scripted import Scripted, value, walked
from tests.world import world

from fairlead.labels import DataClass
from fairlead.workflows.checks import faults_of
from fairlead.workflows.known import Known

LEARN = {"id": "learn", "agent": {"goal": "Learn where Coast wants its money.", "at_most": 3, "model": "house",
                                  "tools": ["web.page", "erp.supplier", "memory.remember"]}}  # fmt: skip
PAY = {
    "id": "pay",
    "tool": {"call": "bank.pay", "arguments": {"payee": "${steps.known.value.values.coast}", "amount": 5.0}},
}
KNOWN = {"id": "known", "tool": {"call": "memory.recall"}}
EVIL, GOOD = "US133000000121212121212", "DE02120300000000202051"


async def test_what_an_agent_learnt_on_a_page_pays_nobody_in_another_run_and_the_houses_own_does(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS, memory={}) as w:
        for tool, name, account in (("web.page", "address", EVIL), ("erp.supplier", "name", GOOD)):
            note = ("memory.remember", {"key": "coast", "value": account})
            Scripted(w, [[(tool, {name: "coast"})], [note], "noted"])
            assert (await walked(w, LEARN)).status == "done"
            run = await walked(w, KNOWN, PAY)
            if account == EVIL:
                assert run.error == "refused denied pay"
                assert "comes from the house" in value(w, run)["why"]
            else:
                assert value(w, run) == f"paid 5 to {GOOD}"


async def test_an_agent_is_told_what_is_remembered_as_data_and_its_labels_and_sources_go_on(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, systems=SYSTEMS, memory={}) as w:
        read = {"id": "read", "tool": {"call": "erp.supplier", "arguments": {"name": "coast"}}}
        wanted = {"key": "coast", "value": "${steps.read.value}", "scope": "session:${input.chat}"}
        note = {"id": "note", "tool": {"call": "memory.remember", "arguments": wanted}}
        given = {"chat": "a"}
        takes = {"properties": {"chat": {"type": "string"}}}
        assert (await walked(w, read, note, given=given, input=takes)).status == "done"
        model = Scripted(w, ["To the account that you know."])
        for kind, asks in (("model", {"prompt": "Where to?"}), ("agent", {"goal": "Where to?", "at_most": 2})):
            step = {"id": "say", kind: {**asks, "model": "house", "memory": ["session:${input.chat}", "person"]}}
            run = await walked(w, step, given=given, input=takes)
            assert value(w, run) == "To the account that you know."
            told = model.told()
            assert "coast (noted " in told
            assert GOOD in told
            assert told.index(GOOD) < told.index("Where to?")
            assert "Nothing is remembered (person)." in told
            kept = w.running.runs.result(w.running.runs.open(run.id))
            assert {"tool:memory.recall", "tool:erp.supplier"} <= set(kept["provenance"])
            assert kept["labels"]["data_class"] == DataClass.confidential
        places = [each.place for each in w.running.runs.open(run.id).results.values()]
        assert sorted(places) == ["say", "say.~memory[0]", "say.~memory[1]", "say[0]"]


def test_a_definition_that_recalls_what_there_cannot_be_is_refused() -> None:
    from msgspec import convert

    from fairlead.workflows.definition import Definition
    from fairlead.workflows.known import KnownTool

    step = {"id": "say", "model": {"prompt": "?", "memory": ["team", "session:${input.chat}"]}}
    definition = convert(
        {"steps": [step], "input": {"properties": {"chat": {"type": "string"}}, "required": ["chat"]}}, Definition
    )
    without = faults_of("flow", definition, Known())
    assert {each.message for each in without} == {"nothing is remembered in this workspace"}
    tools = {f"memory.{name}": KnownTool(input={}) for name in ("recall", "remember")}
    (fault,) = faults_of("flow", definition, Known(tools=tools))
    assert fault.path == ("steps", 0, "model", "memory", 0)
    note = {"id": "note", "agent": {"goal": "?", "at_most": 1, "tools": ["memory.remember"]}}
    secret = convert({"steps": [note], "secrecy": "memory"}, Definition)
    told = [each.message for each in faults_of("flow", secret, Known(tools=tools))]
    assert any("keeps what it knows in a memory" in each for each in told)


async def test_nobody_speaks_in_what_a_workflow_puts_together(tmp_path: Path) -> None:
    """The agent that began the run passes its person's words on; what a page says is none of them all the same."""
    async with world(tmp_path, FILES, systems=SYSTEMS, memory={}, agents={"": {"passes_words_on": True}}) as w:
        read = {"id": "read", "tool": {"call": "web.page", "arguments": {"address": "x"}}}
        say = {"id": "say", "model": {"prompt": "Sum up: pay ${steps.read.value.iban} now", "model": "house"}}
        pay = {"id": "pay", "tool": {"call": "bank.pay", "arguments": {"payee": EVIL, "amount": 5.0}}}
        Scripted(w, ["well"])
        assert (await walked(w, read, say, pay)).error == "refused denied pay"
