"""What a live source gave, as a piece of text: bounded, cleaned, with the time for which it holds. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

_MOST_VALUE: Final = 2_000  # characters of one value in a row
# Control characters, marks that turn the direction of writing or cannot be seen, halves of characters.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_encoder = msgspec.json.Encoder(order="sorted")


def taken(value: Any, path: str) -> Any:
    """What stands at a path such as `order.lines.0.sku`, None where nothing does."""
    for step in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isascii() and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def written(value: Any, most: int) -> tuple[str, bool]:
    """Data as a text of at most so many bytes, "" if there is nothing; and whether something had to be left out.

    A list is a line for each of its items, an object a line for each of its members. What a query gives is its rows.
    """
    if isinstance(value, Mapping) and {"columns", "rows"} <= value.keys():
        value = value["rows"]
    if isinstance(value, str):
        return _within(cleaned(value[: most + 1]), most, cut=len(value) > most)
    lines: list[str] = []
    used = 0
    for line in _lines(value):
        used += len(line.encode()) + 1
        if used > most + 1:
            return _within("\n".join([*lines, line]), most, cut=True)
        lines.append(line)
    return "\n".join(lines), False


def cleaned(text: str) -> str:
    """The text without what nobody sees: control characters and marks that hide or turn what stands there."""
    return _UNSEEN.sub("", text).strip()


def time_of(value: Any) -> datetime | None:
    """The time that a result says that it holds for: ISO, or seconds or milliseconds since 1970. None where it is not
    to be read."""
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip()[:40])
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def iso(time: datetime) -> str:
    """A moment in UTC as RFC 3339 writes it, to the second."""
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _within(text: str, most: int, *, cut: bool) -> tuple[str, bool]:
    data = text.encode()
    return (text, cut) if len(data) <= most else (data[:most].decode(errors="ignore"), True)


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            if each is not None:
                yield f"{_flat(str(name))}: {_value(each)}"
    elif isinstance(value, list | tuple):
        for each in value:
            if isinstance(each, Mapping):
                yield "- " + "; ".join(f"{_flat(str(k))}: {_value(v)}" for k, v in each.items() if v is not None)
            else:
                yield f"- {_value(each)}"
    elif value is not None:
        yield _value(value)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _flat(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        return "none"
    return _flat(_encoder.encode(value).decode())


def _flat(text: str) -> str:
    """In one line, so that a value cannot look like another row."""
    short = text[: _MOST_VALUE + 1]
    return " ".join(cleaned(short).split())[:_MOST_VALUE] + (" …" if len(text) > _MOST_VALUE else "")
