"""How identity providers are asked for tokens: a form, sent by a client that shows who it is (RFC 6749, 2.3.1)."""

import base64
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from fairlead.net.http import Http, Patience

_MOST_BYTES: Final = 64 << 10
_LONGEST_WORD: Final = 32  # the longest code that is registered for errors; tokens are mostly longer
_SHORTEST_SECRET: Final = 8  # what is shorter stands in innocent words
_PATIENCE: Final = Patience(connect=5, first_byte=10, idle=10)


class _Error(Struct, frozen=True):
    error: str = ""
    error_description: str | None = None


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


def error_code(said: bytes) -> str:
    """What kind of error it is, by the code of RFC 6749; "" where the answer has none."""
    return _error(said).error


def reason(said: bytes, secrets: Iterable[str] = ()) -> str:
    """The provider's own words, as far as they are words."""
    error = _error(said)
    return words(" ".join(each for each in (error.error, error.error_description) if each), secrets)


def words(text: str, secrets: Iterable[str] = ()) -> str:
    """Text of a stranger as it may be shown: short, visible, without these secrets and what is like one."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    visible = "".join(each if each.isprintable() else " " for each in text[:300])
    return " ".join(word for word in visible.split() if len(word) <= _LONGEST_WORD)


def _error(said: bytes) -> _Error:
    try:
        return msgspec.json.decode(said, type=_Error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Error()
