"""`fairlead routing`, over a deployment that serves while a client keeps calling it, unchanged."""

import base64
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from openai import OpenAI
from sqlalchemy import text as sql
from tests.cli.conftest import Fairlead, Said
from tests.world import MASTER_KEY, Served, key_of, served

FILES = {
    "tasks/letter.yaml": "tiers: [best]\nobjective: {maximise: quality, cost_at_most: 1}\n",
    "tasks/note.yaml": "objective: declared\nprefer: [small]\n",
}
TIERS = {"tiers": {"best": ["small", "house"]}}
RUNS = 5


def models(url: str) -> dict[str, Any]:
    here = {"url": f"{url}/v1", "key": "env:TEST_KEY"}
    return {
        "small": {"use": "openai-compatible/tiny", **here, "placement": {"kind": "cloud", "vendor": "one"}},
        "house": {"use": "openai-compatible/house", **here, "placement": {"kind": "on_prem"}},
        "rival": {"use": "anthropic/tiny", **here, "placement": {"kind": "cloud", "vendor": "another"}},
    }


PRICES = {"small": {"input": 2, "output": 8}, "house": {"input": 1, "output": 1}, "rival": {"input": 3, "output": 9}}

CREDITS = {"credits": {"name": "credit", "worth": "0.01"}}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("routing")
    with served(folder, FILES, models=models, prices=PRICES, routing=TIERS, budgets=CREDITS) as running:
        yield running


