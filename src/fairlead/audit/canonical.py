"""Canonical JSON (RFC 8785): one value, one spelling, so that a record can be hashed, stored and checked again.

Only what records are made of: str, int, bool, None, list, tuple, dict with str keys. Floats are refused rather than
spelt: money is in whole nano-units, and two languages seldom print a float alike.
"""

from typing import Any, Final

import msgspec

_LARGEST: Final = 2**53 - 1
_sorted = msgspec.json.Encoder(order="sorted").encode
_as_given = msgspec.json.Encoder().encode
# Lead bytes, in UTF-8, of U+E000 to U+FFFF and of all beyond: UTF-16 puts the second kind before the first.
_HIGH: Final = (b"\xee", b"\xef")
_BEYOND: Final = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


class NotCanonical(ValueError):
    """The value has no canonical form here: a float, an integer beyond 2**53 - 1, a lone surrogate, another type."""


def canonical(value: Any) -> bytes:
    """The canonical JSON text of a value, in UTF-8. Raises NotCanonical.

    Subclasses of the plain types (enums among them) are refused: what they print as may change without notice.
    """
    try:
        _check(value)
        text = _sorted(value)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise NotCanonical(f"not canonical JSON: {_reason(error)}") from None
    if not text.isascii() and _holds(text, _HIGH) and _holds(text, _BEYOND):
        return _as_given(_in_utf16_order(value))
    return text


def _check(value: Any) -> None:
    kind = type(value)
    if kind is dict:
        _check_each(value.values())
    elif kind is list or kind is tuple:
        _check_each(value)
    else:
        _check_each((value,))


def _check_each(values: Any) -> None:
    for value in values:
        kind = type(value)
        if kind is str:
            continue
        if kind is int:
            if not -_LARGEST <= value <= _LARGEST:
                raise TypeError("an integer lies beyond 2**53 - 1")
        elif kind is dict or kind is list or kind is tuple:
            _check(value)
        elif value is not None and kind is not bool:
            raise TypeError(f"a {kind.__name__} has no place in a record")


def _holds(text: bytes, leads: tuple[bytes, ...]) -> bool:
    return any(lead in text for lead in leads)


def _in_utf16_order(value: Any) -> Any:
    if type(value) is dict:
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _in_utf16_order(value[key]) for key in keys}
    if type(value) is list or type(value) is tuple:
        return [_in_utf16_order(item) for item in value]
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "a string holds half of a surrogate pair"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
