"""Attributes of SCIM's resources as they come in: names in any case, values as providers really write them."""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.errors import BadInput

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
MOST_MEMBERS: Final = 50_000
_LONGEST_ID: Final = 200
_CORE: Final = (f"{USER}:".lower(), f"{GROUP}:".lower())


def plain(name: str) -> str:
    """An attribute's name or path as it is compared: without the schema's own name before it, in small letters."""
    folded = name.strip().lower()
    for prefix in _CORE:
        folded = folded.removeprefix(prefix)
    return folded


def folded(body: object) -> dict[str, Any]:
    """The attributes by their plain names. Raises `BadInput` where one is there twice: which was meant is not ours to
    guess."""
    if not isinstance(body, Mapping):
        raise _wrong("the body", "an object")
    found: dict[str, Any] = {}
    for name, value in body.items():
        key = plain(name)
        if key in found:
            raise BadInput(
                f"{name[:80]!r} is there twice",
                why="names of attributes are the same in any case, and which was meant is not ours to guess",
                mend="send it once",
                param=name[:80],
            )
        found[key] = value
    return found


def text(name: str, value: object) -> str:
    """A text; None is none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, "a text")
    return value


def flag(name: str, value: object) -> bool:
    """True or false, also where it is written as a text: Entra ID sends `"False"`."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _wrong(name, "true or false")


def members(value: object) -> frozenset[str]:
    """The ids in a list of members, or in one member."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    if len(entries) > MOST_MEMBERS:
        raise BadInput(
            f"there are {len(entries)} members",
            why=f"{MOST_MEMBERS} is the most that one request may name",
            mend="send them in parts, with PATCH",
            param="members",
        )
    return frozenset(map(_member, entries))


def _member(entry: object) -> str:
    value = folded(entry).get("value") if isinstance(entry, Mapping) else entry
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isprintable():
        raise _wrong("members", "a list of objects with a `value`, the id of a person")
    return value


def _wrong(name: str, wanted: str) -> BadInput:
    return BadInput(
        f"{name} is not what it should be",
        why=f"it must be {wanted}",
        mend="correct what the provider maps to it",
        param=name,
    )
