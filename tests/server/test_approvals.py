"""Questions about calls, answered over HTTP: by callers with their own credential, and by signed links."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.execution.test_tool_call import FILES, SYSTEMS
from tests.world import Served, served

from fairlead.errors import NotFound
from fairlead.execution.approval_question import Question, Why

APPROVALS = {"roles": {"finance-lead": {"persons": ["lee"]}}}
HOUR = 3_600_000


def serving(folder: Path, **more: Any) -> Any:
    return served(folder, FILES, systems=SYSTEMS, **{"approvals": APPROVALS, **more})


def asked(s: Served, payee: str = "B2", person: str = "kim") -> str:
    fairlead = s.running.fairlead
    question = Question(
        person=person, tenant="", agent="", department="sales", tool="bank.transfer", digest="0" * 64,
        revision=fairlead.deployment.revision, arguments={"payee": payee, "amount": 75}, sources={"payee": ("user",)},
        facts={"balance": "100.0"}, reasons=(Why("large", "larger transfers are looked at"),),
        wanted={"finance-lead": 1},
    )  # fmt: skip
    return fairlead.approvals.held_or_asked(question, f"key:{person}").id


def answer(s: Served, id_: str, person: str = "lee", **body: Any) -> httpx.Response:
    said = body or {"decision": "approve", "reason": "agreed"}
    return httpx.post(f"{s.url}/v1/approvals/{id_}", headers=s.auth(person), json=said)


def link(s: Served, id_: str, person: str = "lee", role: str = "finance-lead", hours: float = 1) -> str:
    now = s.running.fairlead.clock.now()
    return f"{s.url}/approve/{s.running.fairlead.approvals.link(id_, person, role, int(now + hours * HOUR))}"


def test_who_has_the_role_sees_the_question_and_answers_it(tmp_path: Path) -> None:
    with serving(tmp_path) as s:
        id_ = asked(s)
        for person, count in (("lee", 1), ("kim", 1), ("max", 0)):
            listed = httpx.get(f"{s.url}/v1/approvals", headers=s.auth(person)).json()["data"]
            assert len(listed) == count
        found = httpx.get(f"{s.url}/v1/approvals/{id_}", headers=s.auth("lee")).json()
        assert (found["arguments"], found["facts"], found["yours"]) == (
            {"payee": "B2", "amount": 75},
            {"balance": "100.0"},
            ["finance-lead"],
        )
        assert httpx.get(f"{s.url}/v1/approvals/{id_}", headers=s.auth("max")).status_code == 404
        assert answer(s, id_, "max").status_code == 404
        own = answer(s, id_, "kim")
        assert (own.status_code, own.json()["error"]["code"]) == (403, "own_call")
        done = answer(s, id_)
        assert (done.status_code, done.json()["state"]) == (200, "granted")
        assert done.json()["answers"][0]["reason"] == "agreed"
        assert answer(s, id_).json()["error"]["code"] == "approval_not_open"
        (record,) = s.records("approval_granted")
        assert record.credential == "key:lee"


def test_bad_answers_change_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as s:
        id_ = asked(s)
        for body in (
            {"decision": "perhaps"},
            {"decision": "approve", "reason": 3},
            {"reason": "x"},
            {"decision": "approve", "as": "kim"},
        ):
            assert answer(s, id_, **body).status_code == 400
        assert httpx.post(f"{s.url}/v1/approvals/{id_}", json={"decision": "approve"}).status_code == 401
        trial = {**s.auth("lee"), "x-fairlead-dry-run": "estimate"}
        tried = httpx.post(f"{s.url}/v1/approvals/{id_}", headers=trial, json={"decision": "approve"})
        assert "dry-run" in tried.json()["error"]["message"]
        assert httpx.get(f"{s.url}/v1/approvals?state=odd", headers=s.auth("lee")).status_code == 400
        assert s.running.fairlead.approvals.one(id_).state == "pending"


def test_a_link_shows_the_question_and_decides_only_when_it_is_told_to(tmp_path: Path) -> None:
    with serving(tmp_path) as s:
        id_ = asked(s, payee='<script>alert("x")</script>\u202e')
        page = httpx.get(link(s, id_))
        assert page.status_code == 200
        assert "<script>" not in page.text
        assert "\u202e" not in page.text
        assert "larger transfers are looked at" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert s.running.fairlead.approvals.one(id_).state == "pending"
        assert httpx.post(link(s, id_), data={"decision": "perhaps"}).status_code == 400
        done = httpx.post(link(s, id_), data={"decision": "deny", "reason": "who is that?"})
        assert (done.status_code, "Denied" in done.text) == (200, True)
        found = s.running.fairlead.approvals.one(id_)
        assert (found.state, found.answers[0].by, found.answers[0].reason) == ("denied", "lee", "who is that?")
        assert s.records("approval_denied")[0].credential == "link"
        again = httpx.post(link(s, id_), data={"decision": "approve"})
        assert again.status_code == 403
        assert s.running.fairlead.approvals.one(id_).state == "denied"


def test_a_link_is_for_one_person_question_role_and_time(tmp_path: Path) -> None:
    with serving(tmp_path) as s:
        id_ = asked(s)
        good = link(s, id_)
        said, _, code = good.rpartition("/")[2].partition(".")
        other = link(s, asked(s, person="max")).rpartition("/")[2]
        forged = [
            f"{said}.{other.partition('.')[2]}", f"{said[:-2]}xx.{code}", said, f"{said}.", f".{code}", "x" * 5000,
            quote("é"),
        ]  # fmt: skip
        for token in forged:
            assert httpx.get(f"{s.url}/approve/{token}").status_code == 404
            assert httpx.post(f"{s.url}/approve/{token}", data={"decision": "approve"}).status_code == 404
        assert httpx.get(link(s, id_, hours=-1)).status_code == 404
        assert httpx.get(link(s, id_, "max")).status_code == 404  # who has no such role, has none by a link
        assert httpx.get(link(s, id_, "kim")).status_code in (403, 404)
        assert httpx.get(link(s, id_, role="ceo")).status_code == 404
        assert s.running.fairlead.approvals.one(id_).state == "pending"
        with pytest.raises(NotFound):
            s.running.fairlead.approvals.linked(said + "." + code[::-1])
        assert httpx.post(good, data={"decision": "approve"}).status_code == 200
