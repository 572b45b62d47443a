"""`fairlead examples` over one deployment: what people say over HTTP is listed, exported and forgotten."""

import json
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Fairlead
from tests.world import MASTER_KEY, Served, served

from fairlead.cli.place import MASTER_KEY as VARIABLE
from fairlead.identity.types import Caller
from fairlead.learning.examples import refuse
from fairlead.workflows.opened import Started
from fairlead.workflows.taking import Taking
from fairlead.workflows.walk import Place, Waiting, Work

ROLES = {"roles": {"clerk": {"persons": ["lee"]}}}
PLACE = "read.~expert"
IBAN = """@id("iban") @reason("no account number for a cloud") @redact("iban")
forbid(principal, action == Action::"call_model", resource)
when { context.labels.contains("iban") && resource.kind == "cloud" };
@id("all") permit(principal, action, resource);
"""


def asked(s: Served) -> str:
    """A run of kim's that waits for a clerk."""
    runs = s.running.runs
    kim = Caller(person="kim", credential="key:kim")
    run, _ = runs.begin(kim, Started(workflow="bills", digest="d" * 64, body=b"{}", input={}))
    Taking(s.store, s.running.fairlead.clock, runs, "worker").take(1)
    work = Work(task="chat", reason="refused", code="denied", sources=("tool:mail.read", "person:kim"))
    waiting = Waiting(kind="question", id=PLACE, role="clerk", ask="The total?", work=work)
    assert runs.park(runs.open(run.id), "worker", [(Place(run.id, ("read", "~expert")), waiting)])
    return run.id


def test_what_people_say_is_listed_without_its_words_exported_by_class_and_forgotten(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "test-key")
    with served(tmp_path, {"policies/iban.cedar": IBAN}, approvals=ROLES) as s, httpx.Client(base_url=s.url) as client:
        monkeypatch.chdir(tmp_path / "acme")
        at = ("--data", str(tmp_path / "data"))
        run = asked(s)
        order = {"do": "approve", "at": PLACE, "value": "It is 7 EUR."}
        path = f"/v1/workflows/runs/{run}"
        assert client.post(path, headers=s.auth("max"), json=order).status_code == 404
        assert client.post(path, headers=s.auth("lee"), json=order).json()["settled"]
        question = {"model": "house", "messages": [{"role": "user", "content": "When do we ship?"}]}
        answered = client.post("/v1/chat/completions", headers=s.auth("kim"), json=question)
        action = answered.headers["x-fairlead-run"]
        for words in ("On Fridays.", "On Mondays, to DE89370400440532013000."):
            said = {"run": action, "correction": words}
            assert client.post("/v1/feedback", headers=s.auth("kim"), json=said).status_code == 200

        assert fairlead("examples", "list", "--task", "no_such", "--json", *at).json == []
        rows = fairlead("examples", "list", "--json", *at).json
        assert [(each["source"], each["class"]) for each in rows] == [
            ("correction", "confidential"),
            ("expert", "public"),
        ]
        (corrected, expert) = (each["id"] for each in rows)
        rest = fairlead("examples", "list", "--after", corrected, *at).out
        assert (expert in rest, corrected in rest, "bills.read" in rest) == (True, False, True)
        assert "7 EUR" not in fairlead("examples", "show", expert, *at).out
        no_key = fairlead("examples", "show", expert, "--payload", *at)
        assert (no_key.status, "7 EUR" in no_key.out + no_key.err) == (2, False)
        assert fairlead("examples", "export", *at).status == 2
        assert s.records("examples_exported") == []

        monkeypatch.setenv(VARIABLE, MASTER_KEY.hex())
        shown = fairlead("examples", "show", expert[:9], "--payload", *at).out
        assert all(each in shown for each in ("It is 7 EUR.", "untrusted  tool:mail.read", "UTC by lee"))
        dry = fairlead("examples", "export", "--dry-run", *at)
        assert (dry.out, "1 examples; 1 are of a higher class" in dry.err) == ("", True)
        assert fairlead("examples", "export", "--out", tmp_path / "x.jsonl", *at).status == 0
        (line,) = (tmp_path / "x.jsonl").read_text().splitlines()
        assert json.loads(line)["messages"][-1] == {"role": "assistant", "content": "It is 7 EUR."}
        assert "exists already" in fairlead("examples", "export", "--out", tmp_path / "x.jsonl", *at).err
        both = fairlead("examples", "export", "--up-to", "confidential", *at).out.splitlines()
        first = json.loads(both[0])
        assert first["messages"] == [
            {"role": "user", "content": "When do we ship?"},
            {"role": "assistant", "content": "On Mondays, to [IBAN_1]."},
        ]
        said = fairlead("examples", "export", "--up-to", "confidential", "--as-said", *at).out.splitlines()
        assert json.loads(said[0])["messages"][-1]["content"] == "On Mondays, to DE89370400440532013000."
        assert (first["action"], len(both), first["rejected"][0]["model"]) == (action, 2, "house")
        as_task = fairlead("examples", "export", "--as", "task", "--source", "expert", *at).out
        assert as_task == 'examples:\n  - "The total?"\n'
        assert [each.about for each in s.records("examples_exported")] == [
            "1 examples up to internal",
            "2 examples up to confidential",
            "2 examples up to confidential, as they were said",
            "1 examples up to internal, source expert",
        ]

        refuse(s.store, run, "read")
        assert "did not pass" in fairlead("examples", "list", "--source", "expert", *at).out
        assert "left out of exports" in fairlead("examples", "show", expert, *at).err
        dry = fairlead("examples", "export", "--dry-run", *at).err
        assert "0 examples; 1 are of a higher class, and stay; 1 did not pass a check" in dry
        assert fairlead("examples", "export", *at).out == ""
        (line,) = fairlead("examples", "export", "--unaccepted", *at).out.splitlines()
        assert (json.loads(line)["id"], json.loads(line)["accepted"]) == (expert, False)

        where = fairlead("data", "where", "lee", "--json", *at).json
        assert [each["count"] for each in where["kept"] if each["place"] == "table example"] == [1]
        assert "would forget 1 examples" in fairlead("examples", "forget", corrected, "--dry-run", *at).err
        assert fairlead("examples", "forget", corrected, "--yes", "--json", *at).json == {"forgotten": 1}
        assert "1 examples" in fairlead("data", "erase", "lee", "--yes", *at).err
        assert "there are none" in fairlead("examples", "list", *at).err
        assert fairlead("audit", "verify", *at).status == 0
