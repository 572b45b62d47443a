"""A tool that its system describes otherwise than what was accepted is not called, with a real server."""

from pathlib import Path

import msgspec
import pytest
from tests.execution.test_tool_call import call
from tests.tools.mcp_world import OURS, forked, system
from tests.world import world

from fairlead.errors import NotFound
from fairlead.execution.tool_pins import Quarantined
from fairlead.tools.systems import Pins

PERMIT = """
@id("all") permit(principal, action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
"""


async def test_what_was_accepted_is_called_and_what_has_changed_is_not(tmp_path: Path) -> None:
    command = forked("mcp_shop.py")
    async with system(environment=OURS, command=command) as shop:
        offered = await shop.definitions()
    accepted = {name: offered[name] for name in ("get_order", "set_note")}
    accepted["set_note"] = msgspec.structs.replace(accepted["set_note"], description="Notes what the customer says.")
    accepted["pay"] = msgspec.structs.replace(accepted["set_note"], name="pay")
    pins = msgspec.json.encode(Pins(tools=tuple(accepted.values()))).decode()
    files = {"systems/shop.pins.json": pins, "policies/main.cedar": PERMIT}
    async with world(tmp_path, files, systems={"shop": {"use": "mcp", "command": command, "timeout": 60}}) as w:
        assert (await call(w, "shop.get_order", {"order": "7"})).result.structured["amount"] == 12.5
        with pytest.raises(Quarantined) as changed:
            await call(w, "shop.set_note", {"order": "7", "note": "hello"})
        assert "Notes what the customer says." in changed.value.why
        with pytest.raises(Quarantined, match="not what was accepted"):
            await call(w, "shop.pay", {"order": "7", "note": "hello"})
        with pytest.raises(NotFound):
            await call(w, "shop.everything", {})  # offered, and accepted by nobody
        outcomes = {each.tool: (each.outcome, each.error and each.error.code) for each in w.records("call_tool")}
        assert outcomes["shop.set_note"] == ("refused", "quarantined")
        assert outcomes["shop.get_order"] == ("done", None)
