"""Where a database is, as a workspace names it: without an account, since everybody comes by their own credential."""

import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from fairlead.errors import BadInput

SQLITE: Final = "sqlite:"
_POSTGRESQL: Final = ("postgresql://", "postgres://")
_OPTIONS: Final = frozenset(("sslmode", "sslrootcert", "require_auth", "channel_binding", "target_session_attrs"))
_LIKE: Final = "write postgresql://HOST:PORT/DATABASE"


class Address(Struct, frozen=True, kw_only=True):
    """A PostgreSQL database, as the workspace names it. `options` are libpq's that stand in the URL."""

    host: str
    port: int
    database: str
    options: Mapping[str, str]

    @property
    def is_loopback(self) -> bool:
        """Whether the database is on this machine, by its address alone: no name is looked up."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def check_database(key: str, url: str) -> None:
    """Raises `BadInput` naming `key`, and nothing of the URL, where that is not the address of one database."""
    if url.startswith(SQLITE):
        return
    if not url.startswith(_POSTGRESQL):
        raise BadInput(
            f"{key} is no address of a database that is known here",
            mend="write postgresql://HOST/DATABASE or sqlite:FILE",
        )
    address_of(url, key)


def address_of(url: str, key: str) -> Address:
    """Raises `BadInput` naming `key`. What the URL holds is not repeated: it may be a password."""
    if "@" in url:
        raise BadInput(
            f"{key} holds an account",
            why="everybody logs in by their own credential",
            mend="leave the account out, and say under `credential:` by what the database knows the caller",
        )
    try:
        parts = urlsplit(url)
        host, port = unquote(parts.hostname or ""), parts.port or 5432
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise BadInput(
            f"{key} is no address of a database",
            why="its port is no number from 0 to 65535, its host no address, or what stands after `?` no NAME=VALUE",
            mend=_LIKE,
        ) from None
    database = unquote(parts.path.removeprefix("/"))
    if not host or "," in host or "/" in host or not database or "/" in database or parts.fragment:
        raise BadInput(f"{key} is no address of one database", mend=_LIKE)
    if unknown := sorted(options.keys() - _OPTIONS):
        raise BadInput(
            f"{key} sets {unknown[0]!r}, which is not for a URL to say",
            mend=f"what it may set: {', '.join(sorted(_OPTIONS))}",
        )
    return Address(host=host, port=port, database=database, options=options)
