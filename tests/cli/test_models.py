"""Models at the command line."""

from pathlib import Path

from tests.cli.conftest import Fairlead


def test_models_say_where_they_run_what_they_cost_and_what_they_lack(acme: Path, fairlead: Fairlead) -> None:
    models = {each["model"]: each for each in fairlead("models", "--json").json}
    assert models["local"]["placement"] == "device"
    assert (models["local"]["input"], models["local"]["available"]) == ("0", True)
    assert models["small"]["available"] is False
    assert models["small"]["status"] == "no key: OPENAI_API_KEY is not set"
    assert float(models["small"]["output"]) > float(models["small"]["input"]) > 0
    assert "USD per million tokens" in fairlead("models").err


def test_endpoints_are_asked_only_on_demand(acme: Path, fairlead: Fairlead) -> None:
    entry = acme / "fairlead.yaml"
    entry.write_text(
        entry.read_text().replace(
            "  local: local/extractive",
            "  local: local/extractive\n  house: {use: openai-compatible/tiny, url: 'http://127.0.0.1:9/v1'}",
        )
    )
    quiet = {each["model"]: each["status"] for each in fairlead("models", "--json").json}
    assert quiet["house"] == "available"
    asked = {each["model"]: each["status"] for each in fairlead("models", "--online", "--json").json}
    assert asked["local"] == "available"
    assert asked["house"] != "available"
