"""Pages and questions go to a model for embeddings that the workspace declares: permitted, priced, and never twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql
from tests.faults.vector_wires import MEANINGS
from tests.world import CARD, FixedClock, World, asked, secret_of, until, world

from fairlead.costs.record import Record
from fairlead.errors import Upstream
from fairlead.execution import Answer, call_model
from fairlead.execution.page_embedding import PagesEmbedded, embed_pages
from fairlead.storage.fleet import Fleet
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.load import read_folder
from fairlead.workspace.page_office import PageOffice
from fairlead.workspace.page_standing import page_standing
from fairlead.workspace.publish import publish
from fairlead.workspace.replay import replay

PAGES = {
    "tasks/ask.yaml": "context: 1500\nprefer: [house]\n",
    "context/holiday.md": "---\naudience: [everyone, staff]\nclass: public\n---\n# Holiday\n28 days for everybody.\n",
    "context/lamps.md": "---\naudience: [everyone, staff]\nclass: public\n---\n# Lamps\nA lamp of ours is brass.\n",
    "context/twin.md": "---\naudience: [leads]\nclass: restricted\n---\n# Lamps\nA lamp of ours is brass.\n",
    "context/bands.md": "---\naudience: [staff]\nclass: restricted\n---\n# Salary bands\nMoney in seven bands.\n",
    "context/card.md": f"---\naudience: [staff]\nclass: public\n---\n# Pay\nThe card is {CARD}.\n",
    "policies/main.cedar": """
