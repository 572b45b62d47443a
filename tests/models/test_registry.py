import importlib
import sys

import pytest
from tests.models.calls import CLOCK

from fairlead.errors import BadInput
from fairlead.models.registry import DRIVERS, open_driver, open_drivers
from fairlead.models.settings import EndpointSettings, compile_models
from fairlead.net.http import Http


@pytest.mark.parametrize("scheme", DRIVERS)
def test_every_scheme_that_a_workspace_can_name_has_a_driver(scheme: str) -> None:
    use = {"local": "local/extractive", "recorded": "recorded/x.jsonl"}.get(scheme, f"{scheme}/m")
    needs = {"openai-compatible": {"url": "https://x.example/v1"}, "bedrock": {"region": "eu-central-1"}}
    full: dict[str, object] = {"use": use} | needs.get(scheme, {})
    import msgspec

    from fairlead.models.settings import ModelSettings

    models = compile_models({"m": msgspec.convert(full, ModelSettings)}, lambda reference: "key")
    drivers = open_drivers(models, Http(CLOCK), CLOCK)
    assert set(drivers) == {models.models["m"].endpoint}
    assert callable(drivers[models.models["m"].endpoint].answer)


def test_a_missing_package_names_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    for name in (
        "fairlead.models.ollama",
        "fairlead.models.endpoint",
        "fairlead.net.http",
        "fairlead.net.connection",
    ):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(BadInput) as caught:
        open_driver(EndpointSettings(name="ollama", scheme="ollama"), Http(CLOCK), CLOCK)
    assert "pip install 'fairlead[ollama]'" in caught.value.mend
    importlib.invalidate_caches()
