"""Models at the command line."""

from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.clock import SystemClock
from fairlead.lanes.figures import FOLDER, DeploymentFigures, WorkerFigures, write


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


def test_deployments_stand_as_the_workers_of_this_machine_say(acme: Path, fairlead: Fairlead) -> None:
    assert fairlead("models", "--json").json[0]["standing"] is None
    now, name = SystemClock().now(), fairlead("models", "--json").json[0]["model"]
    for worker, calls in (("one", 2), ("two", 3)):
        said = {"requests": 9 - calls}
        stands = DeploymentFigures(
            model=name, under_way=calls, requests=4, said=said, ill="it fails" if calls == 3 else ""
        )
        write(acme / ".fairlead" / FOLDER, WorkerFigures(worker=worker, at=now, deployments=(stands,)))
    assert fairlead("models", "--json").json[0]["standing"] == {
        "under_way": 5,
        "requests_left": 4,
        "tokens_left": None,
        "server_says_left": {"requests": 6},
        "left_alone": ["it fails"],
    }
    assert "5 under way, 4 requests left, it fails" in " ".join(fairlead("models").out.split())
