"""Where a described service answers, and whether it may be called there."""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.net.addresses import Address, checked_address
from fairlead.tools.openapi_document import Document
from fairlead.tools.openapi_operations import Operations, operations_of
from fairlead.tools.settings import OpenApiSettings

_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_CONNECTION: Final = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "cookie", "accept", "content-type", "te", "upgrade")
)


class Described(Struct, frozen=True):
    """A described service: the address before every path, and its operations."""

    url: str
    operations: Operations


# A workspace is read when it is checked, and again when it is used, and descriptions can be large.
@lru_cache(maxsize=8)
def service_of(text: bytes, file: str, url: str, at_home: bool, plain_http: bool, key: str) -> Described:
    """Read a description. Raises `BadInput` where it cannot be used, or leaves open where the service answers."""
    document = Document(text, file)
    address = _address(document, url, at_home, plain_http, key)
    return Described(address.url, operations_of(document, address.url))


def _address(document: Document, url: str, at_home: bool, plain_http: bool, key: str) -> Address:
    """The workspace's address, or else that of the description's first server."""
    if not url:
        servers = document.root.get("servers")
        first = servers[0] if isinstance(servers, list) and servers else {}
        url = _fixed(first, key) if isinstance(first, dict) else ""
    if not url.startswith(("http://", "https://")):
        raise BadInput(
            f"{key}: the description does not say where the service answers",
            why=f"its first server is {url[:200]!r}" if url else "it names no server",
            mend=f"give the address: {key}.url",
        )
    address = checked_address(url, key=f"{key}.url", at_home=at_home, plain_http=plain_http, of="system")
    if address.is_loopback and not at_home:
        raise BadInput(
            f"{key}.url points at this machine", mend="add `at_home: true` to this system if it answers there"
        )
    return address


def _fixed(server: dict[str, object], key: str) -> str:
    """The server's URL with those variables in place that can have one value only."""
    url = str(server.get("url", ""))
    variables = server.get("variables")
    for name in re.findall(r"\{([^{}]*)\}", url):
        one = variables.get(name) if isinstance(variables, dict) else None
        values = one.get("enum") if isinstance(one, dict) else None
        if not isinstance(values, list) or len(values) != 1:
            raise BadInput(
                f"{key}: the server {url[:200]} has the variable {name}, which could have several values",
                why="who calls must not choose where a credential goes",
                mend=f"give the address: {key}.url",
            )
        url = url.replace(f"{{{name}}}", str(values[0]))
    return url


def check_settings(settings: OpenApiSettings, operations: Operations, key: str) -> None:
    """Raises `BadInput` where the workspace speaks of what the description does not have."""
    for name in settings.only:
        if name in operations.left_out:
            raise BadInput(f"{key}.only: {name} cannot be offered", why=operations.left_out[name])
    if settings.header and (not _HEADER.fullmatch(settings.header) or settings.header.lower() in _CONNECTION):
        raise BadInput(f"{key}.header: {settings.header!r} cannot carry a credential", mend="such as `x-api-key`")
    for name, pages in settings.pages.items():
        where = f"{key}.pages.{name}"
        operation = operations.by_name.get(name)
        if operation is None:
            raise BadInput(f"{where}: there is no such tool", mend=closest(name, operations.by_name))
        if operation.method != "GET":
            raise BadInput(f"{where}: only what is asked for by GET comes in pages")
        known = operation.definition.input["properties"]
        if bool(pages.cursor) != bool(pages.argument) or (pages.argument and pages.argument not in known):
            raise BadInput(
                f"{where}: `cursor` and `argument` belong together, and {pages.argument!r} must be an argument",
                mend=closest(pages.argument, known) if pages.argument else "name the argument that takes the mark",
            )
