"""What a run could have undone and has not is told whoever runs the deployment: its person may be gone."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Fairlead
from tests.workflows.walking import PAY, PERMITS, PRICE, shop

from fairlead.cli.main import run as command
from fairlead.cli.opening import log_of, open_store, open_vault
from fairlead.cli.place import find
from fairlead.cli.records import record_of
from fairlead.clock import SystemClock
from fairlead.identity.types import Caller
from fairlead.workflows.opened import Started
from fairlead.workflows.runs import Runs

PAID = {**PAY, "compensate": {"tool": {"call": "bank.refund", "arguments": {"amount": "${steps.price.value}"}}}}
STONE = {"id": "ship", "tool": {"call": "bank.ship", "arguments": {"article": "stone"}}}
NEVER = """@id("never") @reason("a secret 4711 of the refund")
forbid(principal, action == Action::"bank.refund", resource);
"""


async def test_what_was_not_undone_is_seen_without_its_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with shop(tmp_path, PRICE, PAID, STONE, files={"policies/all.cedar": PERMITS + NEVER}) as s:
        where = ["--workspace", str(tmp_path / "acme"), "--data", str(tmp_path / "data"), "--json"]

        async def said(*arguments: str) -> str:
            capsys.readouterr()
            await asyncio.to_thread(command, [*arguments, *where])
            return capsys.readouterr().out

        async def doctor() -> Any:
            return next(each for each in json.loads(await said("doctor")) if each["subject"] == "workflows")

        assert (await doctor())["state"] == "ok"
        failed = await s.bought()
        assert [at for at, _ in failed["failure"]["not_undone"]] == ["pay"]
        (record,) = s.w.records("workflow_not_undone")
        assert record.about == f"{failed['id']} buy: pay"
        line = await said("workflow", "runs", "--everyone", "--not-undone")
        (told,) = json.loads(line)
        assert (told["id"], told["not_undone"], "4711" in line) == (failed["id"], "pay", False)
        found = await doctor()
        assert (found["state"], f"{failed['id']} buy: pay" in found["said"]) == ("warn", True)


def test_an_erasure_tells_of_the_runs_that_it_cuts_off(live: Path, fairlead: Fairlead) -> None:
    place = find(live)
    with closing(open_store(place)) as store:
        runs = Runs(store, open_vault(place, store), SystemClock())
        what = Started(workflow="greet", digest="d" * 64, body=b"{}", input={"of": "Ada"})
        run, _ = runs.begin(Caller(person="kim", credential="key:kim"), what)
        assert (
            f"the run {run.id} greet accepted ends in its middle" in fairlead("data", "erase", "kim", "--dry-run").err
        )
        said = fairlead("data", "erase", "kim", "--yes", "--json").json
        left = {"run": run.id, "workflow": "greet", "status": "accepted", "not_undone": ""}
        assert (said["erased"], said["runs_left"]) == (True, [left])
        assert fairlead("workflow", "runs", "--everyone").err.strip() == "there are none"
        found = [record_of(row) for row in log_of(store).latest(5)]
        assert [each.about for each in found if each.kind == "workflow_erased"] == [f"{run.id} greet accepted"]
