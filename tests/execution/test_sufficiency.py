"""Required context on the governed path: what is refused, who is asked, which models are left, and what is told."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.world import FixedClock, World, asked, world

from fairlead.costs.told import Arrival
from fairlead.execution import Answer, quote
from fairlead.execution.insufficient import InsufficientContext
from fairlead.models.types import Chunk, Model
from fairlead.server.about import headers
from fairlead.storage.store import Away

NOW = 1_795_000_000_000  # 2026-11-18


def page(text: str = "Refunds take 30 days.", **front: Any) -> str:
    said = {"title": "Returns", "owner": "care", "kind": "policy", "topics": ["refunds"], "verified": "2026-11-01"}
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in (said | front).items())
    return f"---\n{lines}\n---\n{text}\n"


def task(*needs: Mapping[str, Any], **more: Any) -> str:
    whole = {"context": 500, "requires": [{"need": "refund rules", "topics": ["refunds"], **each} for each in needs]}
    return json.dumps(whole | more)


def deployed(
    folder: Path, need: Mapping[str, Any], pages: Mapping[str, str], clock: FixedClock | None = None, **more: Any
) -> Any:
    files = {"tasks/refund.yaml": task(need, **more), **{f"context/{name}.md": text for name, text in pages.items()}}
    return world(folder, files, clock=clock or FixedClock(NOW), fallback=True)


async def refused(w: World, **more: Any) -> InsufficientContext:
    with pytest.raises(InsufficientContext) as error:
        await w.ask("How long do refunds take?", model="refund", **more)
    assert not w.provider.received
    return error.value


async def test_an_expired_page_is_named_with_its_day_its_owner_and_what_was_done(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    async with deployed(tmp_path, {"otherwise": "ask", "owner": "care"}, {"a": page(expires="2026-11-10")}, clock) as w:
        error = await refused(w)
        assert error.message == "a refund must rest on refund rules, and the page “Returns” [a] expired on 2026-11-10"
        assert error.why == "tasks/refund.yaml says: where refund rules is stale, ask the owner"
        said = r"care was asked on 2026-11-18 to see to refund rules by 2026-11-25 \(req_[0-9a-f]{8}\); ask again then"
        assert re.fullmatch(said, error.mend)
        clock.at += 3 * 86_400_000
        again = await refused(w, person="lee")
        assert again.mend == error.mend  # one request, however many feel the need
        (request,) = w.running.fairlead.requests.listed("open")
        assert (request.kind, request.item, request.cause, request.owner) == ("expired", "a", "2026-11-10", "care")
        (first, _) = w.records("call_model")
        assert first.required == (("refund rules", "stale"),)
        assert first.error is not None
        assert (first.error.code, first.error.step, first.cost) == ("insufficient_context", "stitch", 0)


async def test_only_who_was_asked_is_said_to_have_been_and_a_dry_run_asks_nobody(tmp_path: Path) -> None:
    async with deployed(tmp_path, {"otherwise": "ask", "owner": "care"}, {}) as w:
        request, _ = asked("refund?", model="refund")
        with pytest.raises(InsufficientContext, match="nothing of the kind") as error:
            await quote(w.fairlead, w.caller(), request, Arrival(door="cli", dry_run=True))
        assert error.value.mend == "care would be asked to see to refund rules within 7 days"
        assert w.fairlead.requests.listed() == []
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(w.fairlead.requests, "ask", _away)
            assert (await refused(w)).mend == "care could not be asked for refund rules just now: try again shortly"
        assert (await refused(w)).mend.startswith(
            "care has been asked for refund rules, with 7 days to see to it (req_"
        )


def _away(*_: object) -> str:
    raise Away("the database is away", why="a test")


async def test_a_caveat_goes_to_the_model_the_caller_and_the_text(tmp_path: Path) -> None:
    need = {"verified": True, "otherwise": "caveat_and_ask", "owner": "care"}
    async with deployed(tmp_path, need, {"a": page(verified="2025-01-01", changed="2026-01-01")}) as w:
        delivered: list[str] = []

        async def deliver(_: str, __: Model, chunk: Chunk) -> None:
            delivered.append(chunk.text)

        note = "refund rules: the page [a] was changed on 2026-01-01, after it was verified on 2025-01-01"
        whole = await w.ask("Zebras?", model="refund")
        streamed = await w.ask("How long do refunds take?", model="refund", deliver=deliver, stream=True)
        system = w.provider.received[0].json["messages"][0]["content"]
        assert note in system
        for answer in (whole, streamed):
            (need_told,) = answer.required
            assert (need_told.state, need_told.follows) == ("unverified", "caveat_and_ask")
            assert answer.reply.choices[0].text.endswith(f"\n\nPlease note: {note}.")
        assert "".join([*delivered, *(chunk.text for chunk in streamed.reply.tail)]).endswith(f"{note}.")
        assert (b"x-fairlead-caveats", b"refund rules=unverified") in headers(whole)
        program = await w.ask("refund?", model="refund", response_format={"type": "json_object"})
        assert "Refunds take 30 days." in system  # whether or not it is like the question
        assert "Please note" not in program.reply.choices[0].text  # it is read by a program
        assert program.required == whole.required
        await w.fairlead.requests.settle()
        assert [each.kind for each in w.fairlead.requests.listed("open")] == ["outdated"]


async def test_only_the_models_that_are_left_may_answer(tmp_path: Path) -> None:
    async with deployed(tmp_path, {"otherwise": {"models": ["house"]}}, {"a": page(expires="2026-11-10")}) as w:
        answer: Answer = await w.ask("refund?", model="refund")
        assert answer.model.name == "house"
        (dropped,) = answer.dropped
        assert (dropped.model, dropped.by) == ("small", "context")
        assert dropped.reason.endswith("expired on 2026-11-10; so only house may do it")


async def test_where_no_model_is_left_that_may_answer_it_says_so(tmp_path: Path) -> None:
    files = {
        "tasks/refund.yaml": task({"otherwise": {"models": ["house"]}}),
        "policies/no.cedar": """permit(principal, action, resource);
