import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.models.deployments import Group, Member
from fairlead.models.secret import Secret
from fairlead.models.settings import Models, ModelSettings, compile_models
from fairlead.models.sigv4 import Credentials
from fairlead.models.types import Placement

KEYS = {"env:OPENAI_API_KEY": "sk-1", "env:HOUSE": " key-2\n", "file:/run/key": "key-3", "env:BAD": "a\r\nx: y"}


def compiled(text: dict[str, object]) -> Models:
    return compile_models(msgspec.convert(text, dict[str, str | ModelSettings]), KEYS.get)


def refusal(text: dict[str, object]) -> BadInput:
    with pytest.raises(BadInput) as caught:
        compiled(text)
    return caught.value


def test_a_model_can_be_named_in_one_line() -> None:
    models = compiled({"small": "openai/gpt-5-mini"})
    model = models.models["small"]
    assert (model.remote, model.endpoint, model.placement) == ("gpt-5-mini", "openai", Placement("cloud", "", "openai"))
    endpoint = models.endpoints["openai"]
    assert endpoint.url == "https://api.openai.com/v1"
    assert endpoint.key == Secret("sk-1")
    assert endpoint.quirks.max_tokens_field == "max_completion_tokens"
    assert models.unavailable == {}


def test_a_model_can_be_described_in_full() -> None:
    models = compiled(
        {
            "house": {
                "use": "openai-compatible/org/llama-3",
                "url": "https://llm.acme.example/v1",
                "key": "env:HOUSE",
                "placement": {"kind": "on_prem", "region": "eu", "vendor": "acme", "retention_days": 30},
                "context": 128000,
                "max_output": 2000,
                "tools": False,
                "json_schema": False,
                "concurrency": 4,
                "headers": {"X-Team": "support"},
                "timeouts": {"first_byte": 5},
                "quirks": {"choices": False, "key_header": "api-key"},
            }
        }
    )
    model, [endpoint] = models.models["house"], models.endpoints.values()
    assert (model.remote, model.context, model.max_output) == ("org/llama-3", 128000, 2000)
    assert (model.tools, model.json_schema, model.choices) == (False, False, False)
    assert model.placement.retention_days == 30
    assert endpoint.key == Secret("key-2")
    assert endpoint.headers == (("x-team", "support"),)
    assert endpoint.patience.first_byte == 5
    assert (endpoint.concurrency, endpoint.name) == (4, "openai-compatible@llm.acme.example")


def test_models_with_equal_settings_share_an_endpoint_and_others_do_not() -> None:
    models = compiled(
        {
            "a": "openai/x",
            "b": "openai/y",
            "c": {"use": "openai/z", "key": "env:HOUSE"},
            "d": {"use": "openai/z", "timeouts": {"idle": 1}},
        }
    )
    assert [model.endpoint for model in models.models.values()] == ["openai", "openai", "openai#2", "openai#3"]


def test_a_key_that_is_not_there_makes_a_model_unavailable_and_nothing_else() -> None:
    models = compiled({"a": "anthropic/claude", "b": "openai/x"})
    assert models.unavailable == {"a": "no key: ANTHROPIC_API_KEY is not set"}
    assert set(models.models) == {"a", "b"}


def test_a_key_never_stands_in_the_text() -> None:
    error = refusal({"a": {"use": "openai/x", "key": "sk-abcdef"}})
    assert "env:" in error.mend
    assert "sk-abcdef" not in f"{error.message}{error.why}{error.mend}"


def test_a_key_that_would_break_out_of_its_header_is_refused_unseen() -> None:
    error = refusal({"a": {"use": "openai/x", "key": "env:BAD"}})
    assert "env:BAD" in error.message
    assert "x: y" not in f"{error.message}{error.why}{error.mend}"


def test_keys_show_themselves_nowhere() -> None:
    models = compiled({"a": "openai/x", "b": {"use": "openai/x", "key": "file:/run/key"}})
    assert "sk-1" not in repr(models)
    assert "key-3" not in repr(models)
    assert "key-3" not in str(models.endpoints)
    assert models.endpoints["openai#2"].key == Secret("key-3")


AWS = {"env:AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "env:AWS_SECRET_ACCESS_KEY": "secret", "env:TOKEN": "bedrock-key"}


def test_a_model_that_is_signed_for_needs_a_region_and_credentials() -> None:
    settings = {"m": ModelSettings(use="bedrock/eu.amazon.nova-lite-v1:0", region="eu-central-1")}
    models = compile_models(settings, AWS.get)
    [endpoint], model = models.endpoints.values(), models.models["m"]
    assert endpoint.url == "https://bedrock-runtime.eu-central-1.amazonaws.com"
    assert endpoint.key is None
    assert endpoint.credentials == Credentials(
        access_key="AKIDEXAMPLE", secret_key=Secret("secret"), region="eu-central-1"
    )
    assert model.placement == Placement("cloud", "eu-central-1", "aws")
    assert "secret" not in repr(models).replace("secret_key", "")
    assert compile_models(settings, {}.get).unavailable == {"m": "no key: AWS_ACCESS_KEY_ID is not set"}


def test_a_key_takes_the_place_of_a_signature() -> None:
    settings = {"m": ModelSettings(use="bedrock/x", region="us-east-1", key="env:TOKEN")}
    [endpoint] = compile_models(settings, AWS.get).endpoints.values()
    assert (endpoint.key, endpoint.credentials) == (Secret("bedrock-key"), None)


def test_a_region_can_be_nothing_but_a_region() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"use": "bedrock/x", "region": "x.evil.example/"}, ModelSettings)


