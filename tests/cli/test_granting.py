"""`fairlead grants` and `/v1/grants` over one deployment: what is connected is seen by whose it is, and ended by them
or by whoever runs it."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Fairlead
from tests.execution.test_granted_calls import FILES, systems
from tests.identity.authorization_server import AuthorizationServer
from tests.world import MASTER_KEY, Served, served

from fairlead.cli.place import MASTER_KEY as VARIABLE
from fairlead.clock import SystemClock
from fairlead.identity.grants import Grant
from fairlead.identity.token_endpoint import Tokens


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    """In a loop of its own: commands run in this one's thread."""
    made = AuthorizationServer(SystemClock())
    made.secret = "test-key"
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(made.serve(), loop).result(60)
    yield made
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


@pytest.fixture
def house(tmp_path: Path, server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv(VARIABLE, MASTER_KEY.hex())
    monkeypatch.setenv("TEST_KEY", "test-key")
    with served(tmp_path, FILES, systems=systems(server)) as s:
        monkeypatch.chdir(tmp_path / "acme")
        yield s


def connect(s: Served, server: AuthorizationServer, person: str) -> Grant:
    _, said = server.grant(person)
    grants = s.running.grants.grants
    settings = s.running.fairlead.deployment.systems.systems["shop"].settings.credential.grant
    assert settings is not None
    tokens = Tokens(access=said["access_token"], refresh=said["refresh_token"], expires_at=SystemClock().now() + 10**6)
    return grants.put(person, "", "shop", settings, ("helper", ""), tokens, f"key:{person}")


def test_people_end_their_own_and_operators_anybodys(
    house: Served, server: AuthorizationServer, fairlead: Fairlead
) -> None:
    kim, lee = connect(house, server, "kim"), connect(house, server, "lee")
    with httpx.Client(base_url=house.url, headers=house.auth("kim")) as client:
        listed = client.get("/v1/grants").json()
        (shown,) = listed["data"]
        assert shown == client.get(f"/v1/grants/{kim.id}").json()
        assert (shown["system"], shown["state"], shown["agents"], shown["scopes"]) == (
            "shop", "active", ["", "helper"], ["orders"]
        )  # fmt: skip
        assert client.get("/v1/grants", headers={"authorization": "Bearer no"}).status_code == 401
        for method in ("GET", "DELETE"):
            assert client.request(method, f"/v1/grants/{lee.id}").status_code == 404
        assert client.delete(f"/v1/grants/{kim.id}").json() == {
            "id": kim.id, "object": "grant", "deleted": True, "provider": "ended"
        }  # fmt: skip
        assert server.grants["g0"]["over"]
        assert client.delete(f"/v1/grants/{kim.id}").status_code == 404
        assert client.get(f"/v1/grants/{kim.id}").json()["reason"] == "the person has disconnected it"

    at = ("--data", str(house.folder / "data"))
    (listed,) = fairlead("grants", "list", "--json", *at).json
    assert (listed["id"], listed["person"]) == (lee.id, "lee")
    assert "none, the person alone, helper" in fairlead("grants", "list", *at).out
    for person, state in (("lee", "answers"), ("kim", "does not answer")):
        (tool,) = fairlead("tools", "list", "--person", person, "--json", *at).json
        assert (tool["tool"], tool["state"]) == ("shop.orders", state)
    assert "scopes: orders" in fairlead("grants", "show", lee.id, *at).out
    assert fairlead("grants", "revoke", *at).status != 0
    assert "would revoke 1 grant of 1 person" in fairlead("grants", "revoke", lee.id, "--dry-run", *at).err
    assert not server.grants["g1"]["over"]
    server.secret = "changed-meanwhile"
    said = fairlead("grants", "revoke", "--person", "lee", "--yes", *at)
    assert said.status == 0
    assert f"{lee.id} is revoked; the provider still has it: invalid_client" in said.err
    assert "nothing of that is connected" in fairlead("grants", "revoke", "--system", "shop", "--yes", *at).err
    shown = [(each["system"], each["state"]) for each in fairlead("grants", "list", "--all", "--json", *at).json]
    assert shown == [("shop", "revoked")] * 2
    whole = b"".join(house.raw_records())
    assert not any(each.encode() in whole for each in server.made)
