"""What the program at the other end can do, as it declared: in each request (2026-07-28), or when it greeted (up to
2025-11-25). What was said in a greeting travels in the session's id, sealed, so that any worker can answer the next
message and none has to remember anything.
"""

import asyncio
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.server.mcp.message import Message
from fairlead.tools.talk import ASKED_BY

SESSION: Final = b"mcp-session-id"
_META: Final = "io.modelcontextprotocol/"
_PURPOSE: Final = b"fairlead/mcp/1"
_LONGEST: Final = 4096
_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


class Program(Struct, frozen=True, kw_only=True):
    """The program that sent a message. `session` is "" where it has none, `log` the least grave note that it wants."""

    abilities: Mapping[str, Any] = {}
    session: str = ""
    log: str = ""
    token: str | int | None = None  # by which it knows how far a request is

    def takes(self, ability: str) -> bool:
        """Whether it has said that it can do this."""
        return ability in self.abilities


class Seals:
    """Texts that leave and come back: for one purpose, of one person by one agent, and not changed on the way."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead
        self._key = b""

    async def sealed(self, kind: str, caller: Caller, said: Any) -> str:
        """A text that only `opened` reads, for this person by this agent."""
        plain = msgspec.json.encode(said)
        return f"{_text(plain)}.{_text(await self._code(kind, caller, plain))}"

    async def opened(self, kind: str, caller: Caller, text: Any) -> Any:
        """What was said. None where it is not what was sealed for this person and agent."""
        if not isinstance(text, str) or len(text) > _LONGEST * 16:
            return None
        said, _, code = text.partition(".")
        try:
            plain, given = urlsafe_b64decode(said + "=="), urlsafe_b64decode(code + "==")
            if hmac.compare_digest(given, await self._code(kind, caller, plain)):
                return msgspec.json.decode(plain)
        except (Error, ValueError, msgspec.DecodeError):
            return None
        return None

    async def _code(self, kind: str, caller: Caller, plain: bytes) -> bytes:
        if not self._key:
            self._key = await asyncio.to_thread(self._fairlead.approvals.derived_key, _PURPOSE)
        about = msgspec.json.encode((kind, caller.tenant, caller.person, caller.agent))
        return hmac.digest(self._key, about + b"\0" + plain, sha256)


def stated(message: Message) -> Program:
    """What a request of a revision without greetings says of its program."""
    meta = message.params.get("_meta")
    said = meta if isinstance(meta, Mapping) else {}
    log = said.get(f"{_META}logLevel")
    abilities = said.get(f"{_META}clientCapabilities")
    return Program(
        abilities=_known(abilities), log=log if log in _LEVELS else "", token=_token(said.get("progressToken"))
    )


async def greeted(seals: Seals, caller: Caller, message: Message, session: str | None, log: str) -> Program | None:
    """What a program said when it greeted. None where the session is not of this caller, or not ours."""
    meta = message.params.get("_meta")
    token = _token(meta.get("progressToken")) if isinstance(meta, Mapping) else None
    if session is None:
        return Program(token=token)
    said = await seals.opened("session", caller, session) if len(session) <= _LONGEST else None
    if not isinstance(said, list) or len(said) != 2:
        return None
    return Program(abilities=said[0], session=session, log=log, token=token)


async def session_of(seals: Seals, caller: Caller, message: Message, once: str) -> str:
    """The id of a new session. `once` makes it another than all before."""
    return await seals.sealed("session", caller, [_known(message.params.get("capabilities")), once])


def level(text: Any) -> str:
    """A level of logging as the protocol names it (RFC 5424), "" for anything else."""
    return text if text in _LEVELS else ""


def grave(level: str, least: str) -> bool:
    """Whether a note of that level is wanted."""
    return not least or level not in _LEVELS or _LEVELS.index(level) >= _LEVELS.index(least)


def _known(abilities: Any) -> dict[str, Any]:
    """Those abilities that somebody here may ask for."""
    if not isinstance(abilities, Mapping):
        return {}
    found = {name: abilities[name] for name in ASKED_BY.values() if isinstance(abilities.get(name), Mapping)}
    return found if len(msgspec.json.encode(found)) <= _LONGEST // 4 else {}


def _token(given: Any) -> str | int | None:
    return given if isinstance(given, str | int) and not isinstance(given, bool) else None


def _text(plain: bytes) -> str:
    return urlsafe_b64encode(plain).rstrip(b"=").decode()
