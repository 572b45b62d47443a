"""People who are signed in with a browser, and what providers, browsers and clocks may try."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.databases import migrated_file
from tests.erased import erase
from tests.identity.issuer import ToldClock
from tests.identity.login_issuer import LoginIssuer
from tests.world import MASTER_KEY

from fairlead.errors import Overloaded, Refused, Unauthenticated
from fairlead.identity.browser import BrowserSessions, Started
from fairlead.identity.discovery import Discovery
from fairlead.identity.fetch import fetcher
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.login_settings import BrowserSettings, LoginSettings
from fairlead.identity.provider_tokens import ProviderTokens
from fairlead.identity.settings import IdentitySettings, ProviderSettings, compile_identity
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.workspace.pages import signing_in

REDIRECT = "https://fairlead.test/login/callback"
MINUTE, HOUR = 60.0, 3600.0


@dataclass
class Place:
    """Sessions over a database of their own, and two providers."""

    clock: ToldClock
    store: Store
    vault: Vault
    http: Http
    one: LoginIssuer
    other: LoginIssuer
    sessions: BrowserSessions
    settings: dict[str, Any] = field(default_factory=dict)

    def another(self) -> BrowserSessions:
        """Another worker process over the same database."""
        vault = Vault(MASTER_KEY, StoredSubjects(self.store), self.clock)
        made = _sessions(self.store, vault, self.clock, self.http)
        self.take_up(made)
        return made

    def take_up(self, sessions: BrowserSessions, *issuers: LoginIssuer, **provider: Any) -> None:
        login = LoginSettings(client_id="web", client_secret="env:SECRET", scopes=("openid",))
        providers = [
            ProviderSettings(issuer=each.url, name=name, audience="api", login=login, **provider)
            for name, each in (("one", self.one), ("other", self.other))
            if not issuers or each in issuers
        ]
        settings = IdentitySettings(providers=providers, browser=BrowserSettings(**self.settings))
        sessions.take_up(compile_identity(settings, {}, lambda _: ""), "acme")

    async def begin(self, sessions: BrowserSessions | None = None, path: str = "/approvals") -> tuple[str, str]:
        sessions = sessions or self.sessions
        provider = next(each for each in sessions.providers if each.name == "one")
        return await sessions.begin(provider, REDIRECT, path)

    async def finish(self, cookie: str, answer: dict[str, list[str]]) -> Started:
        return await self.sessions.finish(cookie, answer, lambda caller: None)

    async def sign_in(self) -> Started:
        address, cookie = await self.begin()
        return await self.finish(cookie, self.one.answers(address))

    async def passes(self, seconds: float, secret: str) -> Caller | None:
        """Somebody who looks at a page every few minutes, for so long."""
        found = None
        for _ in range(round(seconds / (6 * MINUTE))):
            self.clock.passes(6 * MINUTE)
            found = await self.sessions.person(secret)
        return found


def _sessions(store: Store, vault: Vault, clock: ToldClock, http: Http) -> BrowserSessions:
    fetch = fetcher(http, clock)
    rings, secrets = IssuerKeyRings(fetch, clock), {"env:SECRET": "s3cret"}
    return signing_in(store, vault, clock, ProviderTokens(http, Discovery(fetch, clock), rings, clock, secrets.get))


@pytest.fixture
async def place(tmp_path: Path, clock: ToldClock) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        one, other = await stack.enter_async_context(_served(LoginIssuer(clock))), LoginIssuer(clock)
        other.url = "https://other.test"
        http = await stack.enter_async_context(Http(clock))
        store = Store.open(shutil.copyfile(migrated_file(), tmp_path / "state.db"), synchronous="off")
        stack.callback(store.close)
        vault = Vault(MASTER_KEY, StoredSubjects(store), clock)
        sessions = _sessions(store, vault, clock, http)
        made = Place(clock, store, vault, http, one, other, sessions=sessions)
        made.take_up(sessions)
        yield made


@asynccontextmanager
async def _served(issuer: LoginIssuer) -> AsyncIterator[LoginIssuer]:
    runner = await issuer.serve()
    try:
        yield issuer
    finally:
        await runner.cleanup()


async def test_a_person_is_known_by_the_claims_that_access_tokens_would_have(place: Place) -> None:
    started = await place.sign_in()
    assert started.next == "/approvals"
    caller = await place.sessions.person(started.secret)
    assert caller is not None
    assert (caller.person, caller.agent, caller.groups) == ("one|ada", "", frozenset({"finance"}))
    assert caller.credential == f"browser:{place.one.url}"
    assert await place.another().person(started.secret) == caller
    assert await place.sessions.person("guessed") is None
    with place.store.reading() as connection:
        row = connection.exec_driver_sql("SELECT * FROM browser_session").one()
    kept = b"".join(each if isinstance(each, bytes) else str(each).encode() for each in row)
    assert not any(each in kept for each in (started.secret.encode(), b"refresh-", b"finance", b"ada"))


async def test_an_attempt_may_be_finished_by_any_worker_and_once(place: Place) -> None:
    address, cookie = await place.begin(place.another())
    answer = place.one.answers(address)
    await place.finish(cookie, answer)
    with pytest.raises(Unauthenticated, match="refuses the sign-in"):  # the code was used
        await place.finish(cookie, answer)
    with pytest.raises(Unauthenticated, match="nobody was signed in"):  # the attempt was, though the code is new
        await place.finish(cookie, place.one.answers(address))


async def test_an_answer_counts_only_in_the_browser_that_asked(place: Place) -> None:
    address, _ = await place.begin()
    _, others = await place.begin()
    for cookie in (others, "", "x" * 9000, others[:-2] + "AA", "é"):
        with pytest.raises(Unauthenticated, match="not begun in this browser"):
            await place.finish(cookie, place.one.answers(address))
    assert not place.one.forms, "no code was shown to the provider"


async def test_a_code_of_another_attempt_is_of_no_use(place: Place) -> None:
    theirs, _ = await place.begin()
    stolen = place.one.answers(theirs)["code"][0]
    address, cookie = await place.begin()
    with pytest.raises(Unauthenticated, match="refuses the sign-in"):  # PKCE
        await place.finish(cookie, place.one.answers(address, code=stolen))


async def test_an_attempt_ends_and_counts_for_no_clock_that_leaps(place: Place) -> None:
    address, cookie = await place.begin()
    answer = place.one.answers(address)
    for seconds in (-5 * MINUTE, 16 * MINUTE):
        place.clock.passes(seconds)
        with pytest.raises(Unauthenticated, match="or is over"):
            await place.finish(cookie, answer)


async def test_one_provider_cannot_pass_off_its_answer_as_anothers(place: Place) -> None:
    address, cookie = await place.begin()
    for said in (place.other.url, ""):
        with pytest.raises(Unauthenticated, match="another identity provider"):
            await place.finish(cookie, place.one.answers(address, iss=said))
    assert not place.one.forms
    twice = place.one.answers(address) | {"state": ["x", "y"]}
    with pytest.raises(Unauthenticated):
        await place.finish(cookie, twice)


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"iss": "https://elsewhere.example"}, {}),
        ({"aud": "api"}, {}),
        ({"aud": ["web", "another"]}, {}),
        ({"azp": "another"}, {}),
        ({"nonce": "another"}, {}),
        ({"nonce": ...}, {}),
        ({"exp": 1}, {}),
        ({"exp": ...}, {}),
        ({"iat": 4_000_000_000}, {}),
        ({"sub": "eve"}, {}),  # while userinfo speaks of ada
        ({"sub": ...}, {}),
        ({}, {"typ": "at+jwt"}),
        ({}, {"kid": "unknown"}),
    ],
)
async def test_an_identity_token_that_is_not_for_this_very_sign_in_is_refused(
    place: Place, changes: dict[str, Any], header: dict[str, Any]
) -> None:
    place.one.changes, place.one.header = changes, header
    with pytest.raises(Unauthenticated):
        await place.sign_in()
    with place.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM browser_session").scalar() == 0


async def test_the_providers_no_is_told_as_text_and_a_provider_that_is_down_is_told_too(place: Place) -> None:
    address, cookie = await place.begin()
    said = {"code": "", "error": "access_denied", "error_description": "not\x1b[31m you"}
    with pytest.raises(Unauthenticated) as caught:
        await place.finish(cookie, place.one.answers(address, **said))
    assert "access_denied" in caught.value.why
    assert "\x1b" not in caught.value.why
    place.one.down = True
    with pytest.raises(Overloaded, match="identity provider"):
        await place.finish(cookie, place.one.answers(address))
    with pytest.raises(Overloaded, match="cannot be reached") as away:
        await place.another().begin(place.sessions.providers[0], REDIRECT, "/me")
    assert away.value.mend
    place.one.down = False
    place.one.claimed_issuer = place.other.url
    with pytest.raises(Overloaded, match="cannot be reached"):
        await place.another().begin(place.sessions.providers[0], REDIRECT, "/me")


async def test_groups_are_looked_at_anew_and_a_refusal_ends_the_session(place: Place) -> None:
    started = await place.sign_in()
    place.one.groups = ["leads"]
    place.clock.passes(4 * MINUTE)
    before = await place.sessions.person(started.secret)
    assert before is not None
    assert before.groups == {"finance"}
    place.clock.passes(MINUTE)
    both = [place.sessions, place.another()]
    found = [await each.person(started.secret) for each in both]
    assert [each.groups for each in found if each] == [{"leads"}, {"leads"}]
    place.one.silent, place.one.groups = True, ["others"]
    place.clock.passes(5 * MINUTE)
    now = await place.sessions.person(started.secret)
    assert now is not None
    assert now.groups == {"others"}  # by userinfo alone
    place.one.barred.add("ada")
    place.clock.passes(5 * MINUTE)
    assert [await each.person(started.secret) for each in both] == [None, None]
    place.one.barred.clear()
    assert await place.sessions.person(started.secret) is None


async def test_of_many_pages_at_once_one_asks_the_provider(place: Place) -> None:
    started = await place.sign_in()
    asked, workers = len(place.one.forms), [place.sessions, place.another()]
    place.clock.passes(6 * MINUTE)
    found = await asyncio.gather(*(each.person(started.secret) for each in workers * 4))
    assert [each.person for each in found if each] == ["one|ada"] * 8
    assert len(place.one.forms) == asked + 1
    assert await place.sessions.person(started.secret) is not None  # with the refresh token that came last


async def test_while_nobody_can_tell_nobody_is_known_and_the_session_goes_on_after(place: Place) -> None:
    started = await place.sign_in()
    place.one.down = True
    place.clock.passes(6 * MINUTE)
    for _ in range(2):
        with pytest.raises(Overloaded, match="identity provider"):
            await place.sessions.person(started.secret)
    place.one.down = False
    assert await place.sessions.person(started.secret) is not None


async def test_a_refresh_that_speaks_of_somebody_else_ends_the_session(place: Place) -> None:
    started = await place.sign_in()
    place.one.changes, place.one.told = {"sub": "eve"}, {"sub": "eve"}
    place.clock.passes(6 * MINUTE)
    assert await place.sessions.person(started.secret) is None


async def test_a_session_ends_with_idleness_with_its_time_and_when_the_clock_is_put_back(place: Place) -> None:
    place.settings = {"hours": 2}
    place.take_up(place.sessions)
    idle = await place.sign_in()
    place.clock.passes(61 * MINUTE)
    assert await place.sessions.person(idle.secret) is None
    whole = await place.sign_in()
    assert await place.passes(1.9 * HOUR, whole.secret) is not None
    assert await place.passes(0.2 * HOUR, whole.secret) is None
    back = await place.sign_in()
    place.clock.passes(-HOUR)
    assert await place.sessions.person(back.secret) is None
    place.one.refreshes = False
    short = await place.sign_in()
    assert await place.passes(0.9 * HOUR, short.secret) is not None
    assert await place.passes(0.2 * HOUR, short.secret) is None


async def test_leaving_ends_it_here_and_at_the_provider(place: Place) -> None:
    started = await place.sign_in()
    assert place.one.refresh_tokens
    await place.sessions.end(started.secret, "signed out")
    assert not place.one.refresh_tokens
    assert await place.another().person(started.secret) is None
    with place.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT sealed FROM browser_session").scalar() == b""
    place.clock.passes(2 * HOUR)
    place.sessions.sweep()
    with place.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM browser_session").scalar() == 0


async def test_who_is_erased_stopped_or_read_otherwise_is_signed_out(place: Place) -> None:
    erased = await place.sign_in()
    erase(place.store, place.vault, "one|ada")
    assert await place.another().person(erased.secret) is None
    renamed = await place.sign_in()
    place.one.person = "bob"
    kept = await place.sign_in()
    place.take_up(place.sessions, claims=replace(place.sessions.providers[0].claims, person="department"))
    assert await place.sessions.person(renamed.secret) is None  # "one|sales" is not who signed in
    place.take_up(place.sessions, place.other)
    assert await place.sessions.person(kept.secret) is None
    place.take_up(place.sessions)
    assert await place.sessions.person(kept.secret) is None

    def barred(caller: Caller) -> None:
        raise Refused(f"{caller.person} may not come in")

    address, cookie = await place.begin()
    with pytest.raises(Refused, match=r"one\|bob"):
        await place.sessions.finish(cookie, place.one.answers(address), barred)
