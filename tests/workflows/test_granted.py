"""An account that was connected, and disconnected while a run was parked: nothing is done with it any more."""

import asyncio
from pathlib import Path

from tests.execution.test_granted_calls import DESCRIPTION, connect, elsewhere, systems
from tests.identity.authorization_server import AuthorizationServer
from tests.workflows.walking import PERMITS, Shop
from tests.world import world

from fairlead.clock import SystemClock

FLOW = """
steps:
  - {id: before, tool: {call: shop.orders}}
  - {id: go, wait: {signal: go}, timeout: 7d}
  - {id: after, tool: {call: shop.orders}}
"""
FILES = {"systems/shop-api.yaml": DESCRIPTION, "policies/all.cedar": PERMITS, "workflows/buy.yaml": FLOW}


async def test_a_run_that_was_parked_does_nothing_with_an_account_that_was_disconnected_meanwhile(
    tmp_path: Path,
) -> None:
    server = AuthorizationServer(SystemClock())
    server.secret = "test-key"
    serving = await server.serve()
    try:
        async with world(tmp_path, FILES, systems=systems(server)) as w:
            s, grant = Shop(w), await connect(w, server)
            run = s.begin()
            assert (await s.walked(run))["status"] == "waiting"
            assert len(server.calls) == 1
            await asyncio.to_thread(elsewhere(w).revoke, grant, "lost telephone", "key:kim")
            s.order(run, "signal", signal="go")
            ended = await s.walked(run)
            assert (ended["status"], ended["failure"]["at"], ended["failure"]["kind"]) == ("failed", "after", "refused")
            assert "/connect/shop" in ended["failure"]["mend"]
            assert len(server.calls) == 1
            await connect(w, server)
            mended = await s.walked(s.order(run, "retry")["id"])
            assert (mended["status"], len(server.calls)) == ("done", 2)  # what was done before was kept
    finally:
        await serving.cleanup()