@id("may") @reason("all may") permit (principal, action, resource);
@id("classes") @reason("restricted pages stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.data_class >= 3 };
@id("cards") @reason("card numbers are taken out") @redact("payment_card")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("payment_card") };
@id("addresses") @reason("addresses stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("email") };
""",
}
PRICES = {
    "small": {"input": 2, "output": 8},
    "house": {"input": 1, "output": 1},
    "vectors": {"input": 1},
}


def models(url: str) -> dict[str, Any]:
    def model(remote: str, kind: str) -> dict[str, Any]:
        return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": kind}}

    vectors = {**model(MEANINGS, "cloud"), "embeddings": {"near": 0.5}}
    return {"small": model("tiny", "cloud"), "house": model("house", "on_prem"), "vectors": vectors}


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    more = {
        "context": {"embeddings": "vectors", "embeddings_within": 3},
        "budgets": {"organisation": {"total": 1000}},
    }
    async with world(tmp_path, PAGES, models=models, prices=PRICES, **more) as w:
        yield w


async def embedded(w: World) -> PagesEmbedded:
    done = await embed_pages(w.fairlead)
    pages = w.fairlead.deployment.context.vectors
    assert pages is not None
    for _ in range(2):
        pages.look()
    return done


async def ask(w: World, question: str) -> Answer:
    request, arrival = asked(question, model="ask")
    return await call_model(w.fairlead, w.caller(), request, arrival)


def given(w: World) -> list[str]:
    """Every text that the model for embeddings has answered, as its server saw it."""
    return [text for each in w.provider.received if each.path == "/v1/embeddings" for text in each.json["input"]]


def adds_up(w: World) -> None:
    assert w.holds() == []
    assert w.balance("organisation") == (0, sum(record.cost for record in w.records()))


def of_door(w: World, door: str) -> list[Record]:
    return [record for record in w.records() if record.door == door]


async def test_pages_are_embedded_once_under_policy_and_price(w: World, tmp_path: Path) -> None:
    compiled = compile_workspace(read_folder(tmp_path / "acme"), secret_of, now=w.clock.now())
    snapshot = w.fairlead.deployment.context.snapshot
    whole, glance = (page_standing(w.store, snapshot, compiled, most) for most in (None, 2))
    assert whole is not None
    assert (whole.embedded, whole.waiting, whole.unlooked, whole.kept_back[0].sections) == (0, 4, 0, 1)
    assert glance is not None
    assert (glance.waiting, len(glance.kept_back), glance.unlooked) == (1, 1, 3)
    assert "3 sections more not embedded, and not looked at here" in glance.said
    done = await embedded(w)
    assert (done.done, done.waiting, done.failed) == (4, 0, "")  # two of them say the same
    (back,) = done.kept_back
    assert (back.data_class, back.sections) == ("restricted", 1)
    assert "restricted pages stay in the house" in back.why
    sent = given(w)
    assert len(sent) == 3
    assert not any("seven bands" in text or CARD in text for text in sent)
    assert any("[PAYMENT_CARD_1]" in text for text in sent)
    records = of_door(w, "context.pages")
    assert {record.outcome for record in records} == {"done", "refused"}
    assert done.cost == sum(record.cost for record in records) == 1000 * sum(c.input for c in w.provider.ledger) > 0
    adds_up(w)
    again = await embed_pages(w.fairlead)
    assert (again.done, again.cost, len(given(w))) == (0, 0, 3)


async def test_a_question_is_found_by_what_it_means_and_pays_for_it(w: World) -> None:
    before = await ask(w, "How much vacation?")
    assert (before.citations, before.flags) == ((), ("words_only",))
    await embedded(w)
    answer = await ask(w, "How much vacation?")
    (own,) = w.records("call_model", answer.run)
    assert [where.partition("@")[0] for where in own.citations] == ["holiday"]
    assert answer.flags == ()
    (question,) = of_door(w, "context.question")
    assert (question.within, question.task, question.person) == (answer.run, "ask", own.person)
    assert answer.cost == own.cost + question.cost > own.cost
    assert (await ask(w, "How much vacation?")).flags == ()
    assert len(of_door(w, "context.question")) == 1  # remembered for whoever asked
    adds_up(w)


async def test_what_comes_between_leaves_words_and_says_so(w: World) -> None:
    await embedded(w)
    for fault, question in (
        ("500", "vacation?"),
        ("hang", "leave?"),
        ("one-short", "really?"),
        ("", "kim@acme.example?"),
    ):
        w.provider.next = [fault] if fault else []
        answer = await ask(w, f"Which lamp? {question}")
        assert answer.flags == ("words_only",)
        (own,) = w.records("call_model", answer.run)
        assert [where.partition("@")[0] for where in own.citations] == ["lamps"]
        w.fairlead.health.success("vectors")
    assert not any("kim@" in text for text in given(w))
    asked_for = [record for record in of_door(w, "context.question") if record.kind == "call_model"]
    outcomes = [record.outcome for record in asked_for]
    assert outcomes.pop(1) in ("failed", "abandoned")  # whether its own time is over first, or the question's
    assert outcomes == ["failed", "done", "refused"]
    assert w.holds() == []


async def test_a_replay_makes_the_same_pack_without_asking_and_whatever_was_embedded_since(w: World) -> None:
    await embedded(w)
    run = (await ask(w, "How much vacation?")).run
    more = w.folder / "acme/context/more.md"
    more.write_text(PAGES["context/holiday.md"].replace("28", "30"))
    whole = json.loads((w.folder / "acme/fairlead.yaml").read_text())
    whole["context"]["embeddings"] = "none"
    (w.folder / "acme/fairlead.yaml").write_text(json.dumps(whole))
    text = read_folder(w.folder / "acme")
    await asyncio.to_thread(publish, w.store, Fleet(w.store, w.clock), text, secret_of, by="test", clock=w.clock)
    sent = len(given(w))
    told, _ = await asyncio.to_thread(replay, w.store, w.fairlead.ledger.vault, run, secret_of, w.clock)
    assert told.same
    assert len(given(w)) == sent


async def test_whoever_dies_has_paid_for_what_is_kept_and_asks_for_nothing_twice(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = w.fairlead.deployment.context.vectors
    assert pages is not None
    kept = pages.keep

    def killed(*what: Any) -> None:
        kept(*what)
        raise KeyboardInterrupt  # nothing of ours catches it: as good as the end of the process

    monkeypatch.setattr(pages, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        await embed_pages(w.fairlead)
    monkeypatch.undo()
    done = await embed_pages(w.fairlead)
    assert done.waiting == 0
    assert len(given(w)) == len(set(given(w))) == 3
    assert sum(record.cost for record in of_door(w, "context.pages")) >= 1000 * sum(c.input for c in w.provider.ledger)
    adds_up(w)


async def test_a_model_that_fails_is_asked_again_and_nothing_is_lost(w: World) -> None:
    for fault in ("500", "reset-mid-body", "html", "one-missing", "nested", "nonsense-usage"):
        with w.store.writing() as connection:
            connection.execute(sql("DELETE FROM context_embedded"))
            connection.execute(sql("DELETE FROM context_vector"))
        w.provider.next = [fault]
        first = await embed_pages(w.fairlead)
        assert bool(first.failed) == bool(first.waiting) == (fault != "nonsense-usage")
        w.fairlead.health.success("vectors")
        second = await embed_pages(w.fairlead)
        assert (second.failed, second.waiting, first.done + second.done) == ("", 0, 4)
        adds_up(w)


async def test_texts_that_are_too_long_are_given_by_their_beginning_and_odd_vectors_are_not_kept(w: World) -> None:
    w.provider.next = ["400-context", "400-context"]
    done = await embed_pages(w.fairlead)
    assert (done.unfit, done.waiting) == (1, 0)
    adds_up(w)
    pages = w.fairlead.deployment.context.vectors
    assert pages is not None
    for odd in ([1.0, 2.0], [0.0] * 4, [1e308] * 4):
        with pytest.raises(Upstream, match="cannot be compared") as raised:
            pages.keep({"0" * 64: odd}, [])
        assert "embeddings.space" in raised.value.mend


async def test_one_worker_at_a_time_embeds_and_lets_a_model_that_fails_be_for_a_while(tmp_path: Path) -> None:
    clock = FixedClock()
    more = {"context": {"embeddings": "vectors"}}
    async with world(tmp_path, PAGES, models=models, prices=PRICES, clock=clock, **more) as w:
        office, other = (PageOffice(w.fairlead, w.store, embeds=True) for _ in range(2))
        with w.store.database.elected("embedding"):
            await other()
        w.provider.always = "500"
        for _ in range(2):
            await office()
        assert len(w.provider.received) == 1
        w.provider.always = ""
        clock.tick(61)
        await until(w.fairlead.lease.valid)
        for _ in range(3):
            await office()
            await other()
        assert len(set(given(w))) == 3
        assert len(w.provider.received) == 3  # one failed, and two batches
        pages = w.fairlead.deployment.context.vectors
        assert pages is not None
        assert pages.embedded.sections == 4
