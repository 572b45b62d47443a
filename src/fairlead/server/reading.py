"""Bodies read into the structs of a door, and what is wrong with one told with the place where it stands."""

import re
from typing import Final, TypeVar

import msgspec

from fairlead.errors import BadInput

B = TypeVar("B")

_UNDERSTOOD: Final = "see docs/reference/doors.md for the fields that are understood"
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_MEMBER: Final = re.compile(r"^Object (?:missing required|contains unknown) field `([^`]*)`")


def decoded(
    decoder: "msgspec.json.Decoder[B]", body: bytes, protocol: str, *, place: str = "", mend: str = _UNDERSTOOD
) -> B:
    """The body, or the part of one at `place`. Raises `BadInput` naming the field."""
    try:
        return decoder.decode(body)
    except RecursionError:
        raise BadInput(
            "the request is nested too deeply",
            why="lists and objects are read some hundreds deep, and no deeper",
            mend="say it with fewer levels",
            param=place,
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        said = _located(str(error), place) if place else str(error)
        raise BadInput(
            f"the request is not valid: {said}",
            why=f"it does not match the {protocol} protocol",
            mend=mend,
            param=_field(str(error), place),
        ) from None


def half_said(field: str, needed: str, mend: str, subject: str = "") -> BadInput:
    """For a field that means nothing without another. `subject` says it where the field alone would say too little."""
    why = "the one means nothing without the other"
    return BadInput(f"{subject or field} needs {needed}", why=why, mend=mend, param=field)


def _located(said: str, place: str) -> str:
    """What a decoder says of a part, told of the whole: `$` is the part's place."""
    return said.replace("`$", f"`{place}") if "`$" in said else f"{said} - at `{place}`"


def _field(said: str, place: str) -> str:
    """The field that a decoder complains of, as a path into the body; "" for a body that is no JSON."""
    found, member = _PLACE.search(said), _MEMBER.match(said)
    path = (place, found.group(1) if found else "", member.group(1) if member else "")
    return ".".join(part for part in path if part).replace(".[", "[")
