"""By what systems know a caller: exchanged tokens from a real issuer, accounts of their own, and what is shared."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
import pytest
from tests.identity.issuer import Issuer, ToldClock

from fairlead.errors import BadInput, Upstream
from fairlead.identity.credentials import Credentials
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.tools.cards import NO_CARD
from fairlead.tools.failures import NotAuthorised
from fairlead.tools.settings import AnySystem
from fairlead.tools.systems import System, compile_system
from fairlead.tools.types import Credential

ADA, BOB = Caller(person="ada", agent="helper"), Caller(person="bob")
SECRETS = {
    "env:CLIENT": "s3&cret",
    "env:SERVICE": "shared-secret",
    "env:ACCOUNTS": '{"ada": "ada-password"}',
    "env:WRONG": "[]",
}


def system(**credential: Any) -> System:
    settings = msgspec.convert({"use": "python", "file": "a.py", "credential": credential}, AnySystem)
    return compile_system("crm", settings, NO_CARD, (), {})


def exchange(issuer: Issuer, **more: str) -> dict[str, Any]:
    url = f"{issuer.url}/exchange"
    told = {"token_url": url, "client": "fairlead", "secret": "env:CLIENT", "audience": "crm", "scope": "read"}
    return {"exchange": told | more}


@pytest.fixture
async def credentials(clock: ToldClock) -> AsyncIterator[Credentials]:
    async with Http(clock) as http:
        yield Credentials(http, clock, SECRETS.get)


def later(clock: ToldClock) -> float:
    return clock.monotonic() + 5


def payload(credential: Credential) -> Mapping[str, Any]:
    part = credential.secret.split(".")[1]
    decoded: Mapping[str, Any] = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


async def test_a_token_is_exchanged_for_one_of_the_same_person_and_kept_until_its_end(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    crm, token = system(**exchange(issuer)), issuer.token()
    asked = [credentials.of(ADA, token, crm, later(clock)) for _ in range(8)]
    first, *others = await asyncio.gather(*asked)
    assert all(each == first for each in others)
    assert issuer.asked == ["exchange"]
    assert first.kind == "exchange"
    assert first.secret != token
    told = payload(first)
    assert (told["sub"], told["aud"], told["scope"], told["act"]) == ("ada", "crm", "read", {"sub": "fairlead"})
    clock.passes(271)
    assert await credentials.of(ADA, token, crm, later(clock)) != first
    assert first.secret not in repr(first)


async def test_a_clock_that_is_put_back_keeps_no_exchanged_token_beyond_its_life(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    crm, token = system(**exchange(issuer)), issuer.token()
    first = await credentials.of(ADA, token, crm, later(clock))
    clock.passes(200)
    clock.ms -= 600_000
    assert await credentials.of(ADA, token, crm, later(clock)) == first
    clock.passes(71)
    assert await credentials.of(ADA, token, crm, later(clock)) != first


async def test_nothing_that_was_had_for_one_serves_another(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    crm = system(**exchange(issuer))
    ada = await credentials.of(ADA, issuer.token(), crm, later(clock))
    bob = await credentials.of(BOB, issuer.token(sub="bob"), crm, later(clock))
    again = await credentials.of(ADA, issuer.token(exp=clock.now() // 1000 + 900), crm, later(clock))
    other = await credentials.of(ADA, issuer.token(), system(**exchange(issuer, audience="erp")), later(clock))
    assert payload(bob)["sub"] == "bob"
    assert payload(other)["aud"] == "erp"
    assert len({ada.secret, bob.secret, other.secret}) == 3
    assert len(issuer.asked) == 4  # a new token is exchanged anew: rights may have gone with the old one
    assert again.kind == "exchange"


async def test_what_the_provider_refuses_is_final_and_tells_no_token(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    issuer.barred.add("ada")
    crm, token = system(**exchange(issuer), service={"secret": "env:SERVICE", "shared": True}), issuer.token()
    with pytest.raises(NotAuthorised) as refused:
        await credentials.of(ADA, token, crm, later(clock))
    assert "invalid_grant" in refused.value.why
    assert token not in f"{refused.value} {refused.value.why} {refused.value.mend}"
    with pytest.raises(NotAuthorised):
        await credentials.of(ADA, token, crm, later(clock))
    issuer.down = True
    with pytest.raises(Upstream, match="503"):
        await credentials.of(BOB, issuer.token(sub="bob"), crm, later(clock))
    issuer.down = False
    assert (await credentials.of(BOB, issuer.token(sub="bob"), crm, later(clock))).kind == "exchange"


async def test_who_leaves_does_not_take_the_answer_of_the_others_along(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    crm, token = system(**exchange(issuer)), issuer.token()
    one = asyncio.ensure_future(credentials.of(ADA, token, crm, later(clock)))
    two = asyncio.ensure_future(credentials.of(ADA, token, crm, later(clock)))
    await asyncio.sleep(0)
    one.cancel()
    assert (await two).kind == "exchange"


async def test_accounts_of_their_own_come_before_shared_ones(credentials: Credentials, clock: ToldClock) -> None:
    shared = {"secret": "env:SERVICE", "user": "fairlead", "shared": True}
    both = system(login={"secrets": "env:ACCOUNTS"}, service=shared)
    own = await credentials.of(ADA, "", both, later(clock))
    assert (own.kind, own.user, own.secret) == ("login", "ada", "ada-password")
    other = await credentials.of(BOB, "", both, later(clock))
    assert (other.kind, other.user) == ("service", "fairlead")
    assert (await credentials.of(BOB, "", system(), later(clock))).kind == "none"


async def test_without_any_way_a_caller_is_told_what_is_missing(
    issuer: Issuer, credentials: Credentials, clock: ToldClock
) -> None:
    with pytest.raises(NoCredential, match="could know you") as missing:
        await credentials.of(ADA, "", system(**exchange(issuer)), later(clock))
    assert "access token" in missing.value.why
    with pytest.raises(NoCredential):
        await credentials.of(BOB, "", system(login={"secrets": "env:ACCOUNTS"}), later(clock))
    with pytest.raises(NoCredential, match="env:NOWHERE"):
        await credentials.of(ADA, "", system(service={"secret": "env:NOWHERE", "shared": True}), later(clock))
    with pytest.raises(BadInput, match="holds no accounts"):
        await credentials.of(ADA, "", system(login={"secrets": "env:WRONG"}), later(clock))
