"""A header keeps a conversation between calls of chat completions and Messages: whose it is, and how it vanishes."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from anthropic import Anthropic
from openai import OpenAI
from sqlalchemy import text as sql
from tests.doors.remembering import remembering
from tests.world import CARD, Served, key_of, served

from fairlead.storage.legal_holds import LegalHold, place_hold, release_hold

TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with remembering(tmp_path_factory.mktemp("named")) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


def chat(s: Served, session: str, *messages: Any, person: str = "kim", **body: Any) -> httpx.Response:
    given = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    headers = {"authorization": f"Bearer {key_of(person)}", "x-fairlead-session": session}
    whole = {"model": "auto", "messages": given, **body}
    return httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=whole, timeout=60)


def sent(s: Served) -> list[tuple[str, Any]]:
    return [(each["role"], each.get("content")) for each in s.provider.received[-1].json["messages"]]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_conversation_goes_on_by_its_name(s: Served, streamed: bool) -> None:
    name = f"trip.{streamed}"
    with OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), default_headers={"x-fairlead-session": name}) as client:
        for said in ("echo one", "echo two"):
            messages: Any = [{"role": "system", "content": f"be brief: {said}"}, {"role": "user", "content": said}]
            got: Any = client.chat.completions.create(model="small", messages=messages, stream=streamed)
            assert not streamed or list(got)
    # The instructions of a call are its own; what was said is remembered.
    assert sent(s) == [
        ("system", "be brief: echo two"), ("user", "echo one"), ("assistant", "one"), ("user", "echo two")
    ]  # fmt: skip


def test_messages_go_on_with_the_same_conversation(s: Served) -> None:
    assert chat(s, "both", "echo one").status_code == 200
    with Anthropic(base_url=s.url, api_key=key_of("kim"), default_headers={"x-fairlead-session": "both"}) as client:
        client.messages.create(model="small", max_tokens=50, messages=[{"role": "user", "content": "echo two"}])
    assert chat(s, "both", "echo three").status_code == 200
    assert [content for _, content in sent(s)] == ["echo one", "one", "echo two", "two", "echo three"]


def test_the_result_of_a_tool_is_sent_alone(s: Served) -> None:
    asked = chat(s, "tools", "what is it like?", tools=[TOOL]).json()
    (call,) = asked["choices"][0]["message"]["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
    assert chat(s, "tools", result, tools=[TOOL]).json()["choices"][0]["message"]["content"]
    assert [role for role, _ in sent(s)] == ["user", "assistant", "tool"]


def test_a_name_is_each_persons_own(s: Served) -> None:
    chat(s, "mine", "echo kim was here")
    chat(s, "mine", "echo hello", person="lee")
    assert sent(s) == [("user", "echo hello")]
    shown = httpx.get(f"{s.url}/v1/sessions/mine", headers=s.auth("lee")).json()
    assert [each["content"] for each in shown["messages"]] == ["echo hello", "hello"]


def test_a_session_is_the_persons_by_whatever_key_and_decided_by_the_key_that_asks(tmp_path: Path) -> None:
    def key(name: str, department: str) -> dict[str, Any]:
        secret = "sha256:" + hashlib.sha256(key_of(name).encode()).hexdigest()
        return {"secret": secret, "person": "ann", "department": department}

    keys = {
        "desk": key("desk", "sales"),
        "robot": key("robot", "finance"),
        "other": {**key("other", ""), "person": "an"},
    }
    rules = [{"allow": {"departments": ["sales"], "models": ["small"]}}, {"allow": {"models": ["house"]}}]
    with served(tmp_path, keys=keys, rules=rules) as s:
        chat(s, "mine", "echo one", person="desk", model="small")
        denied = chat(s, "mine", "echo two", person="robot", model="small")
        assert denied.json()["error"]["code"] == "denied"
        assert chat(s, "mine", "echo two", person="robot", model="house").status_code == 200
        assert [content for _, content in sent(s)] == ["echo one", "one", "echo two"]
        chat(s, "mine", "echo three", person="other", model="house")
        assert sent(s) == [("user", "echo three")]


def test_a_session_is_shown_and_deleted(s: Served) -> None:
    chat(s, "gone", "echo one")
    shown = httpx.get(f"{s.url}/v1/sessions/gone", headers=s.auth()).json()
    assert (shown["object"], shown["name"]) == ("fairlead.session", "gone")
    assert shown["messages"] == [{"role": "user", "content": "echo one"}, {"role": "assistant", "content": "one"}]
    assert httpx.delete(f"{s.url}/v1/sessions/gone", headers=s.auth()).json()["deleted"]
    for method in ("GET", "DELETE"):
        missing = httpx.request(method, f"{s.url}/v1/sessions/gone", headers=s.auth())
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    chat(s, "gone", "echo two")
    assert sent(s) == [("user", "echo two")]


def test_a_session_that_is_held_is_not_deleted_and_its_person_is_not_told_why(s: Served) -> None:
    run = chat(s, "kept", "echo one").json()["fairlead"]["run"]
    subject = s.records("call_model", run)[-1].person
    for hold in (LegalHold("run", run, subject, 1, "max", "a secret case"),
                 LegalHold("person", subject, subject, 1, "max", "a secret case")):  # fmt: skip
        with s.store.writing() as connection:
            place_hold(connection, hold)
        refused = httpx.delete(f"{s.url}/v1/sessions/kept", headers=s.auth())
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "refused")
        assert "case" not in refused.text
        with s.store.writing() as connection:
            release_hold(connection, hold.kind, hold.what)
    assert httpx.delete(f"{s.url}/v1/sessions/kept", headers=s.auth()).json()["deleted"]


def test_what_was_said_before_counts_for_every_decision(s: Served) -> None:
    first = chat(s, "card", f"echo my card is {CARD}").json()
    assert first["model"] == "house"
    assert chat(s, "card", "echo hello").json()["model"] == "house"
    assert chat(s, "card", "echo hello", model="small").json()["error"]["code"] == "denied"
    priced = chat(s, "card", "hello").json()["usage"]["prompt_tokens"]
    assert priced > chat(s, "fresh", "hello").json()["usage"]["prompt_tokens"]


@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_withheld_broke_off_or_was_only_priced_is_not_remembered(s: Served, streamed: bool) -> None:
    name = f"nothing.{streamed}"
    chat(s, name, "echo a guaranteed profit", stream=streamed)
    s.provider.next = ["reset-mid-body", "reset-mid-body"]
    chat(s, name, "say 40", stream=streamed)
    headers = {**s.auth(), "x-fairlead-session": name, "x-fairlead-dry-run": "estimate"}
    body = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
    assert httpx.post(f"{s.url}/v1/chat/completions", headers=headers, json=body).status_code == 200
    s.provider.next = []
    chat(s, name, "echo hello")
    assert sent(s) == [("user", "echo hello")]


def test_the_bill_and_the_turn_are_one(s: Served) -> None:
    run = chat(s, "one", "echo one").headers["x-fairlead-run"]
    with s.store.reading() as connection:
        ids = connection.execute(sql("SELECT id FROM session_turn")).scalars().all()
    assert run.replace("run_", "turn_", 1) in ids


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("", {}, "x-fairlead-session"),
        ("a b", {}, "x-fairlead-session"),
        ("x" * 129, {}, "x-fairlead-session"),
        ("../etc", {}, "x-fairlead-session"),
        ("fine", {"n": 2}, "n is 2"),
    ],
)
def test_names_that_are_none_and_several_choices_are_refused(
    s: Served, name: str, body: dict[str, Any], said: str
) -> None:
    refused = chat(s, name, "echo one", **body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_input")
    assert said in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {"prompt": "x"}),
        ("/v1/responses", {"input": "x"}),
        ("/v1/embeddings", {"input": "x"}),
    ],
)
def test_other_doors_say_that_they_keep_no_sessions(s: Served, path: str, body: dict[str, Any]) -> None:
    headers = {**s.auth(), "x-fairlead-session": "x"}
    refused = httpx.post(f"{s.url}{path}", headers=headers, json={"model": "small", **body})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_input")


def test_a_conversation_that_is_deleted_while_the_model_answers_is_billed_and_said_so(s: Served) -> None:
    chat(s, "raced", "echo one")
    s.provider.pause, s.provider.next = 0.05, ["trickle"]
    headers = {**s.auth(), "x-fairlead-session": "raced"}
    body = {"model": "small", "messages": [{"role": "user", "content": "say 8"}], "stream": True}
    with httpx.stream("POST", f"{s.url}/v1/chat/completions", headers=headers, json=body, timeout=60) as stream:
        lines = stream.iter_lines()
        next(lines)
        assert httpx.delete(f"{s.url}/v1/sessions/raced", headers=s.auth()).status_code == 200
        rest = "".join(lines)
    s.provider.pause = 0.01
    assert "[DONE]" not in rest
    assert '"code":"not_found"' in rest
    assert httpx.get(f"{s.url}/v1/sessions/raced", headers=s.auth()).status_code == 404
    assert chat(s, "raced", "echo two").status_code == 200
    assert sent(s) == [("user", "echo two")]
    assert s.holds() == []


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_turn_of_a_session_is_no_response(s: Served, method: str) -> None:
    run = chat(s, f"apart.{method}", "echo one").headers["x-fairlead-run"]
    turn = run.replace("run_", "turn_", 1)
    gone = httpx.request(method, f"{s.url}/v1/responses/{turn}", headers=s.auth())
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")
    body = {"model": "small", "input": "echo two", "previous_response_id": turn}
    assert httpx.post(f"{s.url}/v1/responses", headers=s.auth(), json=body).status_code == 404
    chat(s, f"apart.{method}", "echo two")
    assert [content for _, content in sent(s)] == ["echo one", "one", "echo two"]


def test_two_turns_at_once_both_stay(s: Served) -> None:
    chat(s, "twice", "echo one")
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda n: chat(s, "twice", f"echo {n}"), ["two", "three", "four", "five", "six", "seven"]))
    assert {each.status_code for each in got} == {200}
    chat(s, "twice", "echo eight")
    said = [content for role, content in sent(s) if role == "user"]
    assert (said[0], said[-1], len(said)) == ("echo one", "echo eight", 8)
    assert set(said[1:-1]) == {f"echo {each}" for each in ("two", "three", "four", "five", "six", "seven")}


def test_tokens_are_counted_with_what_was_said_before(s: Served) -> None:
    def counted(session: str) -> int:
        with Anthropic(
            base_url=s.url, api_key=key_of("kim"), default_headers={"x-fairlead-session": session}
        ) as client:
            messages: Any = [{"role": "user", "content": "hello"}]
            return client.messages.count_tokens(model="small", messages=messages).input_tokens

    chat(s, "counted", "echo " + "long ago " * 50)
    assert counted("counted") > counted("not-counted") + 100


def test_where_nothing_is_kept_a_session_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, sessions={"keep": 0}) as s:
        refused = chat(s, "any", "hello")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_input")
