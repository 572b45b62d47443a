"""The little HTTP that every door needs: headers, bodies within their limit, JSON out. Raw ASGI, because it is hot."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from fairlead.errors import BadInput

Scope = dict[str, Any]
Headers = list[tuple[bytes, bytes]]


class TooLarge(BadInput):
    """The request's body is larger than `server.max_body` allows."""

    code = "too_large"
    status = 413


class Gone(Exception):
    """The client closed the connection before its request was complete."""


def header(scope: Scope, name: bytes) -> str | None:
    """The value of a request header (lower-case name), None if absent. Latin-1, as HTTP has it."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")  # type: ignore[no-any-return]
    return None


def is_loopback(scope: Scope) -> bool:
    """Whether the client is on this machine and no proxy says that it speaks for somebody else."""
    client = scope.get("client")
    if not client or header(scope, b"x-forwarded-for") or header(scope, b"forwarded"):
        return False
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False


async def read_body(receive: Any, limit: int) -> bytes:
    """The whole body. Raises `TooLarge` as soon as it passes `limit` bytes, `Gone` if the client leaves."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise TooLarge(f"the request body is larger than {limit} bytes")
        return body
    pieces, size = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise TooLarge(f"the request body is larger than {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def respond(send: Any, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """A complete JSON response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
