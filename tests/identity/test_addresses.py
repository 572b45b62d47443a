"""What an issuer's documents may name, and where they must not send Fairlead or a browser."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from tests.identity.issuer import ToldClock

from fairlead.cli import signing_in
from fairlead.errors import BadInput, FairleadError
from fairlead.identity.authority import Authorities
from fairlead.identity.discovery import Discovery
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.tools.grant_settings import GrantSettings

ISSUER = "https://idp.test"
OWN = {name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
Asked = Callable[[dict[str, Any]], Awaitable[object]]


def saying(**changes: str) -> Any:
    async def fetch(url: str) -> bytes:
        assert url.startswith(ISSUER), f"Fairlead was sent to {url}"
        return msgspec.json.encode({"issuer": ISSUER, **OWN, **changes})

    return fetch


async def by_discovery(changes: dict[str, str]) -> object:
    return await Discovery(saying(**changes), ToldClock()).of(ISSUER)


async def by_metadata(changes: dict[str, str]) -> object:
    settings = GrantSettings(issuer=ISSUER, client="fairlead")
    return await Authorities(saying(**changes), ToldClock()).of(settings)


async def by_keys(changes: dict[str, str]) -> object:
    return await IssuerKeyRings(saying(**changes), ToldClock()).of(ISSUER, "").key("one", "RS256")


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (by_discovery, "token_endpoint"),
        (by_discovery, "userinfo_endpoint"),
        (by_discovery, "introspection_endpoint"),
        (by_metadata, "token_endpoint"),
        (by_metadata, "revocation_endpoint"),
        (by_keys, "jwks_uri"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "HTTP"])
async def test_an_issuer_elsewhere_sends_us_to_nothing_on_this_machine(ask: Asked, name: str, scheme: str) -> None:
    with pytest.raises(FairleadError) as refused:
        await ask({name: f"{scheme}://127.0.0.1:6379/private"})
    assert "this machine" in f"{refused.value} {refused.value.why}"


@pytest.mark.parametrize("ask", [by_discovery, by_metadata])
@pytest.mark.parametrize("more", ["?a=\r\nset-cookie: fairlead-session=x", "?a b", "/\x00", "/é", "?a=\u2028"])
async def test_an_address_is_nothing_but_an_address(ask: Asked, more: str) -> None:
    with pytest.raises(FairleadError):
        await ask({"authorization_endpoint": f"{ISSUER}/authorize{more}"})


@pytest.mark.parametrize("issuer", ["http://idp.test", "file:///etc/passwd", "https://idp.test/\x1b[2J"])
def test_a_server_that_programs_sign_in_to_names_no_issuer_without_tls(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = {"name": "acme", "label": "acme", "issuer": issuer, "client_id": "cli", "scope": "openid"}
    said = msgspec.json.encode({"organisation": "acme", "clients": [client]})
    monkeypatch.setattr(signing_in, "asked", lambda work: said)
    with pytest.raises(BadInput, match="the issuer of acme"):
        signing_in.offered_by("https://fairlead.test")
