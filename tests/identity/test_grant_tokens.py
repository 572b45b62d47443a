"""Tokens of grants: in memory while they are good, renewed early and once, and told honestly when they are lost."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from tests.erased import erase
from tests.identity.authorization_server import AuthorizationServer
from tests.identity.issuer import ToldClock

from fairlead.costs.record import decode_record, deed
from fairlead.errors import DeadlineExceeded, Upstream
from fairlead.identity.credentials import Credentials
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grant, Grants
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.renewals import LEASE
from fairlead.identity.token_endpoint import Tokens
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.tools.cards import NO_CARD
from fairlead.tools.failures import CredentialRefused, SystemFailed
from fairlead.tools.settings import AnySystem
from fairlead.tools.systems import System, compile_system

ADA = Caller(person="ada", agent="helper")


def system(server: AuthorizationServer, **more: Any) -> System:
    grant = {"issuer": server.url, "client": "fairlead", "secret": "env:CLIENT", "scopes": {"orders": "read"}} | more
    whole = {"use": "python", "file": "a.py", "credential": {"grant": grant}}
    return compile_system("crm", msgspec.convert(whole, AnySystem), NO_CARD, (), {})


@dataclass
class Worker:
    """What one process has of grants."""

    tokens: GrantTokens
    credentials: Credentials
    clock: ToldClock

    async def token(self, crm: System, caller: Caller = ADA, refused: str = "", within: float = 60) -> str | None:
        held = await self.tokens.of(caller, crm, self.clock.monotonic() + within, refused)
        return None if held is None else held.secret


@asynccontextmanager
async def worker(store: Store, clock: ToldClock, server: AuthorizationServer) -> AsyncIterator[Worker]:
    reveal = {"env:CLIENT": server.secret, "env:SHARED": "shared-secret"}.get
    async with Http(clock) as http:
        vault = Vault(bytes(range(32)), StoredSubjects(store), clock)
        tokens = GrantTokens(Grants(store, vault, clock, deed), GrantServer(http, clock, reveal), clock)
        tokens.address = "https://fairlead.example.com"
        yield Worker(tokens, Credentials(http, clock, reveal, tokens), clock)
        await tokens.close()


@pytest.fixture
async def server(clock: ToldClock) -> AsyncIterator[AuthorizationServer]:
    made = AuthorizationServer(clock)
    runner = await made.serve()
    yield made
    await runner.cleanup()


@pytest.fixture
async def one(store: Store, clock: ToldClock, server: AuthorizationServer) -> AsyncIterator[Worker]:
    async with worker(store, clock, server) as made:
        yield made


@pytest.fixture
async def two(store: Store, clock: ToldClock, server: AuthorizationServer) -> AsyncIterator[Worker]:
    async with worker(store, clock, server) as made:
        yield made


def given(said: dict[str, Any], clock: ToldClock) -> Tokens:
    life = said.get("expires_in")
    return Tokens(
        access=said["access_token"],
        refresh=said.get("refresh_token", ""),
        got_at=clock.now(),
        expires_at=clock.now() + int(life) * 1000 if life else 0,
    )


def connected(
    worker: Worker, server: AuthorizationServer, crm: System, *, agents: tuple[str, ...] = ("*",), person: str = "ada"
) -> Grant:
    _, said = server.grant(person)
    settings = crm.settings.credential.grant
    assert settings is not None
    return worker.tokens.grants.put(person, "", "crm", settings, agents, given(said, worker.clock), f"key:{person}")


def deeds(store: Store) -> list[tuple[str, str]]:
    from sqlalchemy import text

    store.bring_in_order()
    with store.reading() as connection:
        rows = connection.execute(text("SELECT record FROM log ORDER BY seq")).scalars().all()
    return [(each.kind, each.about) for each in map(decode_record, map(bytes, rows))]


async def test_a_token_is_kept_renewed_early_and_by_one_of_many(
    one: Worker, two: Worker, server: AuthorizationServer, clock: ToldClock, store: Store
) -> None:
    crm = system(server)
    assert await one.token(crm) is None
    grant = connected(one, server, crm)
    first = await one.token(crm)
    assert server.whose(str(first)) == "ada"
    assert await two.token(crm) == first
    clock.passes(239)
    assert await one.token(crm) == first
    clock.passes(2)
    server.gate = asyncio.Event()
    asked = [asyncio.ensure_future(each.token(crm)) for each in (one, two, one, two)]
    while not server.renewals:
        await asyncio.sleep(0.01)
    assert await two.token(crm) == first  # still good: nobody waits for the other
    server.gate.set()
    got = await asyncio.gather(*asked)
    assert got == [first] * 4
    while (later := await one.token(crm)) == first:
        await asyncio.sleep(0.01)
    assert server.renewals == 1
    assert await two.token(crm) == later
    clock.passes(400)
    got = await asyncio.gather(*[each.token(crm) for each in (one, two) * 3])
    assert len(set(got)) == 1
    assert (server.renewals, server.most_at_once) == (2, 1)
    assert deeds(store) == [("grant_made", f"{grant.id} crm")]


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_what_the_provider_has_ended_is_told_with_where_to_connect_anew(
    one: Worker, server: AuthorizationServer, clock: ToldClock, store: Store
) -> None:
    crm = system(server)
    grant = connected(one, server, crm)
    server.end("g0")
    clock.passes(400)
    with pytest.raises(NoCredential, match="could know you") as ended:
        await one.token(crm)
    assert ended.value.why == "what you connected has ended: the provider has ended it"
    assert ended.value.mend == "open https://fairlead.example.com/connect/crm in a browser"
    assert server.renewals == 1
    with pytest.raises(NoCredential):
        await one.token(crm)
    assert server.renewals == 1
    assert deeds(store)[-1] == ("grant_ended", f"{grant.id} crm: the provider has ended it")
    (found,) = one.tokens.grants.of("ada", "")
    assert (found.state, found.renews) == ("ended", True)
    connected(one, server, crm)
    assert await one.token(crm)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
@pytest.mark.parametrize("says", ["garbage", "nothing"])
async def test_an_answer_that_is_lost_loses_the_grant_only_where_the_server_says_so(
    one: Worker, server: AuthorizationServer, clock: ToldClock, says: str
) -> None:
    crm = system(server)
    for forgives in (True, False):
        server.forgives, server.says = forgives, says
        connected(one, server, crm)
        clock.passes(400)
        with pytest.raises(Upstream):
            await one.token(crm)
        server.says = ""
        before = server.renewals
        with pytest.raises(Upstream):
            await one.token(crm)  # not again so soon
        assert server.renewals == before
        clock.passes(6)
        if forgives:
            assert server.whose(str(await one.token(crm))) == "ada"
            continue
        with pytest.raises(NoCredential, match="could know you") as lost:
            await one.token(crm)
        assert "cut off in the middle" in lost.value.why


async def test_a_worker_that_dies_in_the_middle_is_followed_after_its_lease(
    one: Worker, two: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    crm = system(server)
    for forgives, ends in ((True, False), (False, True)):
        server.forgives = forgives
        connected(one, server, crm)
        clock.passes(400)
        row = one.tokens.grants.row_of("ada", "", "crm")
        assert row is not None
        assert one.tokens.grants.claim(row)
        server.tokens(next(reversed(server.grants)))  # it was given to the one who is no more
        with pytest.raises(DeadlineExceeded):
            await two.token(crm, within=0.3)
        clock.passes(LEASE + 1)
        if ends:
            with pytest.raises(NoCredential) as lost:
                await two.token(crm)
            assert "cut off in the middle" in lost.value.why
        else:
            assert server.whose(str(await two.token(crm))) == "ada"
            assert await one.token(crm) == await two.token(crm)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_a_refused_token_is_renewed_once_and_a_young_one_not_at_all(
    one: Worker, two: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    crm = system(server)
    connected(one, server, crm)
    first = str(await one.token(crm))
    assert await two.token(crm) == first
    with pytest.raises(CredentialRefused):
        await one.token(crm, refused=first)
    clock.passes(31)
    second = str(await one.token(crm, refused=first))
    assert second != first
    assert await two.token(crm, refused=first) == second
    assert server.renewals == 1
    with pytest.raises(CredentialRefused):
        await two.token(crm, refused=second)


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_a_provider_that_is_down_or_wrongly_set_up_ends_nothing(
    one: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    crm = system(server)
    connected(one, server, crm)
    first = await one.token(crm)
    clock.passes(250)
    server.says = "down"
    assert await one.token(crm) == first  # early, and still good
    clock.passes(60)
    for says, expected in (("down", Upstream), ("pause", Upstream), ("refused", SystemFailed)):
        server.says = says
        clock.passes(6)
        with pytest.raises(expected) as failed:
            await one.token(crm)
        said = f"{failed.value} {failed.value.why} {failed.value.mend}"
        assert "MARKER" not in said
        assert server.secret not in said
    server.says, server.secret = "", "another-secret-0123456789"
    clock.passes(6)
    with pytest.raises(SystemFailed, match="cannot be renewed"):
        await one.token(crm)
    server.secret = "cl&ent-s3cret-0123456789"
    clock.passes(6)
    assert server.whose(str(await one.token(crm))) == "ada"


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_who_may_use_it_and_when_it_has_ended_counts_before_every_other_way(
    one: Worker, two: Worker, server: AuthorizationServer, clock: ToldClock, store: Store
) -> None:
    crm = system(server)
    service = {"secret": "env:SHARED", "shared": True}
    both = msgspec.structs.replace(
        crm,
        settings=msgspec.structs.replace(
            crm.settings, credential=msgspec.convert({"service": service} | {"grant": {
                "issuer": server.url, "client": "fairlead", "secret": "env:CLIENT", "scopes": {"orders": "read"}
            }}, type(crm.settings.credential))
        ),
    )  # fmt: skip
    until = clock.monotonic() + 60
    assert (await one.credentials.of(ADA, "", both, until)).kind == "service"
    with pytest.raises(NoCredential, match="could know you") as missing:
        await one.credentials.of(ADA, "", crm, until)
    assert "/connect/crm" in missing.value.mend
    grant = connected(one, server, both, agents=("helper", ""))
    assert (await one.credentials.of(ADA, "", both, until)).kind == "grant"
    assert (await one.credentials.of(Caller(person="ada"), "", both, until)).kind == "grant"
    assert (await one.credentials.of(Caller(person="bob"), "", both, until)).kind == "service"
    assert (await one.credentials.of(Caller(person="ada", tenant="t"), "", both, until)).kind == "service"
    with pytest.raises(NoCredential, match="could know you"):
        await one.credentials.of(Caller(person="ada", agent="other"), "", both, until)
    one.tokens.grants.let(grant, ("other",), "key:ada")
    one.tokens.forget()
    assert (await one.credentials.of(Caller(person="ada", agent="other"), "", both, until)).kind == "grant"
    taken = one.tokens.grants.revoke(grant, "person", "key:ada")
    assert taken is not None
    one.tokens.forget()
    with pytest.raises(NoCredential, match="could know you") as ended:  # and not as the shared account
        await one.credentials.of(ADA, "", both, until)
    assert "disconnected" in ended.value.why
    assert one.tokens.grants.revoke(grant, "person", "key:ada") is None
    assert await one.tokens.server.take_back(crm.settings.credential.grant, taken) == ""  # type: ignore[arg-type]
    assert server.grants["g0"]["over"]
    assert [kind for kind, _ in deeds(store)] == ["grant_made", "grant_changed", "grant_revoked"]


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_tokens_go_only_to_whom_the_person_consented(
    one: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    connected(one, server, system(server))
    for other in ({"client": "another"}, {"resource": "https://other.example.com"}, {"token_url": f"{server.url}/x"}):
        with pytest.raises(NoCredential) as ended:
            await one.token(system(server, **other))
        assert "another provider or client" in ended.value.why
    assert not server.asked


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
async def test_without_a_refresh_token_it_serves_to_its_end(
    one: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    crm = system(server)
    _, said = server.grant("ada")
    only = msgspec.structs.replace(given(said, clock), refresh="")
    settings = crm.settings.credential.grant
    assert settings is not None
    one.tokens.grants.put("ada", "", "crm", settings, ("*",), only, "key:ada")
    clock.passes(299)
    assert await one.token(crm) == only.access
    clock.passes(2)
    with pytest.raises(NoCredential) as over:
        await one.token(crm)
    assert "none to renew it with" in over.value.why
    assert not server.renewals


async def test_an_erased_person_has_no_grant_and_gets_no_key_by_a_late_answer(
    one: Worker, server: AuthorizationServer, clock: ToldClock, store: Store
) -> None:
    crm = system(server)
    connected(one, server, crm)
    clock.passes(400)
    server.gate = asyncio.Event()
    asked = asyncio.ensure_future(one.token(crm))
    while not server.renewals:
        await asyncio.sleep(0.01)
    vault = Vault(bytes(range(32)), StoredSubjects(store), clock)
    erase(store, vault, "ada")
    server.gate.set()
    with pytest.raises(NoCredential):
        await asked
    assert vault.id_of("ada") is None
    assert one.tokens.grants.all() == []


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


async def test_who_asks_after_a_revocation_is_not_answered_by_what_was_read_before(
    one: Worker, server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crm = system(server)
    grant, reads, go = connected(one, server, crm), threading.Event(), threading.Event()
    row_of = one.tokens.grants.row_of

    def slowly(*key: str) -> Any:
        found = row_of(*key)
        reads.set()
        go.wait(60)
        return found

    monkeypatch.setattr(one.tokens.grants, "row_of", slowly)
    before = asyncio.ensure_future(one.token(crm))
    assert await asyncio.to_thread(reads.wait, 60)
    monkeypatch.undo()
    await asyncio.to_thread(one.tokens.grants.revoke, grant, "person", "key:ada")
    one.tokens.forget()
    after = asyncio.ensure_future(one.token(crm))
    with pytest.raises(NoCredential):
        try:
            await asyncio.wait_for(asyncio.shield(after), 20)
        finally:
            go.set()
            await asyncio.gather(before, after, return_exceptions=True)


async def test_a_clock_that_is_put_back_keeps_no_dead_token(
    one: Worker, server: AuthorizationServer, clock: ToldClock
) -> None:
    crm = system(server)
    connected(one, server, crm)
    first = await one.token(crm)
    clock.ms -= 3_600_000
    assert await one.token(crm, refused=str(first)) != first
    second = await one.token(crm)
    clock.ms -= 3_600_000
    while await one.token(crm) == second:  # it is renewed beside those who still use it
        await asyncio.sleep(0.01)
    assert server.renewals == 2
