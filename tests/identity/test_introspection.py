"""Tokens that the provider is asked about: real requests to a real issuer, and every way in which it may not answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from tests.identity.issuer import Issuer, ToldClock

from fairlead.errors import BadInput, Overloaded, Unauthenticated
from fairlead.identity import Authenticator, Caller, IdentitySettings, compile_identity
from fairlead.identity.discovery import Discovery
from fairlead.identity.fetch import fetcher
from fairlead.identity.introspection import Introspections
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.net.http import Http

OPAQUE = "a-token-that-says-nothing"


class Door:
    """An authenticator whose provider is asked about tokens."""

    def __init__(self, issuer: Issuer, http: Http, clock: ToldClock) -> None:
        self.issuer, self.http, self.clock = issuer, http, clock
        self.secret = "s3&cret"
        self.open()

    def open(self, **introspection: Any) -> None:
        asked = {"client_id": "fairlead", "client_secret": "env:S", "url": f"{self.issuer.url}/introspect"}
        provider = {"issuer": self.issuer.url, "audience": "fairlead", "name": "acme"}
        provider["introspection"] = asked | introspection  # type: ignore[assignment]
        identity = compile_identity(msgspec.convert({"providers": [provider]}, IdentitySettings), {}, str)
        fetch = fetcher(self.http, self.clock)
        asking = Introspections(self.http, Discovery(fetch, self.clock), self.clock, lambda _: self.secret)
        rings = IssuerKeyRings(fetch, self.clock)
        self.authenticator = Authenticator(identity, stored=(), rings=rings, clock=self.clock, introspections=asking)

    async def __call__(self, token: str) -> Caller:
        return await self.authenticator.authenticate(f"Bearer {token}", loopback=False)

    def questions(self) -> int:
        return self.issuer.asked.count("introspect")


@pytest.fixture
async def door(issuer: Issuer, clock: ToldClock) -> AsyncIterator[Door]:
    async with Http(clock) as http:
        yield Door(issuer, http, clock)


async def test_a_token_counts_for_as_long_as_the_provider_was_asked_about_it(door: Door, issuer: Issuer) -> None:
    token = issuer.token(groups=["staff"])
    assert (await door(token)).groups == {"staff"}
    door.clock.passes(4.9)
    await door(token)
    assert door.questions() == 1
    issuer.barred.add("ada")
    door.clock.passes(0.2)
    with pytest.raises(Unauthenticated, match="not active any more"):
        await door(token)
    assert door.questions() == 2


async def test_a_clock_that_is_set_back_keeps_no_answer_alive(door: Door, issuer: Issuer) -> None:
    token = issuer.token()
    await door(token)
    issuer.barred.add("ada")
    door.clock.ms -= 20_000
    door.clock.seconds += 5.1
    with pytest.raises(Unauthenticated, match="not active"):
        await door(token)


async def test_groups_are_those_that_the_provider_tells_by_now(door: Door, issuer: Issuer) -> None:
    token = issuer.token(groups=["staff", "leads"], department="sales")
    issuer.introspected[token] = {"active": True, "sub": "ada", "groups": ["staff"]}
    assert (await door(token)).groups == {"staff"}
    door.clock.passes(6)
    issuer.introspected[token] = {"active": True}
    assert (await door(token)).groups == {"staff", "leads"}
    door.clock.passes(6)
    issuer.introspected[token] = {"active": True, "sub": "eve"}
    with pytest.raises(Unauthenticated, match="somebody else's"):
        await door(token)


async def test_of_many_callers_with_one_token_one_asks(door: Door, issuer: Issuer) -> None:
    token, issuer.introspecting = issuer.token(), asyncio.Event()
    many = [asyncio.ensure_future(door(token)) for _ in range(20)]
    while not door.questions():
        await asyncio.sleep(0)
        await asyncio.sleep(0.005)
    many[0].cancel()
    issuer.introspecting.set()
    told = await asyncio.gather(*many, return_exceptions=True)
    assert all(isinstance(each, Caller) for each in told[1:])
    assert door.questions() == 1


async def test_a_forged_token_is_asked_about_nowhere(door: Door, issuer: Issuer) -> None:
    token = issuer.token()
    with pytest.raises(Unauthenticated, match="signature"):
        await door(token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB"))
    assert door.questions() == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [({}, "does not say"), ({"active": "true"}, "does not say"), ([1], "does not say"), ("nonsense", "does not say")],
)
async def test_an_answer_that_says_nothing_vouches_for_nobody(
    door: Door, issuer: Issuer, answer: Any, says: str
) -> None:
    token = issuer.token()
    issuer.introspected[token] = answer
    with pytest.raises(Overloaded) as refused:
        await door(token)
    assert says in refused.value.why


async def test_while_nobody_can_be_asked_nobody_is_let_in(door: Door, issuer: Issuer) -> None:
    token = issuer.token()
    await door(token)
    issuer.down = True
    door.clock.passes(5.1)
    with pytest.raises(Overloaded, match="cannot be asked") as refused:
        await door(token)
    assert "503" in refused.value.why
    issuer.down, door.secret = False, "another"
    with pytest.raises(Overloaded) as refused:
        await door(token)
    assert "client_id" in refused.value.why
    door.secret = ""
    with pytest.raises(Overloaded, match="cannot be asked") as refused:
        await door(token)
    assert "env:S is not set" in refused.value.why
    door.secret = "s3&cret"
    assert (await door(token)).person == "acme|ada"
    door.open(url="")
    with pytest.raises(Overloaded):  # this issuer's discovery does not say where to sign in, nor where to ask
        await door(token)


async def test_opaque_tokens_are_accepted_where_that_is_declared(door: Door, issuer: Issuer) -> None:
    said = {"active": True, "sub": "ada", "aud": "fairlead", "groups": ["staff"], "client_id": "desk"}
    issuer.introspected[OPAQUE] = said
    with pytest.raises(Unauthenticated, match="neither a known key"):
        await door(OPAQUE)
    door.open(opaque=True)
    caller = await door(OPAQUE)
    assert (caller.person, caller.groups, caller.agent) == ("acme|ada", {"staff"}, "desk")
    issuer.introspected[OPAQUE] = {"active": False}
    await door(OPAQUE)
    door.clock.passes(5.1)
    with pytest.raises(Unauthenticated, match="not active"):
        await door(OPAQUE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aud": "another"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"iss": "https://evil.test"}, "another issuer"),
        ({"sub": None}, "claim 'sub'"),
        ({"exp": 5}, "has expired"),
        ({"cnf": {"jkt": "x"}}, "bound to its holder"),
    ],
)
async def test_an_opaque_token_that_is_not_meant_for_us_is_refused(
    door: Door, issuer: Issuer, changes: dict[str, Any], says: str
) -> None:
    door.open(opaque=True)
    said = {"active": True, "sub": "ada", "aud": "fairlead"} | changes
    issuer.introspected[OPAQUE] = {name: value for name, value in said.items() if value is not None}
    with pytest.raises(Unauthenticated, match=says):
        await door(OPAQUE)


def test_opaque_tokens_are_shown_to_one_provider_only() -> None:
    def one(name: str) -> dict[str, Any]:
        asked = {"client_id": "fairlead", "client_secret": "env:S", "opaque": True}
        return {"issuer": f"https://{name}.test", "audience": "fairlead", "introspection": asked}

    settings = msgspec.convert({"providers": [one("a"), one("b")]}, IdentitySettings)
    with pytest.raises(BadInput, match=r"providers\[1\]\.introspection\.opaque"):
        compile_identity(settings, {}, str)


def test_a_secret_in_the_text_is_refused() -> None:
    asked = {"client_id": "fairlead", "client_secret": "hunter2"}
    provider = {"issuer": "https://a.test", "audience": "fairlead", "introspection": asked}
    with pytest.raises(BadInput, match=r"introspection\.client_secret"):
        compile_identity(msgspec.convert({"providers": [provider]}, IdentitySettings), {}, str)
