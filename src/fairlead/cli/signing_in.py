"""How `fairlead login` signs in, and how every command gets a token that still counts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from fairlead.cli.place import config_folder
from fairlead.cli.saved_logins import Saved, SavedLogins
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, NotFound, Unauthenticated
from fairlead.identity.addresses import check_url, is_loopback

if TYPE_CHECKING:
    from fairlead.identity.native import Client, Pairing
    from fairlead.identity.provider_tokens import Granted, ProviderTokens

T = TypeVar("T")
METADATA: Final = "/.well-known/fairlead-login"
_EARLY: Final = 60_000  # milliseconds before its end, from which on a token is refreshed


class Offered(Struct, frozen=True):
    """What a server says of signing in."""

    organisation: str
    clients: "tuple[Client, ...]"


def server_of(url: str) -> str:
    """An address as logins are kept by it. Raises `BadInput` for none, and for one to which a token would travel in
    plain text."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in ("http", "https") or not host:
        raise BadInput(f"{url!r} is no address", mend="--url https://fairlead.acme.example")
    if parts.scheme == "http" and not is_loopback(host):
        raise BadInput(f"{url} is not protected by TLS", why="your token could be read on the way", mend="use https://")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")


def logins() -> SavedLogins:
    """Those of whoever runs this."""
    return SavedLogins(config_folder())


def chosen(offered: Offered, server: str, name: str) -> "Client":
    """The provider to sign in at. Raises `NotFound`, `BadInput` where there is a choice to make."""
    names = ", ".join(each.name for each in offered.clients)
    found = [each for each in offered.clients if name in ("", each.name)]
    if not found:
        raise NotFound(
            f"{server} lets nobody sign in with `fairlead login`" if not names else f"there is no provider {name!r}",
            why="no provider of its workspace has `cli:`" if not names else f"it has {names}",
            mend="ask whoever runs it, or use a key: export FAIRLEAD_API_KEY=…" if not names else "--provider NAME",
        )
    if len(found) > 1:
        raise BadInput(f"{server} has several providers", why=f"it has {names}", mend="--provider NAME")
    return found[0]


def offered_by(server: str) -> Offered:
    """What a server says. Raises `NotFound` where it is no Fairlead, `Upstream` where nothing answers."""
    from fairlead.identity.native import Client

    body = asked(lambda tokens: tokens.discovery.fetch(server + METADATA))
    try:
        said = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        clients = msgspec.json.decode(said["clients"], type=tuple[Client, ...])
        offered = Offered(msgspec.json.decode(said["organisation"], type=str), clients)
    except (msgspec.MsgspecError, KeyError):
        raise NotFound(f"what answers at {server} is no Fairlead", mend="check --url") from None
    for each in clients:
        check_url(f"the issuer of {each.name}", each.issuer)
    return offered


def by_browser(client: "Client", show: Callable[[str], None]) -> "Granted":
    """Sign in by a browser on this machine; `show` gets the address."""
    from fairlead.identity import native

    return asked(lambda tokens: native.by_browser(tokens, client, SystemClock(), show))


def by_device(client: "Client", show: "Callable[[Pairing], None]") -> "Granted":
    """Sign in by a code that is typed into a browser anywhere; `show` gets it."""
    from fairlead.identity import native

    return asked(lambda tokens: native.by_device(tokens, client, show))


def keep(server: str, client: "Client", granted: "Granted") -> Saved:
    """Keep what was granted in place of what was."""
    saved = Saved(
        provider=client.name,
        issuer=client.issuer,
        client_id=client.client_id,
        scope=client.scope,
        resource=client.resource,
        subject=str((granted.claims or {}).get("sub", "")),
        access=granted.access,
        refresh=granted.refresh,
        expires=_end(granted),
    )
    with logins().changing() as found:
        found[server] = saved
    return saved


def fresh(server: str) -> Saved | None:
    """The login at a server with a token that still counts, None where there is no login. Raises `Unauthenticated`
    where it has ended."""
    saved = logins().of(server)
    if saved is None or not _is_over(saved):
        return saved
    with logins().changing() as found:
        saved = found.get(server)
        if saved is None or not _is_over(saved):  # another command was faster
            return saved
        if not saved.refresh:
            raise _ended(server, "the provider gave no refresh token")
        refresh, client = saved.refresh, _client(saved)
        try:
            granted = asked(lambda tokens: tokens.by_refresh(client.provider, refresh, client.resource))
        except Unauthenticated as error:
            del found[server]
            refused = _ended(server, error.why)
        else:
            about = granted.claims or {}
            if saved.subject and about.get("sub", saved.subject) != saved.subject:
                raise _ended(server, "the provider's answer is about somebody else")
            anew = msgspec.structs.replace(
                saved, access=granted.access, refresh=granted.refresh or saved.refresh, expires=_end(granted)
            )
            found[server] = anew
            return anew
    raise refused


def forget(server: str) -> bool:
    """Forget a login here and at its provider. Whether there was one."""
    with logins().changing() as found:
        saved = found.pop(server, None)
    if saved is not None and saved.refresh:
        refresh, client = saved.refresh, _client(saved)
        asked(lambda tokens: tokens.revoke(client.provider, refresh))
    return saved is not None


def key_or_login(key: str, url: str) -> str:
    """The key that was given, else the token of the login at this server, "" where there is neither."""
    if key:
        return key
    try:
        server = server_of(url)
    except BadInput:  # said where the request is made
        return ""
    saved = fresh(server)
    return saved.access if saved is not None else ""


def _client(saved: Saved) -> "Client":
    from fairlead.identity.native import Client

    return Client(
        name=saved.provider,
        label=saved.provider,
        issuer=saved.issuer,
        client_id=saved.client_id,
        scope=saved.scope,
        resource=saved.resource,
    )


def _is_over(saved: Saved) -> bool:
    return bool(saved.expires) and SystemClock().now() >= saved.expires - _EARLY


def _end(granted: "Granted") -> int:
    return SystemClock().now() + granted.lasts * 1000 if granted.lasts else 0


def _ended(server: str, why: str) -> Unauthenticated:
    return Unauthenticated(f"your login at {server} has ended", why=why, mend=f"fairlead login --url {server}")


def asked(work: "Callable[[ProviderTokens], Awaitable[T]]") -> T:
    """Ask over the network, in a loop of its own."""
    from fairlead.identity.discovery import Discovery
    from fairlead.identity.fetch import fetcher
    from fairlead.identity.issuer_keys import IssuerKeyRings
    from fairlead.identity.provider_tokens import ProviderTokens
    from fairlead.net.http import Http

    async def whole() -> T:
        clock = SystemClock()
        async with Http(clock) as http:
            fetch = fetcher(http, clock)
            rings = IssuerKeyRings(fetch, clock)
            return await work(ProviderTokens(http, Discovery(fetch, clock), rings, clock, lambda _: None))

    return asyncio.run(whole())
