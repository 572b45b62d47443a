"""One system that cannot be opened ends no other: it is left aside, and says so to whoever calls it."""

import pytest

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.net.http import Http
from fairlead.tools import registry
from fairlead.tools.cards import NO_CARD
from fairlead.tools.failures import SystemFailed
from fairlead.tools.settings import AnySystem, QuerySettings, SqlSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Credential
from fairlead.workspace.connecting import Connections
from fairlead.workspace.systems import one_system

QUERIES = {"all": QuerySettings(sql="SELECT 1")}


def system(name: str) -> System:
    settings: AnySystem = SqlSettings(url="sqlite:orders.db", queries=QUERIES)
    return one_system(name, settings, NO_CARD, {})


@pytest.mark.parametrize("fault", [BadInput("no psycopg", why="it is not there", mend="install it"), KeyError("s3cr")])
async def test_a_system_that_cannot_be_opened_is_left_aside(
    fault: Exception, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened = registry.open_system

    def failing(system: System, http: Http, clock: Clock) -> object:
        if system.name == "broken":
            raise fault
        return opened(system, http, clock)

    monkeypatch.setattr("fairlead.tools.left_aside.open_system", failing)
    http = Http(clock)
    connections = Connections(http, clock, {}.get)
    both = {name: system(name) for name in ("broken", "sound")}
    taken = connections.take_up(both)
    assert {each.name for each in await taken.drivers["sound"].definitions(Credential(), 0)} == {"all"}
    with pytest.raises(SystemFailed, match="broken could not be opened") as failed:
        await taken.drivers["broken"].definitions(Credential(), 0)
    assert failed.value.charged == "no"
    assert "s3cr" not in failed.value.why + failed.value.mend
    assert "system broken is left aside" in caplog.text
    assert connections.take_up(both) is taken  # nothing is opened, or logged, anew
    assert caplog.text.count("is left aside") == 1
    await connections.close()
    await http.close()
