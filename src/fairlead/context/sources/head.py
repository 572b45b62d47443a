"""The lines at the top of a page, key by key and byte by byte, so that each can be kept, made or compared by itself.

What they mean is read elsewhere (`context/front_matter.py`); here they are only told apart.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

_MOST_LINES: Final = 200  # as many as are read of a page
KEY: Final = re.compile(r"(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w .-]*)(?P=quote)[ \t]*:(?:[ \t]|$)")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./()-]+)*|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


class Head(Struct, frozen=True):
    """The keys of a page in their order, each with its lines as written, and the text below. `is_there`: the page has
    such lines."""

    keys: Mapping[str, str]
    body: str
    is_there: bool


def read_head(text: str) -> Head:
    """`text` has `\\n` line ends. What stands before the first key, as comments do, belongs to the key ""."""
    lines = text.split("\n", _MOST_LINES)
    if lines[0].rstrip() != "---":
        return Head({}, text, False)
    end = next((at for at, line in enumerate(lines[1:_MOST_LINES], 1) if line.rstrip() in ("---", "...")), 0)
    if not end:
        return Head({}, text, False)
    found: dict[str, list[str]] = {}
    current = found.setdefault("", [])
    for line in lines[1:end]:
        if key := KEY.match(line):
            current = found.setdefault(key["key"].rstrip(), [])
        current.append(line)
    keys = {key: "\n".join(said) for key, said in found.items() if said}
    return Head(keys, "\n".join(lines[end + 1 :]), True)


def write_page(keys: Mapping[str, str], body: str) -> str:
    """A page of these lines and this text."""
    if not any(keys.values()):
        return body
    return "---\n" + "".join(said + "\n" for said in keys.values() if said) + "---\n" + body


def line(key: str, value: str | Iterable[str]) -> str:
    """A key with a text or a list of texts, as YAML."""
    if isinstance(value, str):
        return f"{key}: {_scalar(value)}"
    return f"{key}: [{', '.join(map(_scalar, value))}]"


def _scalar(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def digest(said: str | bytes) -> str:
    """The first 16 hex digits of its SHA-256: for telling whether something is what it was."""
    data = said.encode("utf-8", "surrogatepass") if isinstance(said, str) else said
    return hashlib.sha256(data).hexdigest()[:16]


def body_digest(body: str) -> str:
    """As `digest`, of a page's text. Blank lines around it do not count."""
    return digest(body.strip("\n"))
