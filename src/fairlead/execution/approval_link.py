"""Links by which one person answers one question in one role. They prove who made them; whether the person still has
the role, and has not answered yet, is looked at when they are used: so each is good for one answer."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import NotFound

PURPOSE: Final = b"fairlead/approval-link/1"
_LONGEST: Final = 2048


class Link(Struct, frozen=True, array_like=True):
    """Who may answer what as whom, and until when (milliseconds since 1970)."""

    approval: str
    approver: str
    role: str
    until: int


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Link)


def written(link: Link, key: bytes) -> str:
    """The link's last part."""
    said = _encode(link)
    return f"{_text(said)}.{_text(_code(key, said))}"


def read(token: str, key: Callable[[], bytes], now: int) -> Link:
    """What a link says. Raises `NotFound`, the same whatever is wrong with it."""
    said, _, code = token.partition(".")
    try:
        plain, given = urlsafe_b64decode(said + "=="), urlsafe_b64decode(code + "==")
        if (
            len(token) <= _LONGEST
            and len(given) == sha256().digest_size
            and hmac.compare_digest(_code(key(), plain), given)
        ):
            link = _decoder.decode(plain)
            if now < link.until:
                return link
    except (Error, ValueError, msgspec.DecodeError):
        raise _invalid() from None
    raise _invalid()


def _code(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")


def _text(plain: bytes) -> str:
    return urlsafe_b64encode(plain).rstrip(b"=").decode()


def _invalid() -> NotFound:
    return NotFound(
        "this link is not valid",
        why="it was not made here, is not whole, or its time is over",
        mend="have another made: fairlead approvals link ID --for PERSON",
    )
