"""How well a run was done, said over HTTP by who may say it, and what is made of everything else that comes."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.world import Served, served

from fairlead.costs.payload import decode_payload
from fairlead.server.feedback import run_of
from fairlead.storage import outcome_rows
from fairlead.storage.log import Log

OUTCOMES = {"feedback": {"reviewers": ["leads"], "per_minute": 1000}}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("feedback"), outcomes=OUTCOMES) as running:
        yield running


def asked(s: Served, person: str = "kim") -> str:
    body = {"model": "house", "messages": [{"role": "user", "content": "When do we ship?"}]}
    return httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(person), json=body).headers["x-fairlead-run"]


def say(s: Served, run: str, person: str = "kim", **body: Any) -> httpx.Response:
    return httpx.post(f"{s.url}/v1/feedback", headers=s.auth(person), json={"run": run, **body})


def outcomes(s: Served, run: str) -> list[tuple[str, float]]:
    with s.store.reading() as connection:
        return [
            (each.source, each.score / 10_000) for each in outcome_rows.outcomes_since(connection, 0) if each.run == run
        ]


def test_what_is_said_is_a_row_of_the_log_and_an_outcome(s: Served) -> None:
    run = asked(s)
    done = say(s, run, score=0.75)
    assert (done.status_code, done.json()["score"], done.json()["model"]) == (200, 0.75, "house")
    (record,) = [each for each in s.records("outcome") if each.about == run]
    assert (record.score, record.source, record.weight, record.task) == (7500, "feedback", 1000, "chat")
    assert record.run == done.json()["id"] != run
    assert outcomes(s, run) == [("feedback", 0.75)]


def test_the_latest_word_counts_and_the_log_keeps_them_all(s: Served) -> None:
    run = asked(s)
    assert say(s, f"chatcmpl-{run}", thumbs="up").json()["id"] == say(s, run, score=1).json()["id"]
    said = say(s, run, correction="We ship on Fridays.")
    assert (said.json()["score"], said.json()["source"]) == (0, "correction")
    assert outcomes(s, run) == [("correction", 0)]
    first, second = [each for each in s.records("outcome") if each.about == run]
    assert (first.payload, second.payload != "") == ("", True)
    assert not any(b"Fridays" in each for each in s.raw_records())
    (row,) = Log(s.store).of_run(second.run)
    sealed = Log(s.store).payload(row.seq)
    assert sealed is not None
    plain = s.running.fairlead.ledger.vault.open_sealed(sealed.subject, sealed.ciphertext, row.run.encode())
    assert decode_payload(plain).reply == "We ship on Fridays."


def test_a_correction_is_labelled_as_any_text_is(s: Served) -> None:
    run = asked(s)
    say(s, run, correction="Pay to DE89370400440532013000 by Friday.")
    (record,) = [each for each in s.records("outcome") if each.about == run]
    assert "iban" in record.categories
    (answered,) = [each for each in s.records("call_model") if each.run == run]
    assert (answered.data_class, record.data_class) == ("public", "confidential"), "it says more than the answer did"


def test_whose_run_it_is_may_judge_it_and_so_may_reviewers_and_for_others_there_is_none(s: Served) -> None:
    run = asked(s)
    assert say(s, run, "lee", score=1).status_code == 200  # a reviewer
    foreign, missing = say(s, run, "max", score=0), say(s, run[:-4] + "0000", "max", score=0)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json()["error"]["message"].replace(run, "") == missing.json()["error"]["message"].replace(
        run[:-4] + "0000", ""
    )
    assert outcomes(s, run) == [("feedback", 1)]


@pytest.mark.parametrize(
    "body",
    [
        {"score": -0.1}, {"score": 1.5}, {"score": 1e400}, {"score": "good"}, {"score": None}, {}, {"thumbs": "so so"},
        {"score": 1, "thumbs": "up"}, {"score": 1, "correction": "x" * 20_001}, {"score": 1, "as": "lee"},
        {"correction": "  "},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_judgement_is_refused_and_leaves_nothing(s: Served, body: dict[str, Any]) -> None:
    text = json.dumps({"run": "run_0", **body})
    refused = httpx.post(f"{s.url}/v1/feedback", headers=s.auth(), content=text)
    assert refused.status_code == 400
    assert refused.json()["error"]["fairlead"]["help"]


def test_nothing_is_said_by_way_of_trial(s: Served) -> None:
    run = asked(s)
    trial = {**s.auth(), "x-fairlead-dry-run": "estimate"}
    refused = httpx.post(f"{s.url}/v1/feedback", headers=trial, json={"run": run, "score": 1})
    assert refused.status_code == 400
    assert outcomes(s, run) == []


def test_twice_at_once_is_one_outcome(s: Served) -> None:
    run = asked(s)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda score: say(s, run, score=score).status_code, (0.1, 0.9, 0.1, 0.9)))
    assert done == [200] * 4
    assert len(outcomes(s, run)) == 1


def test_an_erased_run_is_nobodys_to_judge(s: Served) -> None:
    run = asked(s, "max")
    say(s, run, "max", score=1)
    from sqlalchemy import text

    subject = next(each.person for each in s.records("call_model", run))
    with s.store.writing() as connection:
        connection.execute(text("DELETE FROM subject WHERE id = :id"), {"id": subject})
    assert outcomes(s, run) == []
    assert say(s, run, "lee", score=1).status_code == 404


def test_a_flood_is_bounded_by_name(tmp_path: Path) -> None:
    policies = {
        "policies/main.cedar": """
        permit(principal, action, resource);
        forbid(principal, action == Action::"give_feedback", resource) when { context.own && principal.agent == "" };
        """
    }
    limited = {"feedback": {"per_minute": 2}}
    with served(tmp_path, policies, outcomes=limited) as s:
        run = asked(s)
        assert say(s, run, score=1).status_code == 404  # a policy forbids judging one's own
        assert say(s, run, "lee", score=1).status_code == 200
        say(s, run, "lee", score=1)
        flooded = say(s, run, "lee", score=0)
        assert (flooded.status_code, flooded.json()["error"]["code"]) == (429, "rate_limited")
        assert "outcomes.feedback.per_minute" in flooded.json()["error"]["fairlead"]["why"]
        assert int(flooded.headers["retry-after"]) > 0


def test_a_run_is_known_by_the_ids_of_its_replies() -> None:
    assert {run_of(each) for each in ("run_1", "chatcmpl-run_1", "resp_1", "msg_run_1")} == {"run_1"}
    assert run_of("else") == "else"
