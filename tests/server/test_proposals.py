"""Corrections of pages over HTTP: by whoever may read them, for their owners, and as if not there for all others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.world import Served, key_of, served, wait_until

from fairlead.clock import SystemClock
from fairlead.context.upkeep import proposals
from fairlead.server.proposals import PATH
from fairlead.storage.fleet import Fleet
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish

TRAVEL = "---\nowner: finance\naudience: [staff]\n---\n# Travel\nA hotel may cost 130 a night.\n\nTrains come first.\n"
PAY = "---\nowner: finance\naudience: [leads]\n---\n# Pay\nPay is looked at in spring.\n"
FILES = {
    "context/travel.md": TRAVEL,
    "context/pay.md": PAY,
    "tasks/trips.yaml": "context: 1000\nprefer: [small]\n",
}
RULE = {"item": "travel", "instead": "130 a night", "text": "150 a night"}


class Talk:
    """Requests of the world's persons over one connection."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, path: str, person: str = "kim", headers: dict[str, str] | None = None, **how: Any) -> httpx.Response:
        return self.client.post(path, headers={"x-api-key": key_of(person), **(headers or {})}, **how)

    def send(self, person: str = "kim", headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        return self.post(PATH, person, headers, json={**RULE, **body})

    def get(self, person: str, rest: str = "") -> httpx.Response:
        return self.client.get(PATH + rest, headers={"x-api-key": key_of(person)})

    def ids(self, person: str, rest: str = "") -> list[str]:
        return [each["id"] for each in self.get(person, rest).json()["data"]]


@contextmanager
def talking(folder: Path) -> Iterator[tuple[Served, Talk]]:
    with served(folder, FILES) as s, httpx.Client(base_url=s.url) as client:
        yield s, Talk(client)


def test_a_reader_proposes_the_owner_sees_it_and_for_others_it_is_not_there(tmp_path: Path) -> None:
    with talking(tmp_path) as (s, t):
        asked = {"model": "trips", "messages": [{"role": "user", "content": "echo What may a hotel cost a night?"}]}
        run = t.post("/v1/chat/completions", json=asked).headers["x-fairlead-run"]
        made = t.send(reason="new rates", run=run)
        assert made.status_code == 200, made.text
        about = made.json()
        assert (about["item"], about["owner"], about["state"], about["own"], about["decides"]) == (
            "travel", "finance", "open", True, False,
        )  # fmt: skip
        assert t.send(run=run).json()["id"] == about["id"], "the same words for the same version are one proposal"
        other = t.send("lee").json()["id"]
        assert sorted(t.ids("lee")) == sorted({about["id"], other}), "lee is of finance, which owns the page"
        assert (t.ids("kim"), t.ids("max")) == ([about["id"]], [])
        seen = t.get("lee", f"/{about['id']}").json()
        assert (seen["by"], seen["reason"], seen["run"], seen["decides"]) == ("kim", "new rates", run, True)
        assert seen["wanted"] == seen["read"].replace("130", "150")
        nobody, never = t.get("max", f"/{about['id']}"), t.get("max", "/req_none")
        assert (nobody.status_code, nobody.text.replace(about["id"], "req_none")) == (404, never.text)
        theirs, none = t.send("lee", run=run), t.send("lee", run="run_none")
        assert (theirs.status_code, theirs.text.replace(run, "run_none")) == (404, none.text)
        assert [t.send(run=each).status_code for each in ("last", run[:8])] == [404, 404]
        hidden, absent = (t.send(item=name, instead="spring") for name in ("pay", "joy"))
        assert (hidden.status_code, hidden.text.replace("pay", "joy")) == (404, absent.text)
        assert t.send("lee", item="pay", instead="spring").status_code == 200
        assert not [row for row in s.raw_records() if b"150 a night" in row or b"new rates" in row]


def test_bad_proposals_change_nothing_and_good_ones_show_a_page_while_it_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with talking(tmp_path) as (s, t):
        for body in (
            {"text": None},
            {"instead": ""},
            {"instead": "moon"},
            {"whole": "# Travel\n"},
            {"text": "130 a night"},
            {"text": "x" * 200_001},
            {"reason": "x" * 2_001},
            {"text": "a\0b"},
            {"as": "lee"},
            {"item": "../travel"},
            {"item": "travel\0"},
        ):
            assert t.send(**body).status_code in (400, 404), body
        half = b'{"item": "travel", "instead": "130", "text": "\\ud800"}'
        assert t.post(PATH, content=half).status_code == 400
        assert t.client.post(PATH, json=RULE).status_code == 401
        assert t.send(headers={"x-fairlead-dry-run": "estimate"}).status_code == 400
        assert t.get("kim", "?state=odd").status_code == 400
        assert s.count("context_edit") == s.count("owner_request") == 0
        monkeypatch.setattr(proposals, "MOST_WAITING", 1)
        id_, more = t.send(text="").json()["id"], t.send()
        assert (more.status_code, more.json()["error"]["code"]) == (429, "too_many_waiting")
        assert "cost ." in t.get("kim", f"/{id_}").json()["wanted"], "words may be taken out"
        workspace, clock = s.folder / "acme", SystemClock()
        (workspace / "context" / "travel.md").write_text(TRAVEL.replace("audience: [staff]", "audience: [leads]"))
        made = publish(s.store, Fleet(s.store, clock), read_folder(workspace), lambda _: None, by="test", clock=clock)
        wait_until(lambda: s.running.fairlead.deployment.revision == made.revision)
        mine = t.get("kim", f"/{id_}").json()
        assert (mine["state"], mine.get("read"), mine.get("wanted")) == ("open", None, None)
        assert "wanted" in t.get("lee", f"/{id_}").json()
        assert t.send(text="160 a night").status_code == 404
        theirs = t.post(PATH, "lee", json={"item": "travel", "whole": "# Travel\r\nBy train.\r\n"}).json()["id"]
        with s.store.writing() as connection:
            connection.execute(text("DELETE FROM subject"))
        assert t.ids("lee", "?state=all") == []
        assert t.send("lee").json()["id"] not in ("", theirs), "who was erased meanwhile is somebody new"
        assert len(t.ids("lee")) == 1
