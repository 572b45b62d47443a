"""Rules about replies while the provider, or the judge, misbehaves: nothing forbidden leaves, no dead stream looks
whole, nobody waits for ever, and the record says what happened."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from tests.doors.asking import DOORS, Got
from tests.world import Served, served, settings, wait_until

FAULTS = (
    "half-closed", "reset-mid-body", "stall", "error-object", "malformed-stream", "no-done", "done-without-finish",
    "empty-stream", "holds-open", "stream-for-json", "no-usage", "500",
)  # fmt: skip
JUDGES = ("500", "401", "hang", "stall", "reset-mid-body", "malformed-stream", "empty-stream", "html", "error-object")
SILENT = ("fault-hang", "fault-stall")  # those that are met by waiting
RULES = """
detectors:
  - {name: ledger, category: ledger, pattern: '\\bledgerline\\b'}
  - {name: moon, category: moon, pattern: '\\bmoonrock\\b'}
  - {name: court, category: court, pattern: '\\bcourtroom\\b'}
require: [{name: sealed, text: under seal, otherwise: withhold, labels: [ledger]}]
grounding: [{name: grounded, labels: [moon]}]
words: [{name: no_promises, never: [guarantee* profit]}]
judge:
  - {name: judged, model: judge, ask: Is it kind?, labels: [court]}
"""
# What the model says, and what of it may never be seen.
SAID = {
    "so a guaranteed profit is what you get": "guaranteed",
    "a ledgerline of some secret it is": "ledgerline",
    "moonrock cheese costs a lot of money": "moonrock",
    "courtroom manners are not for you": "courtroom",
}


def name_of(fault: str, then: str) -> str:
    return f"{then}_{fault.replace('-', '_')}"


def models(url: str) -> dict[str, Any]:
    """The world's models, one for each fault, and a judge that says no."""
    named = {f"fault-{each}": f"fault-{each}" for each in {*FAULTS, *JUDGES}} | {"judge": "critic"}
    about = {"url": f"{url}/v1", "placement": {"kind": "cloud"}}
    waits = {name: 0.5 if name in SILENT else 30 for name in named}
    more = {
        name: {
            "use": f"openai-compatible/{remote}",
            "timeouts": {"connect": 30, "first_byte": waits[name], "idle": waits[name]},
            **about,
        }
        for name, remote in named.items()
    }
    return {**settings(url)["models"], **more}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    judges = [
        f"  - {{name: {name_of(each, then)}, model: fault-{each}, ask: Is it kind?, on_error: {then}, "
        f"tasks: [{name_of(each, then)}]}}\n"
        for each, then in product(JUDGES, ("withhold", "allow"))
    ]
    files = {"rules/a.yaml": RULES + "".join(judges)}
    files |= {f"tasks/{name_of(*each)}.yaml": "prefer: [small]" for each in product(JUDGES, ("withhold", "allow"))}
    names = ("small", "house", "judge", *(f"fault-{each}" for each in {*FAULTS, *JUDGES}))
    prices = {name: {"input": 2, "output": 8} for name in names}
    with served(
        tmp_path_factory.mktemp("rules"), files, models=models, prices=prices,
        breaker={"failures": 10**6, "least": 10**6, "cool_down": 0.001, "longest_cool_down": 0.001},
    ) as s:  # fmt: skip
        yield s


def all_of(s: Served, jobs: list[tuple[str, str, bool, str]]) -> list[Got]:
    """Every question at its door, many at once. Each client gives up after a minute."""
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda job: answered(s, *job), jobs))
    wait_until(lambda: not s.holds())
    return found


def answered(s: Served, door: str, said: str, streamed: bool, model: str) -> Got:
    """What a client gets that comes back where it is told to: on a machine that stood still for seconds the worker's
    lease has lapsed, or its journal is stuck, and until that is over it refuses."""
    got: list[Got] = []

    def is_answered() -> bool:
        got.append(DOORS[door](s, "kim", f"echo {said}", streamed, model))
        return got[-1].error != "overloaded"

    wait_until(is_answered)
    return got[-1]


def test_nothing_forbidden_leaves_and_no_dead_stream_looks_whole(s: Served) -> None:
    jobs = [(door, said, True, f"fault-{fault}") for door, said, fault in product(DOORS, SAID, FAULTS)]
    found = all_of(s, jobs)
    records = {record.run: record for record in s.records("call_model")}
    for job, got in zip(jobs, found, strict=True):
        assert got.whole is not None
        assert SAID[job[1]] not in got.whole.text, job
        assert got.error, job
        record = records[got.run]
        assert record.error is not None, job
        assert (record.outcome, record.error.code) == ("refused" if got.error == "withheld" else "failed", got.error)
    assert {got.error for job, got in zip(jobs, found, strict=True) if job[3] == "fault-no-usage"} == {"withheld"}


def test_what_a_judge_cannot_be_asked_about_stays_or_leaves_as_the_rule_says(s: Served) -> None:
    jobs = [
        (door, "good day to you", streamed, name_of(fault, then))
        for door, streamed, fault, then in product(DOORS, (False, True), JUDGES, ("withhold", "allow"))
    ]
    found = all_of(s, jobs)
    records = {record.run: record for record in s.records("call_model")}
    asked: list[bool] = []
    for job, got in zip(jobs, found, strict=True):
        allowed = job[3].startswith("allow")
        assert (got.text, got.error) == (("good day to you", "") if allowed else ("", "withheld")), job
        ((rule, run, verdict),) = records[got.run].judged
        assert (rule, verdict) == (job[3], "unjudged")
        assert not run or records[run].judges == got.run
        asked.append(bool(run))
    assert sum(asked) > len(jobs) / 2  # a judge that is to be asked while the lease has lapsed has no run