def test_a_model_with_deployments_is_one_model_for_each_and_a_group() -> None:
    models = compiled(
        {
            "house": {
                "use": "openai/gpt-5-mini",
                "context": 1000,
                "headers": {"x-team": "a"},
                "aliases": ["gpt", "fast"],
                "deployments": {
                    "eu": {"url": "https://eu.example/v1", "placement": {"kind": "cloud", "region": "eu"}, "weight": 3},
                    "own": {"use": "openai-compatible/llama", "url": "http://127.0.0.1:8000/v1", "priority": 1},
                },
            },
            "other": "openai/x",
        }
    )
    eu, own = models.models["house/eu"], models.models["house/own"]
    assert set(models.models) == {"house/eu", "house/own", "other"}
    assert models.groups == {"house": Group("house", (Member("house/eu", 0, 3.0), Member("house/own", 1, 1.0)))}
    assert models.aliases == {"gpt": "house", "fast": "house"}
    assert [(each.group, each.context) for each in (eu, own)] == [("house", 1000)] * 2
    assert (eu.placement.region, own.placement.kind) == ("eu", "device")
    # One of another kind takes over nothing by which the model is reached.
    assert models.endpoints[eu.endpoint].headers == (("x-team", "a"),)
    assert models.endpoints[own.endpoint].headers == ()
    assert models.endpoints[own.endpoint].key is None


def test_what_a_model_takes_can_be_declared() -> None:
    models = compiled({"m": {"use": "google/x", "images": False, "audio": False}, "n": "anthropic/x"})
    assert (models.models["m"].images, models.models["m"].files, models.models["m"].audio) == (False, True, False)
    assert not models.models["n"].audio


@pytest.mark.parametrize(
    ("use", "kind", "vendor"),
    [
        ({"use": "openai/x"}, "cloud", "openai"),
        ({"use": "anthropic/x"}, "cloud", "anthropic"),
        ({"use": "google/x"}, "cloud", "google"),
        ({"use": "ollama/x"}, "device", "self-hosted"),
        ({"use": "ollama/x", "url": "https://gpu.acme.example"}, "cloud", "gpu.acme.example"),
        ({"use": "openai-compatible/x", "url": "http://127.0.0.1:8000/v1"}, "device", "self-hosted"),
        ({"use": "local/extractive"}, "device", "local"),
        ({"use": "recorded/traffic.jsonl"}, "device", "recorded"),
    ],
)
def test_where_a_model_runs_is_assumed_as_badly_as_it_can_be(use: dict[str, str], kind: str, vendor: str) -> None:
    placement = compiled({"m": use}).models["m"].placement
    assert (placement.kind, placement.vendor) == (kind, vendor)


def test_recorded_models_keep_their_path() -> None:
    models = compiled({"m": "recorded/tapes/a.jsonl"})
    assert models.endpoints["recorded"].url == "tapes/a.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        {"m": "gpt-5"},
        {"m": "openai/"},
        {"m": "martian/x"},
        {"m": "local/other"},
        {"m": "openai-compatible/x"},
        {"m": {"use": "openai-compatible/x", "url": "http://llm.example/v1"}},
        {"m": {"use": "local/extractive", "url": "https://x.example"}},
        {"m": {"use": "anthropic/x", "quirks": {}}},
        {"m": {"use": "google/x", "quirks": {}}},
        {"m": "bedrock/x"},
        {"m": {"use": "openai/x", "region": "eu-central-1"}},
        {"m": {"use": "openai/x", "headers": {"x-goog-api-key": "x"}}},
        {"m": {"use": "openai/x", "aliases": ["auto"]}},
        {"m": {"use": "openai/x", "aliases": ["n"]}, "n": "openai/y"},
        {"m": {"use": "openai/x", "aliases": ["z"]}, "n": {"use": "openai/y", "aliases": ["z"]}},
        {"m": {"use": "openai/x", "deployments": {"a b": {}}}},
        {"m": {"use": "openai/x", "deployments": {"a": {}}}, "m/a": "openai/y"},
        {"m": {"use": "openai/x", "headers": {"authorization": "Bearer x"}}},
        {"m": {"use": "openai/x", "headers": {"x y": "z"}}},
        {"m": {"use": "openai/x", "headers": {"x-a": "b\r\nc: d"}}},
        {"auto": "openai/x"},
        {"": "openai/x"},
        {"a b": "openai/x"},
    ],
)
def test_what_is_wrong_is_refused_by_its_key(text: dict[str, object]) -> None:
    error = refusal(text)
    assert "models." in error.message
    assert error.mend


def test_the_settings_explain_themselves_in_a_schema() -> None:
    schema = msgspec.json.schema(ModelSettings)
    properties = schema["$defs"]["ModelSettings"]["properties"]
    assert all("description" in str(part) or "$ref" in str(part) for part in properties.values())
