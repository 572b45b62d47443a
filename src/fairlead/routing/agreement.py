"""Whether two answers say the same, by what a task type declares to be the same. Pure."""

import re
from typing import Any, Final
from unicodedata import normalize

import msgspec
from msgspec import Struct

from fairlead.tasks.cascades import Likeness

_NUMBER: Final = re.compile(r"(?:(?<![\w.,])[-\u2212])?\d[\d.,'\u00a0\u202f]*")
_APART: Final = re.compile(r"['\u00a0\u202f]")
_LONGEST: Final = 60  # digits
_END: Final = " .!?\u3002"


class Said(Struct, frozen=True):
    """What an answer says: its text, and its calls of tools, each a name with its arguments."""

    text: str
    calls: tuple[tuple[str, str], ...] = ()


def agree(one: Said, other: Said, likeness: Likeness) -> bool:
    """Whether both say the same. Who says nothing agrees with nobody. Calls of tools must be equal, whatever is asked
    of the text, and count alone where there are any."""
    if one.calls or other.calls:
        mine, theirs = [_call(each) for each in one.calls], [_call(each) for each in other.calls]
        return mine == theirs and None not in mine
    meant = {"text": _plain, "number": last_number, "json": _value}[likeness]
    mine_meant = meant(one.text)
    return mine_meant is not None and mine_meant == meant(other.text)


def last_number(text: str) -> str | None:
    """The last number of a text, written plainly; None where there is none. Of a comma or a point that could be either,
    three digits behind it make it one that sets off thousands only if it is a comma."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    digits = _APART.sub("", found[-1]).rstrip(".,").replace("\u2212", "-")
    if len(digits) > _LONGEST:
        return None
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, fraction = (",", ".") if point > comma else (".", ",")
        digits = digits.replace(thousands, "").replace(fraction, ".")
    elif comma >= 0:
        sets_off = digits.count(",") > 1 or len(digits) - comma == 4
        digits = digits.replace(",", "" if sets_off else ".")
    if digits.count(".") > 1:
        digits = digits.replace(".", "")
    whole, _, fraction = digits.lstrip("-").partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    sign = "-" if digits.startswith("-") and (whole != "0" or fraction) else ""
    return sign + whole + ("." + fraction if fraction else "")


def _plain(text: str) -> str | None:
    return " ".join(normalize("NFC", text).casefold().split()).rstrip(_END) or None


def _value(text: str) -> str | None:
    """The JSON that it is, written in one way."""
    try:
        value: Any = msgspec.json.decode(text)
        return msgspec.json.encode(_same_numbers(value), order="sorted").decode()
    except (ValueError, RecursionError, TypeError, OverflowError):
        return None


def _same_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_same_numbers(each) for each in value]
    if isinstance(value, dict):
        return {name: _same_numbers(each) for name, each in value.items()}
    return value


def _call(call: tuple[str, str]) -> tuple[str, str] | None:
    arguments = _value(call[1] or "{}")
    return None if arguments is None else (call[0], arguments)