forbid (principal, action == Action::"call_model", resource == Model::"house");""",
    }
    async with world(tmp_path, files, clock=FixedClock(NOW), fallback=True) as w:
        with pytest.raises(InsufficientContext, match="no model that may do it with what is known") as error:
            await w.ask("refund?", model="refund")
        assert "so only house may do it" in error.value.why


async def test_the_strictest_of_several_needs_decides_and_all_are_recorded(tmp_path: Path) -> None:
    needs = [
        {"otherwise": "caveat"},
        {"need": "voice", "kind": "voice", "topics": [], "otherwise": "ask", "owner": "brand"},
        {"need": "units", "kind": "unit", "topics": []},
        {"need": "page", "item": "a", "topics": []},
    ]
    files = {"tasks/refund.yaml": task(*needs), "context/a.md": page(topics=["other"])}
    async with world(tmp_path, files, clock=FixedClock(NOW)) as w:
        error = await refused(w)
        assert error.message == (
            "a refund must rest on units, and nothing of the kind is here that you may read; "
            "on voice, and nothing of the kind is here that you may read"
        )
        assert "brand has been asked for voice" in error.mend
        (record,) = w.records("call_model")
        assert record.required == (
            ("refund rules", "missing"), ("voice", "missing"), ("units", "missing"), ("page", "met"),
        )  # fmt: skip


async def test_pages_about_which_an_owner_was_asked_contradict_each_other_until_that_is_settled(tmp_path: Path) -> None:
    pages = {"a": page(contradicts=["b"]), "b": page("Refunds take 14 days.", title="Refunds")}
    async with deployed(tmp_path, {"otherwise": "ask", "owner": "care"}, pages) as w:
        error = await refused(w)
        assert error.message.endswith("the pages “Returns” [a] and “Refunds” [b] disagree about it")
        await w.fairlead.requests.follow()
        assert w.fairlead.requests.disputed == {frozenset({"a", "b"})}


@pytest.mark.parametrize("tell", [False, True])
async def test_hidden_pages_are_told_of_only_where_the_task_type_tells(tmp_path: Path, tell: bool) -> None:
    told = {"tell_hidden": True} if tell else {}
    secret = page("The board's plan.", title="Plan", owner="board", audience=["board"])
    said = []
    for name, pages in (("hidden", {"plan": secret}), ("none", {"b": page(topics=["x"], audience=["board"])})):
        folder = tmp_path / name
        folder.mkdir()
        async with deployed(folder, {"otherwise": "ask", "owner": "care", **told}, pages) as w:
            error = await refused(w)
            said.append((error.message, error.why, error.mend, error.subject))
            assert w.records("call_model")[0].required == (
                ("refund rules", "hidden" if name == "hidden" else "missing"),
            )
    assert (said[0] == said[1]) is not tell
    assert not any(word in " ".join(said[0]) for word in ("plan", "Plan", "board"))
