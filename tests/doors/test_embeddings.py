"""The official client gets vectors from the door of embeddings: permitted, priced, recorded, and of one space."""

import base64
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import OpenAIEmbeddings
from openai import OpenAI
from tests.faults.vector_wires import LENGTH, vector_of
from tests.world import CARD, Served, key_of, served

IN = 1_000  # nano-units a token of the model `vectors`: 1 unit a million
POLICIES = """
@id("staff-may-ask") @reason("staff may ask")
permit (principal in Group::"staff", action == Action::"call_model", resource);

@id("max-may-ask") @reason("max may ask")
permit (principal == Person::"max", action == Action::"call_model", resource);

@id("no-cards-in-clouds") @reason("card numbers stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("payment_card") };

@id("no-addresses") @reason("addresses are taken out") @redact("email")
forbid (principal, action == Action::"call_model", resource)
when { context.labels.contains("email") };

@id("replies-may-leave") @reason("replies may leave")
permit (principal, action == Action::"release_reply", resource);

@id("not-to-lee") @reason("nothing for lee")
forbid (principal == Person::"lee", action == Action::"release_reply", resource);
"""


def embedder(url: str, name: str, kind: str, **declared: Any) -> dict[str, Any]:
    return {
        "use": f"openai-compatible/{name}",
        "url": f"{url}/v1",
        "placement": {"kind": kind},
        "embeddings": declared,
    }


def models(url: str) -> dict[str, Any]:
    def chat(remote: str, kind: str) -> dict[str, Any]:
        return {"use": f"openai-compatible/{remote}", "url": f"{url}/v1", "placement": {"kind": kind}}

    there = embedder(url, "there", "cloud", dimensions=LENGTH, shortens=True, batch=3)
    places = {"one": {}, "two": {"priority": 1}}
    return {
        "small": chat("tiny", "cloud"),
        "house": chat("house", "on_prem"),
        "vectors": {**there, "aliases": ["text-embedding-3-small"]},
        "own": embedder(url, "own", "on_prem", space="own"),
        "spare": embedder(url, "spare", "on_prem", space="own"),
        "twins": {**embedder(url, "twins", "on_prem"), "deployments": places},
    }


PRICES = {
    "small": {"input": 2, "output": 8},
    "house": {"input": 1, "output": 1},
    "vectors": {"input": 1},
}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(
        tmp_path_factory.mktemp("embeddings"),
        {"policies/main.cedar": POLICIES},
        models=models,
        prices=PRICES,
        fallback=True,
        budgets={"organisation": {"total": 1000}, "persons": {"max": {"total": "0.0000001"}}},
        breaker={"failures": 100, "least": 1000},
    ) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


@pytest.fixture
def client(s: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0) as client:
        yield client


def post(s: Served, person: str = "kim", headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    whole = {"model": "vectors", "input": "calm", **body}
    return httpx.post(f"{s.url}/v1/embeddings", headers={**s.auth(person), **(headers or {})}, json=whole, timeout=60)


def test_a_text_is_embedded_billed_and_recorded(s: Served, client: OpenAI) -> None:
    reply = client.embeddings.create(model="text-embedding-3-small", input="the harbour is calm")
    (item,) = reply.data
    assert item.embedding == vector_of("the harbour is calm")
    assert (reply.model, reply.usage.prompt_tokens, reply.usage.total_tokens) == ("vectors", 4, 4)
    about = reply.fairlead  # type: ignore[attr-defined]
    assert Decimal(about["cost"]["amount"]) * 10**9 == 4 * IN
    (record,) = s.records(run=about["run"])
    assert (record.kind, record.outcome, record.door) == ("call_model", "done", "openai.embeddings")
    assert (record.cost, record.model, record.policies) == (4 * IN, "vectors", ("staff-may-ask",))
    assert record.usage is not None
    assert (record.usage.input, record.usage.output) == (4, 0)
    assert s.holds() == []


def test_vectors_come_as_numbers_and_as_base64(s: Served) -> None:
    plain = post(s, input=["a", "b"], encoding_format="float").json()["data"]
    assert [each["embedding"] for each in plain] == [vector_of("a"), vector_of("b")]
    packed = post(s, input=["a", "b"], encoding_format="base64").json()["data"]
    raw = [base64.b64decode(each["embedding"]) for each in packed]
    assert [list(struct.unpack(f"<{LENGTH}f", each)) for each in raw] == [vector_of("a"), vector_of("b")]


def test_more_texts_than_a_server_takes_go_in_several_calls_of_one_attempt(s: Served, client: OpenAI) -> None:
    before = len(s.provider.received)
    texts = [f"text {n}" for n in range(7)]
    reply = client.embeddings.create(model="vectors", input=texts)
    assert [item.embedding for item in reply.data] == [vector_of(text) for text in texts]
    calls = s.provider.received[before:]
    assert [len(call.json["input"]) for call in calls] == [3, 3, 1]
    assert len({call.headers["idempotency-key"] for call in calls}) == 3
    (record,) = s.records(run=reply.fairlead["run"])  # type: ignore[attr-defined]
    assert (record.attempt, record.cost) == (1, 14 * IN)


def test_shorter_vectors_are_asked_for_where_a_model_gives_them(s: Served, client: OpenAI) -> None:
    reply = client.embeddings.create(model="vectors", input="calm", dimensions=4)
    assert reply.data[0].embedding == vector_of("calm", 4)
    assert s.provider.received[-1].json["dimensions"] == 4
    for model, wanted in (("own", 4), ("vectors", LENGTH + 1)):
        refused = post(s, model=model, dimensions=wanted)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "no_candidate")


