"""How identity providers are asked for tokens: a form, sent by a client that shows who it is (RFC 6749, 2.3.1)."""

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from fairlead.net.http import Http, Patience

_MOST_BYTES: Final = 64 << 10
_PATIENCE: Final = Patience(connect=5, first_byte=10, idle=10)


class _Error(Struct, frozen=True):
    error: str = ""
    error_description: str = ""


async def posted(
    http: Http, url: str, form: Mapping[str, str], account: tuple[str, str] | None, deadline: float
) -> tuple[int, bytes]:
    """The status and body of the answer to a form without its empty fields. `account` is the client's name and secret,
    None where the form itself names a public client. Raises `Upstream`."""
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    if account is not None:
        said = ":".join(quote(each, safe="") for each in account)
        headers["authorization"] = "Basic " + base64.b64encode(said.encode()).decode()
    body = urlencode({name: value for name, value in form.items() if value}).encode()
    async with await http.ask("POST", url, headers, body, deadline=deadline, patience=_PATIENCE, subject=url) as answer:
        return answer.status, await answer.read(_MOST_BYTES)


def reason(said: bytes) -> str:
    """The provider's own words, as far as they are words: never a token that it might have echoed."""
    try:
        error = msgspec.json.decode(said, type=_Error)
    except msgspec.DecodeError:
        return ""
    return words(" ".join(each for each in (error.error, error.error_description) if each))


def words(text: str) -> str:
    """Text of a stranger as it may be shown: short, visible, and without what could be a secret."""
    visible = "".join(each if each.isprintable() else " " for each in text[:300])
    return " ".join(word for word in visible.split() if len(word) < 60)
