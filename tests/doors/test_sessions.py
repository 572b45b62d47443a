"""Conversations that are remembered between calls, through the Responses door: whose they are, what a model sees of
them, and how they vanish."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI
from sqlalchemy import text as sql
from tests.doors.remembering import remembering
from tests.world import CARD, Served, key_of, served

LIFE = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TOOL: Any = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with remembering(tmp_path_factory.mktemp("sessions")) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


@pytest.fixture
def client(s: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0) as client:
        yield client


def ask(s: Served, said: Any, person: str = "kim", **body: Any) -> dict[str, Any]:
    response = httpx.post(
        f"{s.url}/v1/responses", headers=s.auth(person), json={"model": "auto", "input": said, **body}
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def sent(s: Served) -> list[dict[str, Any]]:
    """The messages that reached the provider last."""
    messages: list[dict[str, Any]] = s.provider.received[-1].json["messages"]
    return messages


def test_a_response_is_gone_on_with(s: Served, client: OpenAI) -> None:
    first = client.responses.create(model="small", input="echo my name is Kim", instructions="be brief")
    second = client.responses.create(model="small", input="echo hello", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    # The instructions of a response are not those of the next, as the protocol has it.
    assert [(m["role"], m["content"]) for m in sent(s)] == [
        ("user", "echo my name is Kim"), ("assistant", "my name is Kim"), ("user", "echo hello")
    ]  # fmt: skip


def test_a_stream_is_remembered_before_it_says_that_it_is_complete(s: Served, client: OpenAI) -> None:
    with client.responses.stream(model="small", input="echo one") as stream:
        first = stream.get_final_response()
    assert client.responses.retrieve(first.id).output_text == "one"
    client.responses.create(model="small", input="echo two", previous_response_id=first.id)
    assert [m["content"] for m in sent(s)] == ["echo one", "one", "echo two"]


def test_several_go_on_from_the_same_response(s: Served) -> None:
    first = ask(s, "echo one")
    ask(s, "echo left", previous_response_id=first["id"])
    ask(s, "echo right", previous_response_id=first["id"])
    assert [m["content"] for m in sent(s)] == ["echo one", "one", "echo right"]


def test_the_result_of_a_function_is_sent_alone(s: Served) -> None:
    asked = ask(s, "what is it like?", tools=[TOOL])
    call = asked["output"][0]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    answer = ask(s, [result], tools=[TOOL], previous_response_id=asked["id"])
    assert answer["output"][0]["type"] == "message"
    assert [m["role"] for m in sent(s)] == ["user", "assistant", "tool"]


def test_a_conversation_goes_on_by_its_name(s: Served, client: OpenAI) -> None:
    items: Any = [{"type": "message", "role": "developer", "content": "be kind"}]
    conversation = client.conversations.create(metadata={"about": "ships"}, items=items)
    assert client.conversations.retrieve(conversation.id).metadata == {"about": "ships"}
    first = client.responses.create(model="small", input="echo one", conversation=conversation.id)
    assert first.conversation is not None
    assert first.conversation.id == conversation.id
    client.responses.create(model="small", input="echo two", conversation={"id": conversation.id})
    assert [m["content"] for m in sent(s)] == ["be kind", "echo one", "one", "echo two"]
    assert client.conversations.delete(conversation.id).deleted
    for gone in (lambda: client.responses.retrieve(first.id), lambda: client.conversations.retrieve(conversation.id)):
        with pytest.raises(openai.NotFoundError):
            gone()


def test_a_response_is_shown_to_its_owner_and_deleted(s: Served, client: OpenAI) -> None:
    items: Any = [{"role": "user", "content": "one"}, {"role": "user", "content": "echo two"}]
    made = client.responses.create(model="small", input=items, metadata={"a": "b"})
    shown = client.responses.retrieve(made.id)
    assert (shown.id, shown.status, shown.output_text, shown.metadata) == (made.id, "completed", "two", {"a": "b"})
    assert shown.usage == made.usage
    listed = client.responses.input_items.list(made.id, order="asc", limit=1)
    assert [item.content[0].text for item in listed] == ["one", "echo two"]  # type: ignore[union-attr]
    client.responses.delete(made.id)
    for gone in (client.responses.retrieve, client.responses.input_items.list, client.responses.delete):
        with pytest.raises(openai.NotFoundError):
            gone(made.id)


def test_what_goes_on_from_a_deleted_response_is_refused(s: Served, client: OpenAI) -> None:
    first = ask(s, "echo one")
    second = ask(s, "echo two", previous_response_id=first["id"])
    client.responses.delete(first["id"])
    with pytest.raises(openai.NotFoundError, match="not complete"):
        client.responses.create(model="small", input="three", previous_response_id=second["id"])


def test_store_false_keeps_nothing_and_reads_all_the_same(s: Served, client: OpenAI) -> None:
    first = ask(s, "echo one")
    before = s.count("session_turn")
    second = ask(s, "echo two", previous_response_id=first["id"], store=False)
    assert second["store"] is False
    assert len(sent(s)) == 3
    assert s.count("session_turn") == before
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(second["id"])


def test_what_is_somebody_elses_is_as_what_never_was(s: Served) -> None:
    made = ask(s, "echo one")
    unknown = "resp_" + "0" * len(made["id"].removeprefix("resp_"))
    auth = s.auth("lee")
    conversation = httpx.post(f"{s.url}/v1/conversations", headers=s.auth("kim"), json={}).json()["id"]

    def told(id_: str, other: str) -> list[tuple[int, str]]:
        body = {"model": "auto", "input": "x"}
        answers = [
            httpx.get(f"{s.url}/v1/responses/{id_}", headers=auth),
            httpx.get(f"{s.url}/v1/responses/{id_}/input_items", headers=auth),
            httpx.delete(f"{s.url}/v1/responses/{id_}", headers=auth),
            httpx.post(f"{s.url}/v1/responses", headers=auth, json={**body, "previous_response_id": id_}),
            httpx.get(f"{s.url}/v1/conversations/{other}", headers=auth),
            httpx.delete(f"{s.url}/v1/conversations/{other}", headers=auth),
            httpx.post(f"{s.url}/v1/responses", headers=auth, json={**body, "conversation": other}),
        ]
        texts = [re.sub('"run":"ref_[0-9a-f]+"', "", each.text) for each in answers]  # each refusal has its own name
        return [
            (each.status_code, text.replace(id_, "ID").replace(other, "ID"))
            for each, text in zip(answers, texts, strict=True)
        ]

    theirs, nobodys = told(made["id"], conversation), told(unknown, "conv_0")
    assert theirs == nobodys
    assert {status for status, _ in theirs} == {404}
    assert httpx.get(f"{s.url}/v1/responses/{made['id']}", headers=s.auth("kim")).status_code == 200


def test_nothing_of_it_can_be_read_in_the_database(s: Served) -> None:
    secret = "the password is swordfish"
    ask(s, f"echo {secret}")
    with s.store.reading() as connection:
        rows = connection.execute(sql("SELECT * FROM session_turn")).all()
    assert rows
    assert all(b"swordfish" not in repr(tuple(row)).encode() for row in rows)
    assert not [file for file in (s.folder / "data").rglob("state.db*") if b"swordfish" in file.read_bytes()]


def test_policies_decide_over_the_whole_conversation_each_time(s: Served) -> None:
    first = ask(s, f"echo my card is {CARD}")
    assert first["fairlead"]["placement"] == "on_prem"
    second = ask(s, "echo and what now", previous_response_id=first["id"])
    assert second["fairlead"]["placement"] == "on_prem"
    assert "payment_card" in s.records(run=second["fairlead"]["run"])[0].categories
    assert ask(s, "echo and what now")["fairlead"]["placement"] == "cloud"


@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_withheld_or_broke_is_not_remembered(s: Served, streamed: bool) -> None:
    before = s.count("session_turn")
    body = {"model": "auto", "input": "echo well this is a guaranteed profit", "stream": streamed}
    response = httpx.post(f"{s.url}/v1/responses", headers=s.auth(), json=body)
    assert "withheld" in response.text
    assert "response.completed" not in response.text
    assert s.count("session_turn") == before
    # Broken off, with no other model to step in.
    s.provider.always = "reset-mid-body"
    broken = httpx.post(f"{s.url}/v1/responses", headers=s.auth(), json={**body, "input": "say 30", "model": "small"})
    assert "upstream" in broken.text
    assert s.count("session_turn") == before


def test_a_call_is_priced_with_its_history(s: Served) -> None:
    first = ask(s, "echo " + "word " * 200, model="small")
    headers = {**s.auth(), "x-fairlead-dry-run": "estimate"}

    def most(**more: Any) -> float:
        body = {"model": "small", "input": "hello", "max_output_tokens": 1, **more}
        quoted = httpx.post(f"{s.url}/v1/responses", headers=headers, json=body).json()
        return float(quoted["estimates"][0]["most"])

    assert most(previous_response_id=first["id"]) > most() + 2000 * 2e-6


@LIFE
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["echo a", "think b", "call c", "echo d", ""]),
            st.booleans(),
            st.sampled_from(["previous", "conversation"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_conversation_says_to_the_model_what_sending_all_of_it_says(
    s: Served, turns: list[tuple[str, bool, str]]
) -> None:
    s.provider.always = ""
    by = turns[0][2]
    conversation = httpx.post(f"{s.url}/v1/conversations", headers=s.auth(), json={}).json()["id"]
    previous: str | None = None
    history: list[Any] = []
    for said, as_items, _ in turns:
        new: list[Any] = [{"role": "user", "content": said or "go on"}]
        if history and history[-1]["type"] == "function_call":
            new = [{"type": "function_call_output", "call_id": history[-1]["call_id"], "output": "done"}]
        more: dict[str, Any] = {"model": "small", "tools": [TOOL]} if said == "call c" else {"model": "small"}
        whole = ask(s, [*history, *new], store=False, **more)
        wanted = s.provider.received[-1].json
        going_on = {"conversation": conversation} if by == "conversation" else {"previous_response_id": previous}
        given = new[0]["content"] if not as_items and "content" in new[0] else new
        kept = ask(s, given, **going_on, **more)
        got = s.provider.received[-1].json
        assert without_ids(got) == without_ids(wanted)
        assert kept["usage"] == whole["usage"]
        previous = kept["id"]
        history += [*new, *kept["output"]]
        history = [{"type": "message", **item} if "role" in item else item for item in history]


def without_ids(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "user"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With a page that must stay in the house, and a model on another wire that proves its reasoning."""
    page = "---\ntitle: Harbour\nclass: restricted\naudience: [everyone]\n---\n\nThe harbour of Bergen opens at dawn.\n"
    policies = """
@id("may-ask") permit (principal, action == Action::"call_model", resource);
@id("may-read") permit (principal, action == Action::"read_context", resource);
@id("restricted-stays") @reason("what is restricted stays in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.data_class >= 3 };
@id("may-leave") permit (principal, action == Action::"release_reply", resource);
"""

    def models(url: str) -> dict[str, Any]:
        return {
            "claude": {
                "use": "anthropic/tiny",
                "url": f"{url}/v1",
                "key": "env:TEST_KEY",
                "placement": {"kind": "cloud"},
            },
            "house": {"use": "openai-compatible/house", "url": f"{url}/v1", "placement": {"kind": "on_prem"}},
        }

    files = {"context/harbour.md": page, "policies/main.cedar": policies}
    prices = {"claude": {"input": 2, "output": 8}, "house": {"input": 1, "output": 1}}
    with served(tmp_path_factory.mktemp("house"), files, models=models, prices=prices) as s:
        yield s


