"""Where the workspace says that a secret is: by reference or by digest, never the secret itself."""

import re
from collections.abc import Callable
from typing import Final, NoReturn

from fairlead.errors import BadInput
from fairlead.identity.keys import digest_of

_SHORTEST: Final = 20


def require_reference(key: str, reference: str) -> None:
    """Raises `BadInput` naming the key, unless it refers to a secret that can be had whole."""
    if not re.fullmatch(r"(env|file):.+", reference):
        _refuse(key, "`env:NAME` or `file:PATH`")


def digest_referred_to(key: str, reference: str, reveal: Callable[[str], str], made_by: str) -> bytes:
    """The digest of a secret that somebody else shows, b"" where this machine lacks it. `made_by` is a command that
    makes a good one. Raises `BadInput` naming the key."""
    kind, _, rest = reference.partition(":")
    if kind == "sha256":
        if not re.fullmatch(r"\s*[0-9a-fA-F]{64}", rest):
            raise BadInput(f"{key} is no SHA-256 digest", mend="give 64 hexadecimal digits after `sha256:`")
        return bytes.fromhex(rest)
    if kind != "env" or not rest:
        _refuse(key, "`env:NAME` or `sha256:HEX`")
    revealed = reveal(reference)
    if not revealed:
        return b""
    if len(revealed) < _SHORTEST or not revealed.isprintable() or " " in revealed:
        raise BadInput(
            f"{key}: what {reference} holds is no fit secret",
            why=f"it has at least {_SHORTEST} characters, none of them a space",
            mend=f"make one with `{made_by}`",
        )
    return digest_of(revealed)


def _refuse(key: str, forms: str) -> NoReturn:
    raise BadInput(
        f"{key} must be {forms}",
        why="the text of a workspace is kept in git and holds no secret",
        mend="put the secret into an environment variable and name that",
    )
