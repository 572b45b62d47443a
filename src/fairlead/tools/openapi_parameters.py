"""Values as parts of a request, in every style that OpenAPI defines, so that none gets out of its place.

What a value holds is percent-encoded. That is not enough where servers decode too early or too often, so these are
refused: in a path, what could mean another path once it is decoded; in a list, what would be read as two values.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput

Where = Literal["path", "query", "header", "cookie"]
STYLES: Final[Mapping[Where, tuple[str, ...]]] = {  # the first is the usual one
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_BETWEEN: Final = {"spaceDelimited": (" ", "%20"), "pipeDelimited": ("|", "%7C")}
_ALLOWED: Final = "/:?@!$'()*,"  # with `allowReserved`: what neither ends a query nor divides it
_ROUNDS: Final = 8  # of decoding


class Parameter(Struct, frozen=True, kw_only=True):
    """A declared parameter: `name` is its own, `argument` the tool's. `as_json`: it is one JSON text."""

    argument: str
    name: str
    where: Where
    style: str
    explode: bool
    required: bool = False
    as_json: bool = False
    reserved: bool = False

    def wrong(self, why: str) -> BadInput:
        """For a value that cannot be written where this parameter stands."""
        return BadInput(
            f"the argument {self.argument} cannot be sent",
            why=why,
            mend="give another value",
            param=f"arguments/{self.argument}",
        )


def in_path(parameter: Parameter, value: Any) -> str:
    """The value in place of `{name}`. Raises `BadInput`."""
    value = _whole(parameter, value)
    for text in _texts(parameter, value):
        _refuse_leaving(parameter, text)
    start, between, named = {
        "simple": ("", ",", False),
        "label": (".", "." if parameter.explode else ",", False),
        "matrix": (";", ";" if parameter.explode else ",", True),
    }[parameter.style]
    name = quote(parameter.name, safe="")
    if isinstance(value, list):
        items = [_item(parameter, each, between) for each in value]
        if named and parameter.explode:
            items = [f"{name}={each}" for each in items]
        whole = between.join(items)
    elif isinstance(value, dict):
        whole = between.join(_fields(parameter, value, between))
    else:
        whole = quote(scalar(parameter, value), safe="")
    if named and (not parameter.explode or not isinstance(value, list | dict)):
        whole = f"{name}={whole}" if whole else name
    return start + whole


def in_query(parameter: Parameter, value: Any) -> str:
    """`name=value`, or several with `&` between them; "" for an empty list. Raises `BadInput`."""
    value = _whole(parameter, value)
    name = quote(parameter.name, safe="")
    if parameter.style == "deepObject":
        return "&".join(_deep(parameter, name, value))
    raw, between = _BETWEEN.get(parameter.style, (",", ","))
    if isinstance(value, list):
        if parameter.explode:
            return "&".join(f"{name}={_quoted(parameter, scalar(parameter, each))}" for each in value)
        return f"{name}={between.join(_item(parameter, each, raw) for each in value)}" if value else ""
    if isinstance(value, dict):
        if parameter.explode:
            return "&".join(_fields(parameter, value, "&"))
        return f"{name}={between.join(_fields(parameter, value, raw))}" if value else ""
    return f"{name}={_quoted(parameter, scalar(parameter, value))}"


def in_header(parameter: Parameter, value: Any) -> str:
    """The value of a header: nothing encodes it, so only what fits is taken. Raises `BadInput`."""
    value = _whole(parameter, value)
    if isinstance(value, list):
        text = ",".join(_undivided(parameter, scalar(parameter, each), ",") for each in value)
    elif isinstance(value, dict):
        text = ",".join(_fields(parameter, value, ",", plain=True))
    else:
        text = scalar(parameter, value)
    if not text.isascii() or not text.isprintable():
        raise parameter.wrong("a header holds visible ASCII characters only")
    if text != text.strip():  # whoever reads it takes blanks at its ends away
        raise parameter.wrong("a header neither begins nor ends with a blank")
    return text


def in_cookie(parameter: Parameter, value: Any) -> str:
    """`name=value`, as a query has it. Raises `BadInput`."""
    return in_query(parameter, value)


def scalar(parameter: Parameter, value: Any) -> str:
    """A single value as text. Raises `BadInput` for what has parts, or is none."""
    if isinstance(value, str):
        if not _is_unicode(value):
            raise parameter.wrong("it holds half of a character")
        return value
    if isinstance(value, bool | int | float):
        text = msgspec.json.encode(value).decode()
        if text != "null":
            return text
    raise parameter.wrong(f"{'nothing' if value is None else 'a value with parts'} cannot stand in a list or a text")


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def _whole(parameter: Parameter, value: Any) -> Any:
    if not parameter.as_json:
        return value
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        raise parameter.wrong("it holds half of a character") from None


def _texts(parameter: Parameter, value: Any) -> Iterator[str]:
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else [value]
    if not parts:
        raise parameter.wrong("the path has a place for it, which nothing would fill")
    return (scalar(parameter, each) for each in parts if each is not None or not isinstance(value, dict))


def _refuse_leaving(parameter: Parameter, text: str) -> None:
    """Refuse what could mean another path to a server that decodes it, however often."""
    seen = decoded(text)
    if seen is None or "/" in seen or "\\" in seen or not seen.strip():
        raise parameter.wrong("it could mean another path: it is empty, or holds / or \\, encoded or not")
    if any(each < " " or each == "\x7f" for each in seen):
        raise parameter.wrong("it holds a control character")


def decoded(text: str) -> str | None:
    """What is left once nothing can be decoded any more; None where that does not come to an end."""
    for _ in range(_ROUNDS):
        before, text = text, unquote(text)
        if text == before:
            return text
    return None


def is_folder(segment: str) -> bool:
    """Whether a part of a path could be `.` or `..` to a server, or cannot be judged."""
    meant = decoded(segment)
    return meant is None or meant.partition(";")[0].strip() in (".", "..")


def _quoted(parameter: Parameter, text: str) -> str:
    return quote(text, safe=_ALLOWED if parameter.reserved else "")


def _undivided(parameter: Parameter, text: str, between: str) -> str:
    if between in text:
        raise parameter.wrong(f"a value holds {between!r}, which would be read as the end of it")
    return text


def _item(parameter: Parameter, value: Any, between: str) -> str:
    return quote(_undivided(parameter, scalar(parameter, value), between), safe="")


def _fields(parameter: Parameter, value: Mapping[str, Any], between: str, *, plain: bool = False) -> Iterator[str]:
    """The fields of an object: `name=value` where they are exploded, else names and values in turn."""
    for key, each in value.items():
        if each is None:
            continue
        name, text = scalar(parameter, key), scalar(parameter, each)
        if between != "&":  # there, encoding is enough: queries are divided before they are decoded
            _undivided(parameter, name, between)
            _undivided(parameter, text, between)
        if parameter.explode and ("=" in name or not name):
            raise parameter.wrong("the name of a field is empty or holds '='")
        if not plain:
            name, text = quote(name, safe=""), _quoted(parameter, text) if between == "&" else quote(text, safe="")
        if parameter.explode:
            yield f"{name}={text}"
        else:
            yield name
            yield text


def _deep(parameter: Parameter, name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        raise parameter.wrong("it must be an object")
    for key, each in value.items():
        if each is not None:
            if "[" in key or "]" in key:
                raise parameter.wrong("the name of a field holds a bracket")
            inner = quote(scalar(parameter, key), safe="")
            yield f"{name}%5B{inner}%5D={_quoted(parameter, scalar(parameter, each))}"