def test_the_labels_of_context_go_on_with_the_answer(house: Served) -> None:
    first = ask(house, "when does the harbour of Bergen open?")
    assert first["fairlead"]["placement"] == "on_prem"
    (record,) = house.records(run=first["fairlead"]["run"])
    assert record.data_class == "restricted"
    # Nothing in this text says where it came from, and another page is not looked for.
    second = ask(house, "echo ok", previous_response_id=first["id"])
    assert second["fairlead"]["placement"] == "on_prem"
    for before in (first, second):
        body = {"model": "claude", "input": "echo ok", "previous_response_id": before["id"]}
        refused = httpx.post(f"{house.url}/v1/responses", headers=house.auth(), json=body)
        assert refused.json()["error"]["code"] == "denied"
    assert ask(house, "echo ok", model="claude")["fairlead"]["placement"] == "cloud"


def test_proofs_of_reasoning_go_back_to_their_vendor(house: Served) -> None:
    def thinking_sent() -> list[Any]:
        body = house.provider.received[-1].json
        return [block for block in body["messages"][1]["content"] if block["type"] == "thinking"]

    for streamed in (False, True):
        body = {"model": "claude", "input": "think", "reasoning": {"effort": "low"}, "stream": streamed}
        response = httpx.post(f"{house.url}/v1/responses", headers=house.auth(), json=body)
        if streamed:
            last = [line for line in response.text.splitlines() if line.startswith("data: {")][-1]
            first = json.loads(last[6:])["response"]
        else:
            first = response.json()
        assert [item["type"] for item in first["output"]] == ["reasoning", "message"]
        ask(house, "echo and", model="claude", previous_response_id=first["id"])
        (block,) = thinking_sent()
        assert (block["thinking"], block["signature"]) == ("Let me think about it", "c2ln")
        items = [{"role": "user", "content": "think"}, *first["output"], {"role": "user", "content": "echo and"}]
        ask(house, items, model="claude", store=False)
        assert thinking_sent() == [block]