def test_auto_stays_in_one_space_and_others_stand_in_within_theirs(s: Served) -> None:
    assert post(s, model="auto").json()["model"] == "vectors"
    s.provider.next = ["500", "500"]
    failed = post(s, model="auto")  # others would answer, in spaces of their own
    assert (failed.status_code, failed.json()["error"]["code"]) == (502, "upstream")
    s.provider.next = ["500"]
    stood_in = post(s, model="own").json()
    assert (stood_in["model"], stood_in["fairlead"]["route"]["candidates"]) == ("spare", ["own", "spare"])
    s.provider.next = ["500"]
    assert post(s, model="twins").json()["model"] == "twins/two"


def test_chats_and_embeddings_never_go_to_models_of_the_other_kind(s: Served, client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as raised:
        client.embeddings.create(model="small", input="x")
    assert raised.value.param == "model"
    with pytest.raises(openai.NotFoundError, match="not for requests of this kind"):
        client.chat.completions.create(model="vectors", messages=[{"role": "user", "content": "x"}])
    chosen: Any = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "x"}])
    assert chosen.fairlead["route"]["candidates"] == ["small", "house"]
    listed = {model.id for model in client.models.list()}
    assert {"small", "vectors", "text-embedding-3-small", "twins", "own"} <= listed


def test_what_must_not_go_to_a_cloud_is_not_embedded_there(s: Served) -> None:
    before = len(s.provider.received)
    denied = post(s, input=["fine", f"my card is {CARD}"])
    assert (denied.status_code, denied.json()["error"]["code"]) == (403, "denied")
    assert len(s.provider.received) == before
    assert post(s, model="own", input=["fine", f"my card is {CARD}"]).status_code == 200


def test_what_must_be_taken_out_is_taken_out_before_a_text_is_embedded(s: Served) -> None:
    reply = post(s, input=["write to kim@acme.example", "calm"]).json()
    assert reply["fairlead"]["redacted"] == ["email"]
    assert s.provider.received[-1].json["input"] == ["write to [EMAIL_1]", "calm"]
    assert reply["data"][0]["embedding"] == vector_of("write to [EMAIL_1]")


def test_a_budget_bounds_embeddings_too_and_a_dry_run_prices_them(s: Served) -> None:
    refused = post(s, "max", input="much more than there is left")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "over_budget")
    estimate = post(s, headers={"x-fairlead-dry-run": "estimate"}).json()
    (each,) = estimate["estimates"]
    assert (each["model"], each["likely"]) == ("vectors", "0.000009")
    assert estimate["route"]["dropped"]


def test_who_may_get_no_reply_gets_no_vectors_and_nothing_is_sent(s: Served) -> None:
    before = len(s.provider.received)
    refused = post(s, "lee")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "withheld")
    assert len(s.provider.received) == before


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1, 2]]}, "input"),
        ({"input": []}, "input"),
        ({"input": ""}, "input[0]"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": None}, "input"),
        ({"input": ["x"] * 2049}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"wings": 1}, "wings"),
        ({"input_type": "poem"}, "input_type"),
    ],
)
def test_what_has_no_meaning_is_refused_by_its_name(s: Served, fields: dict[str, Any], param: str) -> None:
    before = len(s.provider.received)
    response = post(s, **fields)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
    assert len(s.provider.received) == before


@pytest.mark.parametrize("fault", ["nested", "one-short", "one-missing", "numbered-twice", "texts-for-numbers"])
def test_vectors_that_nobody_could_use_are_an_error_and_billed_as_far_as_they_were_made(s: Served, fault: str) -> None:
    s.provider.next = [fault]
    response = post(s, input=["a b", "c d"])
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (502, "upstream")
    records = s.records(run=response.headers["x-fairlead-run"])
    assert sum(record.cost for record in records) > 0
    assert s.holds() == []


@pytest.mark.parametrize("fault", ["shuffled", "not-numbered", "no-usage", "nonsense-usage", "wrong-content-type"])
def test_odd_but_complete_answers_are_taken(s: Served, fault: str) -> None:
    s.provider.next = [fault]
    reply = post(s, input=["a b", "c d"]).json()
    assert [each["embedding"] for each in reply["data"]] == [vector_of("a b"), vector_of("c d")]
    assert reply["fairlead"]["cost"]["estimated"] is ("usage" in fault)


@pytest.mark.parametrize("fault", ["503", "400"])
def test_a_batch_that_is_refused_after_others_bills_those_and_not_itself(s: Served, fault: str) -> None:
    s.provider.next = ["", fault]
    response = post(s, input=[f"text {n}" for n in range(5)])
    assert response.status_code in (400, 502, 503)
    records = s.records(run=response.headers["x-fairlead-run"])
    assert sum(record.cost for record in records) == 6 * IN
    assert s.holds() == []


def test_a_batch_that_may_have_been_worked_on_is_billed_with_the_others(s: Served) -> None:
    s.provider.next = ["", "reset-after-headers"]
    response = post(s, input=[f"text {n}" for n in range(5)])
    assert response.status_code == 502
    records = s.records(run=response.headers["x-fairlead-run"])
    assert sum(record.cost for record in records) > 6 * IN
    assert s.holds() == []


def test_langchain_embeds(s: Served) -> None:
    about: dict[str, Any] = {"base_url": f"{s.url}/v1", "api_key": key_of("kim"), "max_retries": 0}
    embeddings = OpenAIEmbeddings(**about, model="vectors", check_embedding_ctx_length=False)
    assert embeddings.embed_query("calm") == vector_of("calm")
    assert embeddings.embed_documents(["a", "b"]) == [vector_of("a"), vector_of("b")]
