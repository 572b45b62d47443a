"""The little HTTP that every door needs: headers, bodies within their limit, JSON out. Raw ASGI, because it is hot."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from fairlead.errors import BadInput, Unauthenticated

Scope = dict[str, Any]
Endpoint = Callable[[Scope, Any, Any], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
_MOST_FIELDS: Final = 100  # of an address


class TooLarge(BadInput):
    """The request's body is larger than `server.max_body` allows.

    Send less at once, or raise the limit in fairlead.yaml.
    """

    code = "too_large"
    status = 413


class TooSlow(BadInput):
    """The request did not arrive in time.

    Send it in one go. A request must be complete thirty seconds after its first byte.
    """

    code = "too_slow"
    status = 408


class Gone(Exception):
    """The client closed the connection before its request was complete."""


def header(scope: Scope, name: bytes) -> str | None:
    """The value of a request header (lower-case name), None if absent. Latin-1, as HTTP has it."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None


# Whoever sends one of these speaks for somebody else: a proxy for its client, a browser for the page that it shows.
_FOR_OTHERS = frozenset(
    (
        b"cf-connecting-ip",
        b"forwarded",
        b"sec-fetch-site",
        b"true-client-ip",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-real-ip",
    )
)


def is_loopback(scope: Scope) -> bool:
    """Whether the client is a program on this machine that asks for itself.

    A web page may make a browser ask on this machine, under a foreign name too (DNS rebinding), and a proxy asks for
    anybody: so the name that was asked for must be this machine's, and nothing may tell of another.
    """
    client = scope.get("client")
    if not client or any(name in _FOR_OTHERS for name, _ in scope["headers"]):
        return False
    asked = header(scope, b"host") or ""
    # A page of this very server speaks for it. One of another port of this machine does not.
    if header(scope, b"origin") not in (None, f"{scope.get('scheme', 'http')}://{asked}"):
        return False
    host = host_name(f"//{asked}")
    return _is_own(client[0]) and (host == "localhost" or _is_own(host))


def host_name(url: str) -> str:
    """The name or address of a host in a URL that anybody may have sent, "" where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def refuse_foreign_page(scope: Scope) -> None:
    """A page in a browser must not speak for whoever sits before it. Raises `Unauthenticated`."""
    origin, host = header(scope, b"origin"), header(scope, b"host")
    if origin is not None and origin.partition("://")[2] != host:
        raise Unauthenticated(
            "a web page of another origin may not use this endpoint",
            why=f"its origin is {origin[:100]!r}",
            mend="call it from a program, or from a page of this very host",
        )


def _is_own(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def only_header(scope: Scope, name: bytes) -> str | None:
    """As `header`, for one that must not be sent twice: which was meant is not ours to guess. Raises `BadInput`."""
    found = [value for key, value in scope["headers"] if key == name]
    if len(found) > 1:
        raise BadInput(
            f"there are {len(found)} {name.decode()} headers",
            why="which of them was meant is not ours to guess, and what stands between may read another than we do",
            mend="send one",
        )
    return found[0].decode("latin-1") if found else None


def read_query(scope: Scope) -> dict[str, list[str]]:
    """What the address asks for, by name; nothing, where it asks for more than any door has a meaning for."""
    try:
        return parse_qs(scope["query_string"].decode("ascii", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}


async def read_body(receive: Any, limit: int) -> bytes:
    """The whole body. Raises `TooLarge` as soon as it passes `limit` bytes, `Gone` if the client leaves, or is sent
    away because its body comes too slowly (see `framing`)."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    pieces, size = [body], len(body)
    while size <= limit and message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        pieces.append(piece)
    if size > limit:
        raise TooLarge(
            f"the request body is larger than {limit} bytes",
            why="`server.max_body` bounds what one request may fill of a worker's memory",
            mend="send less at once, or raise `server.max_body` in fairlead.yaml",
        )
    return body if len(pieces) == 1 else b"".join(pieces)


async def respond_events(send: Any, events: AsyncIterator[bytes]) -> None:
    """Answer with a stream of server-sent events, each as it comes."""
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for each in events:
        await send({"type": "http.response.body", "body": each, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def respond(
    send: Any,
    status: int,
    body: bytes,
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    media_type: bytes = b"application/json",
) -> None:
    """A complete JSON response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", media_type),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
