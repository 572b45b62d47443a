"""Calls under what a person has connected: in whose name a system sees them, what is told where it cannot be, and that
no token is ever found anywhere but sealed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text as sql
from tests.execution.test_tool_call import call
from tests.identity.authorization_server import AuthorizationServer
from tests.world import MASTER_KEY, World, world

from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import Stopped
from fairlead.identity.grants import Grant, Grants
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.token_endpoint import Tokens
from fairlead.policy.stop_table import put_stop
from fairlead.policy.stops import Stop
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.tools.failures import CredentialRefused

DESCRIPTION = """
openapi: 3.1.0
paths:
  /orders:
    get:
      operationId: orders
"""
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"shop");
@id("results") permit(principal, action == Action::"release_result", resource);
"""
FILES = {"systems/shop-api.yaml": DESCRIPTION, "policies/main.cedar": POLICIES}


def systems(server: AuthorizationServer) -> dict[str, Any]:
    grant = {"issuer": server.url, "client": "fairlead", "secret": "env:TEST_KEY", "scopes": {"orders": "read orders"}}
    shop = {"use": "openapi", "description": "shop-api.yaml", "url": server.url, "at_home": True, "price": 0.01}
    return {"shop": {**shop, "credential": {"grant": grant}}}


@asynccontextmanager
async def shop(folder: Path) -> AsyncIterator[tuple[World, AuthorizationServer]]:
    server = AuthorizationServer(SystemClock())
    server.secret = "test-key"
    serving = await server.serve()
    try:
        async with world(folder, FILES, systems=systems(server)) as w:
            yield w, server
    finally:
        await serving.cleanup()


async def connect(w: World, server: AuthorizationServer, person: str = "kim", *, age: int = 60_000) -> Grant:
    """As another process would, some time ago: this one has taken up by now that there is something new, which would
    otherwise send the call back that it meets."""
    _, said = server.grant(person)
    settings = w.fairlead.deployment.systems.systems["shop"].settings.credential.grant
    assert settings is not None
    now = w.clock.now()
    tokens = Tokens(
        access=said["access_token"], refresh=said["refresh_token"], got_at=now - age, expires_at=now + 240_000
    )
    grant = elsewhere(w).put(person, "", "shop", settings, ("*",), tokens, f"key:{person}")
    fleet = Fleet(w.store, w.clock)
    assert not (await asyncio.to_thread(fleet.wait_until_seen, fleet.current().number)).missing
    return grant


def elsewhere(w: World) -> Grants:
    return Grants(w.store, Vault(MASTER_KEY, StoredSubjects(w.store), w.clock), w.clock, deed)


async def test_a_system_sees_the_person_who_connected_it_and_nobody_finds_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with shop(tmp_path) as (w, server):
        with pytest.raises(NoCredential, match="could know you") as missing:
            await call(w, "shop.orders", {})
        assert "/connect/shop" in missing.value.mend
        await connect(w, server)
        await connect(w, server, "lee")
        for person in ("kim", "lee"):
            answer = await call(w, "shop.orders", {}, person=person)
            assert answer.result.structured == {"of": person, "repeated": "[CREDENTIAL]"}
            assert answer.credential == "grant"
        first = server.calls[0]
        server.grants["g0"]["access"][first] = 0  # it ends before its time
        answer = await call(w, "shop.orders", {})
        assert answer.result.structured["of"] == "kim"
        assert answer.flags == ("renewed", "redacted")
        assert server.calls[2] == first != server.calls[3]
        server.grants["g0"]["access"][server.calls[3]] = 0
        with pytest.raises(CredentialRefused):  # so soon again: final, and nothing is charged
            await call(w, "shop.orders", {})
        assert server.renewals == 1
        server.end("g1")
        server.grants["g1"]["access"] = {}
        with pytest.raises(CredentialRefused) as ended:
            await call(w, "shop.orders", {}, person="lee")
        assert "the provider has ended it" in ended.value.why
        with pytest.raises(NoCredential):
            await call(w, "shop.orders", {}, person="lee")
        records = w.records("call_tool")
        assert [(each.outcome, each.rights, each.cost) for each in records[1:4]] == [("done", "grant", 10_000_000)] * 3
        assert [(each.outcome, each.cost) for each in records[4:]] == [("failed", 0)] * 2 + [("refused", 0)]
        assert not w.holds()
        await asyncio.to_thread(w.store.bring_in_order)
        with w.store.reading() as connection:
            log = list(connection.execute(sql("SELECT record, spans FROM log")))
        assert len(log) > 8
        found = [*state(tmp_path), *[bytes(part) for row in log for part in row if part], caplog.text.encode()]
        for secret in (*server.made, server.secret):
            assert not any(secret.encode() in each for each in found), secret
        assert any(b"grant_made" in each for each in found)


def state(folder: Path) -> Iterator[bytes]:
    """The database as it lies on the disk, with what was not yet folded into it."""
    for each in (folder / "data").rglob("*"):
        if each.is_file():
            yield each.read_bytes()


async def test_what_is_revoked_or_stopped_elsewhere_is_used_no_more_at_once(tmp_path: Path) -> None:
    async with shop(tmp_path) as (w, server):
        grant = await connect(w, server)
        assert (await call(w, "shop.orders", {})).result.structured["of"] == "kim"
        taken = await asyncio.to_thread(elsewhere(w).revoke, grant, "operator", "os:test")
        assert taken is not None
        with pytest.raises(NoCredential) as revoked:
            await call(w, "shop.orders", {})
        assert "has revoked it" in revoked.value.why
        await connect(w, server)
        await call(w, "shop.orders", {})
        before = len(server.calls)
        await asyncio.to_thread(stop, w.store, w.clock)
        with pytest.raises(Stopped):
            await call(w, "shop.orders", {})
        assert len(server.calls) == before


def stop(store: Store, clock: Any) -> None:
    fleet = Fleet(store, clock)
    about = {"id": "s1", "kind": "system", "name": "shop", "reason": "leak", "by": "os:test", "at": clock.now()}
    with store.writing() as connection:
        put_stop(connection, msgspec.convert(about, Stop))
        epoch = fleet.announce(connection)
    fleet.wait_until_seen(epoch)
