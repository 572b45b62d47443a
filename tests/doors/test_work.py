"""Two agents that do one piece of work, while pages are published: they know the same, under the rights of now."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.world import Served, secret_of, served, wait_until

from fairlead.clock import SystemClock
from fairlead.context.catalogue import load_catalogue
from fairlead.context.consistency import Step, consistency
from fairlead.storage import pin_rows as pins
from fairlead.storage.fleet import Fleet
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

PAGE = "---\ntitle: Returns\naudience: [{audience}]\n---\n# Returns\nLamps are taken back within {days} days.\n"
TASKS = {"tasks/returns.yaml": "context: 1000\nprefer: [small]\n"}
QUESTION = "echo Within how many days are lamps taken back?"


def page(days: int, audience: str = "staff") -> str:
    return PAGE.format(days=days, audience=audience)


@contextmanager
def deployment(folder: Path, pages: Mapping[str, str]) -> Iterator[Served]:
    with served(folder, {**TASKS, **{f"context/{name}.md": text for name, text in pages.items()}}) as s:
        yield s


def publish_pages(s: Served, pages: Mapping[str, str | None], **more: Any) -> None:
    """Change pages of the workspace (None: delete) and keys of fairlead.yaml, publish, and wait for the worker."""
    workspace = s.folder / "acme"
    for name, text in pages.items():
        path = workspace / "context" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if text is None else path.write_text(text)
    if more:
        whole = json.loads((workspace / "fairlead.yaml").read_text())
        (workspace / "fairlead.yaml").write_text(json.dumps(whole | more))
    clock = SystemClock()
    made = publish(s.store, Fleet(s.store, clock), read_folder(workspace), secret_of, by="test", clock=clock)
    wait_until(lambda: s.running.fairlead.deployment.revision == made.revision)


def ask(s: Served, work: str = "", person: str = "kim") -> tuple[str, dict[str, Any]]:
    """What the model was told, and what Fairlead says of the answer."""
    headers = s.auth(person) | ({"x-fairlead-work": work} if work else {})
    body = {"model": "returns", "messages": [{"role": "user", "content": QUESTION}]}
    reply = httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=body)
    assert reply.status_code == 200, reply.text
    return str(s.provider.received[-1].json["messages"][0]["content"]), reply.json()["fairlead"]


def test_work_goes_on_with_the_pages_that_it_began_under(tmp_path: Path) -> None:
    with deployment(tmp_path, {"returns": page(30)}) as s:
        first, about = ask(s, "order-17")
        assert "within 30 days" in first
        assert "newer" not in about["work"]
        publish_pages(s, {"returns": page(60), "extra": page(90)})
        told, about = ask(s, "order-17")
        assert "within 30 days" in told
        assert "60 days" not in told
        assert told == first  # byte for byte: the pages, their order, their marks
        assert about["work"]["newer"] is True
        assert "within 60 days" in ask(s)[0]
        assert "within 60 days" in ask(s, "order-18")[0]
        assert "within 60 days" in ask(s, "order-17", person="lee")[0], "another person's work of the same name"
        records = [each for each in s.records("call_model") if each.within == about["work"]["id"]]
        assert len({each.snapshot for each in records}) == 1
        assert not [each for each in s.raw_records() if b"order-17" in each]
        live = load_catalogue(s.store, s.running.fairlead.deployment.context.snapshot)
        steps = [Step(r.run, r.at, r.agent, r.task, r.outcome, r.snapshot, r.citations) for r in records]
        report = consistency(about["work"]["id"], steps, live)
        assert (report.consistent, report.steps) == (True, 2)
        assert [(each.item, each.state) for each in report.newer] == [("returns", "changed")]


def test_rights_are_those_of_now_wherever_the_text_has_moved_to(tmp_path: Path) -> None:
    pages = {"returns": page(30), "moved": page(31), "kept": page(32), "taken-back": page(33)}
    with deployment(tmp_path, pages) as s:
        told, _ = ask(s, "w")
        assert all(f"{days} days" in told for days in (30, 31, 32, 33))
        moved: dict[str, str | None] = {"moved": None, "board/here": page(31, "board")}
        publish_pages(s, {"returns": page(30, "board"), "taken-back": None, **moved})
        told, _ = ask(s, "w")
        assert ["30 days" in told, "31 days" in told] == [False, False], "what nobody may read any more"
        assert ["32 days" in told, "33 days" in told] == [True, True], "what may be read, and what was taken back"
        publish_pages(s, {"kept": page(32, "everyone"), "returns": page(30, "everyone")})
        assert "30 days" in ask(s, "w")[0]


def test_rights_that_widen_do_not_open_what_was_closed_when_the_work_began(tmp_path: Path) -> None:
    with deployment(tmp_path, {"returns": page(30, "board"), "other": page(10)}) as s:
        ask(s, "w")
        publish_pages(s, {"returns": page(30)})
        assert "30 days" not in ask(s, "w")[0]
        assert "30 days" in ask(s)[0]


def test_a_pin_ends_when_it_is_ended_or_left_alone(tmp_path: Path) -> None:
    with deployment(tmp_path, {"returns": page(30)}) as s:
        _, about = ask(s, "w")
        publish_pages(s, {"returns": page(60)})
        assert "30 days" in ask(s, "w")[0]
        fleet = Fleet(s.store, SystemClock())
        with s.store.writing() as connection:
            assert pins.release(connection, [about["work"]["id"]]) == 1
            epoch = fleet.announce(connection)
        fleet.wait_until_seen(epoch)
        assert "60 days" in ask(s, "w")[0]
        held = s.running.fairlead.pins
        held.sweep()
        assert s.count("context_pin") == 1
        held.keep = -1
        held.sweep()
        assert s.count("context_pin") == 0


def test_an_estimate_pins_nothing_and_sees_what_is_pinned(tmp_path: Path) -> None:
    with deployment(tmp_path, {"returns": page(30)}) as s:
        body = {"model": "returns", "messages": [{"role": "user", "content": QUESTION}]}
        headers = s.auth() | {"x-fairlead-work": "w", "x-fairlead-dry-run": "estimate"}
        assert httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=body).status_code == 200
        assert s.count("context_pin") == 0
        ask(s, "w")
        publish_pages(s, {"returns": page(60)})
        assert httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=body).status_code == 200
        first, second = s.records("call_model")[1:]
        assert (first.snapshot, second.outcome) == (second.snapshot, "estimated")


def test_nothing_is_pinned_where_the_workspace_says_so(tmp_path: Path) -> None:
    with deployment(tmp_path, {"returns": page(30)}) as s:
        publish_pages(s, {}, context={"pinned": 0})
        _, about = ask(s, "w")
        publish_pages(s, {"returns": page(60)})
        assert "60 days" in ask(s, "w")[0]
        assert ("work" in about, s.count("context_pin")) == (False, 0)


def test_work_that_began_without_any_page_goes_on_without(tmp_path: Path) -> None:
    with deployment(tmp_path, {}) as s:
        ask(s, "w")
        publish_pages(s, {"returns": page(60)})
        assert "60 days" not in ask(s, "w")[0]


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "ä"])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with deployment(tmp_path, {}) as s:
        headers = [(b"authorization", s.auth()["authorization"].encode()), (b"x-fairlead-work", name.encode())]
        body = {"model": "returns", "messages": [{"role": "user", "content": "hi"}]}
        reply = httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=body)
        assert reply.status_code == 400
        assert "x-fairlead-work" in reply.text