@pytest.fixture
def here(s: Served, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command line over the served workspace."""
    monkeypatch.setenv("FAIRLEAD_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    monkeypatch.setenv("TEST_KEY", "test-key")

    def called(*arguments: str) -> Said:
        return fairlead(*arguments, "-w", str(s.folder / "acme"), "--data", str(s.folder / "data"))

    return called


def client_of(s: Served) -> OpenAI:
    return OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"))


def asked(client: OpenAI, model: str = "letter") -> dict[str, Any]:
    reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Write to them."}])
    about: dict[str, Any] = (reply.model_extra or {})["fairlead"]
    return about


def judged(s: Served, run: str, score: float) -> None:
    body = {"run": run, "score": score}
    assert httpx.post(f"{s.url}/v1/feedback", headers=s.auth(), json=body).status_code == 200


def worked(s: Served, score: dict[str, float]) -> str:
    """Some letters are written and judged. Who wrote them."""
    client, models = client_of(s), set()
    for _ in range(RUNS):
        about = asked(client)
        models.add(about["model"])
        judged(s, about["run"], score[about["model"]])
    (model,) = models
    return str(model)


@pytest.fixture(scope="module")
def learnt(s: Served) -> dict[str, float]:
    return {"small": 0.2, "house": 0.9, "rival": 1.0}


def test_nothing_is_learnt_from_nothing(here: Any) -> None:
    said = here("routing", "train")
    assert (said.status, "there is no outcome" in said.err, "/v1/feedback" in said.err) == (2, True, True)


def test_work_goes_to_the_model_that_people_found_better_and_back_again(
    s: Served, here: Any, learnt: dict[str, float]
) -> None:
    assert worked(s, learnt) == "small", "as declared, before anything is learnt"
    tried = here("routing", "train", "--dry-run", "--json").json
    assert (tried["outcomes"], tried["of_prompts"], tried["in_force"], tried["replayed"]) == (RUNS, RUNS, False, RUNS)
    first = here("routing", "train", "--json").json["version"]
    for _ in range(RUNS):
        judged(s, asked(client_of(s), "house")["run"], learnt["house"])
    careful = here("routing", "train", "--if-better", "--json").json
    assert (careful["in_force"], careful["better"]) == (False, False)
    assert careful["verdict"].startswith("only 0 decisions"), "nobody was asked by chance"
    here("routing", "train")
    assert worked(s, learnt) == "house", "as it does other work"
    second = here("routing", "train", "--json").json["version"]
    about = asked(client_of(s))
    assert (about["model"], about["route"]["chosen"]["predictor"]) == ("house", second)
    assert about["route"]["chosen"]["expected"][0]["p"] > 0.7
    assert [each["version"] for each in here("routing", "predictors", "--json").json if each["in_force"]] == [second]
    assert here("routing", "use", "none").status == 0
    assert asked(client_of(s))["model"] == "small"
    assert here("routing", "use", first[:4]).status != 0, "a version is named whole"
    assert here("routing", "use", second).status == 0
    assert asked(client_of(s))["model"] == "house"
    last = s.records("predictor")[-1]
    assert last.about == f"{second}, in place of none"


def test_a_plan_is_explained_by_the_code_that_makes_it(here: Any) -> None:
    told = here("routing", "explain", "Write to them.", "--task", "letter", "--as", "kim", "--json").json
    assert [each["model"] for each in told["route"]["chosen"]["expected"]] == ["house", "small"]
    shown = here("routing", "explain", "Write to them.", "--task", "letter", "--as", "kim")
    assert "keeps to the tier best" in shown.err
    assert "costs in credit, 0.01 USD each" in shown.err
    costs = [float(each["cost"]) for each in told["route"]["chosen"]["expected"]]
    assert [float(line.split()[4]) for line in shown.out.splitlines()[1:]] == pytest.approx(costs, rel=0.1)
    assert shown.out.splitlines()[1].split()[:2] == ["1", "house"]


def test_recorded_work_is_replayed_under_other_objectives_prices_and_models(here: Any) -> None:
    def replayed(*change: str) -> dict[str, Any]:
        found: dict[str, Any] = here("routing", "simulate", *change, "--json").json
        return next(each for each in found["tasks"] if each["task"] == "letter")

    without = replayed("--without", "house")
    assert set(without["now"]["work"]) == {"small"}
    assert without["moved"] == without["then"]["work"]["house"]
    dearer = replayed("--price", "house=100/100")
    assert float(dearer["now"]["cost"]) > float(dearer["then"]["cost"])
    assert dearer["then"]["work"] == dearer["now"]["work"], "quality is what counts"
    cheapest = replayed("--objective", "minimise: cost, latency_at_most: 100", "--without", "small")
    assert (cheapest["now"]["work"], cheapest["outside"]) == ({"house": cheapest["runs"]}, 0)
    shown = here("routing", "simulate", "--models", "small")
    assert "all" in shown.out
    assert "in credit, 0.01 USD each" in shown.err
    assert here("routing", "simulate").status == 2
    assert here("routing", "simulate", "--objective", "maximise: beauty").status == 2


def test_who_did_which_work_how_well_is_told_by_vendor(here: Any) -> None:
    lines = {each["model"]: each for each in here("routing", "report", "--task", "letter", "--json").json["lines"]}
    assert (lines["small"]["vendor"], round(lines["small"]["observed"], 6)) == ("one", 0.2)
    assert (lines["house"]["placement"], round(lines["house"]["observed"], 6)) == ("on_prem", 0.9)
    assert lines["small"]["share"] + lines["house"]["share"] == 1
    assert "regret" in here("routing", "report").out
    billed = here("bill", "--by", "task", "--json").json["total"]
    costs = (line["cost"] for line in here("routing", "report", "--json").json["lines"])
    assert sum(map(Decimal, costs)) == 100 * Decimal(billed)


def test_recorded_choices_are_made_again_and_a_changed_one_is_found(s: Served, here: Any) -> None:
    said = here("routing", "audit", "--json")
    assert (said.status, said.json["differing"]) == (0, [])
    assert said.json["checked"] > 2 * RUNS
    run = next(each.run for each in s.records("call_model") if each.decision is not None and each.decision.predictor)
    (row,) = [each for each in s.raw_records() if f'"run":"{run}"'.encode() in each and b'"kind":"call_model"' in each]
    with s.store.writing() as connection:
        forged = b'"p":1'.join(row.rsplit(b'"p":', 1))
        change = sql("UPDATE log SET record = :new WHERE record = :old")
        connection.execute(change, {"new": forged, "old": row})
    told = here("routing", "audit", "--json")
    with s.store.writing() as connection:
        connection.execute(change, {"new": row, "old": forged})
    assert (told.status, [each["run"] for each in told.json["differing"]]) == (1, [run])


def test_the_best_model_is_exchanged_for_another_vendors_by_one_line_while_a_client_keeps_calling(
    s: Served, here: Any
) -> None:
    client, wrote, enough = client_of(s), list[str](), threading.Event()

    def keep_calling() -> None:
        while not enough.is_set():
            wrote.append(asked(client)["model"])

    calling = threading.Thread(target=keep_calling)
    calling.start()
    while not wrote and calling.is_alive():
        enough.wait(0.01)
    entry = s.folder / "acme" / "fairlead.yaml"
    whole = entry.read_text()
    lines = whole.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip() == '"house"')
    lines[at] = lines[at].replace("house", "rival")
    entry.write_text("\n".join(lines))
    assert here("apply", "--yes").status == 0
    before = len(wrote)
    while len(wrote) < before + 3 and calling.is_alive():
        enough.wait(0.01)
    enough.set()
    calling.join()
    assert set(wrote[:1]) == {"house"}
    assert set(wrote[-2:]) <= {"rival", "small"}
    assert len(wrote) >= before + 3, "no call failed"
