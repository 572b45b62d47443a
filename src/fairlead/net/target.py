"""What an address means to a connection, and the head of a request to it (RFC 9112, 3). Nothing can be smuggled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from fairlead.errors import BadInput

_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_.])?|[0-9a-f:.]+")
_PATH: Final = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A server and a path on it. `authority` is as the `host` header wants it."""

    host: str
    port: int
    tls: bool
    authority: str
    path: str

    @property
    def server(self) -> tuple[str, int, bool]:
        """What connections to it have in common."""
        return self.host, self.port, self.tls

    def head(self, method: str, headers: Mapping[str, str], length: int | None) -> bytes:
        """Request line and headers. Raises `BadInput` if a value would break out of its line."""
        lines = [f"{method} {self.path} HTTP/1.1", f"host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is not None:
            lines.append(f"content-length: {length}")
        text = "\r\n".join(lines)
        breaks = len(lines) - 1
        if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text or not text.isascii():
            raise BadInput("a header's value holds a line break or a character outside ASCII", mend="check `models:`")
        return text.encode() + b"\r\n\r\n"


@lru_cache(maxsize=256)
def target_of(url: str) -> Target:
    """Read an absolute http or https URL. Raises `BadInput` for any other text; a fragment is dropped."""
    try:
        parts = urlsplit(url)
        port = parts.port
        # International names in the form that resolvers take; this also unmasks digits of other scripts.
        host = (parts.hostname or "").encode("idna").decode().lower()
    except ValueError:
        raise _no_address(url) from None
    path = parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    plain = url.isprintable() and "\\" not in url and parts.username is None and parts.password is None
    if not plain or parts.scheme not in ("http", "https") or port == 0 or not _PATH.fullmatch(path):
        raise _no_address(url)
    if not _HOST.fullmatch(host):
        raise _no_address(url)
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    name = f"[{host}]" if ":" in host else host
    authority = name if port in (None, usual) else f"{name}:{port}"
    return Target(host, port or usual, tls, authority, path)


def _no_address(url: str) -> BadInput:
    # A password may stand before the @.
    return BadInput(
        f"{url.rpartition('@')[2]!r} is not a plain http or https address",
        mend="write for example https://llm.example.com/v1; keys are given by `key:`",
    )
