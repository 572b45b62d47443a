"""Every driver that embeds: what it asks, what it reads, and what it refuses, against the provider's own wires."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.provider import SECRET_PATH, Provider
from tests.faults.vector_wires import LENGTH, VECTOR_FAULTS, vector_of
from tests.models.calls import CLOCK, a_driver

from fairlead.errors import BadInput, RateLimited, Rejected, Upstream
from fairlead.models import bedrock_embedding, google_embedding, ollama_embedding, openai_embedding, vector_fields
from fairlead.models.declared import DeploymentSettings, EmbeddingSettings
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.fields import ADDRESS, LEFT_OUT, REFUSED
from fairlead.models.settings import ModelSettings, TimeoutSettings, compile_models
from fairlead.models.types import Model, Placement, Usage
from fairlead.net.http import Http

WIRES = [
    ("openai-compatible", "tiny"),
    ("ollama", "tiny"),
    ("google", "tiny"),
    ("bedrock", "amazon.titan-embed-text-v2:0"),
    ("bedrock", "cohere.embed-v3"),
]
every_wire = pytest.mark.parametrize(("scheme", "remote"), WIRES, ids=["openai", "ollama", "google", "titan", "cohere"])


def a_call(model: Model, *texts: str, **more: Any) -> EmbedCall:
    about: dict[str, Any] = {"dimensions": None, "purpose": None, "user": "kim", **more}
    deadline = CLOCK.monotonic() + 60
    return EmbedCall(model=model, texts=list(texts), deadline=deadline, idempotency_key="run_1.1", **about)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(CLOCK) as http:
        yield http


async def embedded(provider: Provider, http: Http, scheme: str, remote: str, *texts: str, **more: Any) -> Embeddings:
    settings: dict[str, Any] = {"embeddings": EmbeddingSettings()}
    if provider.next == ["hang"]:
        settings["timeouts"] = TimeoutSettings(connect=30, first_byte=0.3, idle=30)
    driver, model = a_driver(scheme, provider.url, http, remote=remote, **settings)
    found: Embeddings = await driver.embed(a_call(model, *texts, **more))  # type: ignore[attr-defined]
    return found


@every_wire
async def test_texts_become_vectors_in_their_order(provider: Provider, http: Http, scheme: str, remote: str) -> None:
    texts = ["the harbour"] if "titan" in remote else ["the harbour", "is calm", "ключ 🚢"]
    found = await embedded(provider, http, scheme, remote, *texts)
    assert found.vectors == [vector_of(text) for text in texts]
    counted = None if "cohere" in remote else Usage(input=sum(len(text.split()) for text in texts))
    assert found.usage == counted


@every_wire
@pytest.mark.parametrize("fault", ["no-usage", "nonsense-usage"])
async def test_a_count_that_is_none_is_no_count(
    provider: Provider, http: Http, scheme: str, remote: str, fault: str
) -> None:
    provider.next = [fault]
    assert (await embedded(provider, http, scheme, remote, "calm")).usage is None


@every_wire
@pytest.mark.parametrize(
    "fault",
    ["empty-stream", "malformed-stream", "html", "reset-mid-body", "error-object", "not-http", "hang", "compressed",
     "one-missing", "texts-for-numbers", "nested"],
)  # fmt: skip
async def test_what_is_no_answer_is_an_error_that_says_nothing_of_the_server(
    provider: Provider, http: Http, scheme: str, remote: str, fault: str
) -> None:
    provider.next = [fault]
    with pytest.raises(Upstream) as raised:
        await embedded(provider, http, scheme, remote, "calm", "and", "quiet")
    assert SECRET_PATH not in f"{raised.value.message} {raised.value.why}"
    assert raised.value.subject == "house"


@every_wire
async def test_refusals_mean_what_they_mean_for_chats(provider: Provider, http: Http, scheme: str, remote: str) -> None:
    for fault, kind in (("429", RateLimited), ("400-context", Rejected), ("401", Upstream), ("503", Upstream)):
        provider.next = [fault]
        with pytest.raises(kind):
            await embedded(provider, http, scheme, remote, "calm")


@pytest.mark.parametrize("fault", [each for each in VECTOR_FAULTS if each not in ("shuffled", "not-numbered")])
async def test_vectors_out_of_order_are_put_in_order_and_others_refused(
    provider: Provider, http: Http, fault: str
) -> None:
    provider.next = ["shuffled", "not-numbered", fault]
    for _ in range(2):
        found = await embedded(provider, http, "openai-compatible", "tiny", "a", "b")
        assert found.vectors == [vector_of("a"), vector_of("b")]
    if fault != "one-short":  # seen where the length is known
        with pytest.raises(Upstream) as raised:
            await embedded(provider, http, "openai-compatible", "tiny", "a", "b")
        assert ("pooling" in raised.value.mend) is (fault == "nested")


async def test_a_model_that_is_told_what_for_and_how_long_is_told(provider: Provider, http: Http) -> None:
    found = await embedded(provider, http, "google", "tiny", "calm", purpose="query", dimensions=4)
    assert found.vectors == [vector_of("calm", 4)]
    (request,) = provider.received[-1].json["requests"]
    assert (request["taskType"], request["outputDimensionality"]) == ("RETRIEVAL_QUERY", 4)
    await embedded(provider, http, "bedrock", "cohere.embed-v3", "calm", purpose="query")
    assert provider.received[-1].json["input_type"] == "search_query"
    await embedded(provider, http, "openai-compatible", "tiny", "calm", purpose="query")
    assert provider.received[-1].json == {"model": "tiny", "input": ["calm"]}
    await embedded(provider, http, "ollama", "tiny", "calm")
    assert provider.received[-1].json == {"model": "tiny", "input": ["calm"], "truncate": False}


async def test_what_a_family_does_not_have_is_refused_before_it_is_sent(provider: Provider, http: Http) -> None:
    with pytest.raises(Rejected, match="several texts"):
        await embedded(provider, http, "bedrock", "amazon.titan-embed-text-v2:0", "a", "b")
    with pytest.raises(Rejected, match="dimensions"):
        await embedded(provider, http, "bedrock", "cohere.embed-v3", "a", dimensions=4)
    assert provider.received == []


def places(value: Any, path: str = "") -> set[str]:
    """The path of every leaf in some JSON, as the table of fields writes it."""
    if isinstance(value, dict):
        return {found for name, each in value.items() for found in places(each, f"{path}.{name}".lstrip("."))}
    if isinstance(value, list) and value:
        return {found for each in value for found in places(each, f"{path}[]")}
    return {path}


@every_wire
async def test_every_field_of_a_request_goes_where_the_table_says(
    provider: Provider, http: Http, scheme: str, remote: str
) -> None:
    column = {"openai-compatible": "openai", "bedrock": "cohere" if "cohere" in remote else "titan"}.get(scheme, scheme)
    table = {field.name: getattr(field, column) for field in vector_fields.REQUEST}
    about = {"dimensions": None if table["dimensions"] == REFUSED else 4, "purpose": "query"}
    settings = {"embeddings": EmbeddingSettings(), "identify": True}
    driver, model = a_driver(scheme, provider.url, http, remote=remote, **settings)
    await driver.embed(a_call(model, "calm", **about))  # type: ignore[attr-defined]
    said = {place for place in table.values() if place not in (REFUSED, LEFT_OUT, ADDRESS)}
    own = {"truncate"}  # how a text that is too long is treated
    assert places(provider.received[-1].json) - own == said


MODEL = Model(name="house", endpoint="e", remote="tiny", placement=Placement("device"))


@given(texts=st.lists(st.text(min_size=1), min_size=1, max_size=4), length=st.none() | st.integers(1, 4096))
def test_every_text_stands_in_the_request_as_it_was_given(texts: list[str], length: int | None) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    call = a_call(MODEL, *texts, dimensions=length)
    openai, ollama = json.loads(openai_embedding.encode(call, identify=True)), json.loads(ollama_embedding.encode(call))
    google = json.loads(google_embedding.encode(call))["requests"]
    assert openai["input"] == ollama["input"] == [each["content"]["parts"][0]["text"] for each in google] == texts
    assert openai["user"] == "kim"
    assert openai.get("dimensions") == ollama.get("dimensions") == google[0].get("outputDimensionality") == length
    titan = json.loads(bedrock_embedding.encode(a_call(MODEL, texts[0], dimensions=length)))
    assert (titan["inputText"], titan.get("dimensions")) == (texts[0], length)


def compiled(**models: ModelSettings) -> dict[str, Model]:
    return dict(compile_models(models, lambda reference: "key").models)


def test_a_model_is_declared_for_embeddings_and_its_deployments_share_a_space() -> None:
    places = {"one": DeploymentSettings(), "two": DeploymentSettings(priority=1)}
    found = compiled(
        plain=ModelSettings(use="openai/gpt-5-mini"),
        vectors=ModelSettings(use="openai/text-embedding-3-small", embeddings=EmbeddingSettings(dimensions=1536)),
        twins=ModelSettings(use="google/x", embeddings=EmbeddingSettings(batch=7), deployments=places),
    )
    assert found["plain"].space is None
    space = found["vectors"].space
    assert space is not None
    assert (space.name, space.dimensions, space.batch, found["vectors"].max_output) == ("vectors", 1536, 2048, 0)
    one = found["twins/one"].space
    assert one == found["twins/two"].space
    assert one is not None
    assert (one.name, one.batch) == ("twins", 7)


def test_a_protocol_without_embeddings_and_a_space_of_two_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match=r"models\.x\.embeddings"):
        compiled(x=ModelSettings(use="anthropic/claude", embeddings=EmbeddingSettings()))
    shared = [EmbeddingSettings(space="s", dimensions=LENGTH), EmbeddingSettings(space="s", dimensions=LENGTH + 1)]
    with pytest.raises(BadInput, match="two lengths"):
        compiled(**{f"m{n}": ModelSettings(use=f"ollama/{n}", embeddings=each) for n, each in enumerate(shared)})
