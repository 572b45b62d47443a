"""Work under way of somebody whom their provider takes out meanwhile, as another worker was told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import AMPLE
from tests.faults.provider import ERRORS
from tests.server.scim.pushing import Pushing, patch, provider, scim
from tests.world import World, asked, until, world

from fairlead.errors import Overloaded
from fairlead.execution import Answer, Deliver, call_model
from fairlead.identity.register import NotActive
from fairlead.identity.types import Caller
from fairlead.models.types import Chunk, Model

ACME = provider()
IDENTITY = {"providers": [{"issuer": "http://127.0.0.1:1", "audience": "fairlead", "name": "acme", "scim": scim()}]}


class Company:
    """A provider that pushes through another worker, and one of its people."""

    def __init__(self, w: World) -> None:
        self.w, self.pushing = w, Pushing(w.store, w.clock)
        self.ada = self.pushing.add(ACME, "ada")
        self.staff = self.pushing.gather(ACME, "staff", self.ada)

    async def push(self, path: str, operation: dict[str, Any]) -> None:
        await asyncio.to_thread(self.pushing.ask, ACME, "PATCH", path, patch(operation))

    async def leaves(self) -> None:
        await self.push(f"Users/{self.ada}", {"op": "Replace", "path": "active", "value": "False"})

    async def ask(self, deliver: Deliver | None = None, **fields: Any) -> Answer:
        caller = Caller(person="acme|x-ada", groups=frozenset({"staff"}), credential="oidc:http://127.0.0.1:1")
        request, arrival = asked(**fields)
        return await call_model(self.w.fairlead, caller, request, arrival, deliver)

    async def is_in(self) -> None:
        """Until this worker has heard of her."""
        await until(lambda: self.w.fairlead.current().authenticator.known("acme|x-ada").groups == {"staff"})


async def test_a_stream_of_somebody_who_is_made_inactive_ends_and_is_billed(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE, identity=IDENTITY) as w:
        company, pieces = Company(w), []
        await asyncio.to_thread(w.running.people[0]._people.follow)
        await company.is_in()
        w.provider.always, w.provider.pause = "trickle", 0.05

        async def deliver(run: str, model: Model, chunk: Chunk) -> None:
            pieces.append(chunk.text)

        stream = asyncio.ensure_future(company.ask(deliver, content="say 5000", stream=True, max_tokens=5000))
        await until(lambda: len(pieces) > 3)
        await company.leaves()
        with pytest.raises(NotActive):
            await stream
        record = w.records("call_model")[-1]
        assert record.outcome == "refused"
        assert record.cost > 0
        assert w.holds() == []


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_call_that_waits_is_not_made_with_rights_that_were_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setitem(ERRORS, "429-seconds", (429, "slow down", "rate_limit_error", {"retry-after": "2"}))
    async with world(tmp_path, budgets=AMPLE, fallback=True, identity=IDENTITY, retries={"tries": 2}) as w:
        company = Company(w)
        await asyncio.to_thread(w.running.people[0]._people.follow)
        await company.is_in()
        w.provider.next = ["429-seconds", "429-seconds"]
        waiting = asyncio.ensure_future(company.ask(model="small"))
        await until(lambda: len(w.provider.received) >= 2)
        calls = len(w.provider.received)
        if leaves:
            await company.leaves()
        else:
            await company.push(f"Groups/{company.staff}", {"op": "remove", "path": "members"})
        with pytest.raises(NotActive if leaves else Overloaded):
            await waiting
        assert len(w.provider.received) == calls
        assert w.holds() == []
