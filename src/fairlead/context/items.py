"""Turns one Markdown file into an item: what it says, who owns it, for whom it is, and the hash of this version."""

import hashlib
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec
from msgspec.structs import replace

from fairlead.context.front_keys import FrontMatter
from fairlead.context.front_matter import read_front_matter
from fairlead.context.include import Includes, Source
from fairlead.context.kinds import PAGE
from fairlead.context.sections import first_heading
from fairlead.context.settings import ContextSettings
from fairlead.context.types import Item
from fairlead.errors import BadInput

MOST_BYTES = 5_000_000
_UNSAFE = frozenset("[]@\\")


def includes_of(files: Mapping[str, bytes], defaults: ContextSettings) -> Includes:
    """What the pages of a folder, by their paths below `context/`, may include of one another."""
    return Includes(files, lambda path: _source(path, files[path], defaults))


def read_item(path: str, data: bytes, defaults: ContextSettings, includes: Includes | None = None) -> Item:
    """The item that a file holds. `path` is relative to `context/`, with forward slashes. Without `includes` lines that
    include other pages stay as they are.

    Raises `BadInput` naming file and line. Reads nothing from disk: the workspace hands the bytes in.
    """
    identity = _identity(path)
    source = _source(path, data, defaults)
    front, body = source.front, source.body
    if includes is not None:
        body, expires = includes.expanded(path, source)
        front = front if expires == front.expires else replace(front, expires=expires)
    body = body.strip("\n") + "\n"
    return Item(
        id=identity,
        version=_version(front, body),
        title=front.title or first_heading(body) or _name(path),
        text=body,
        owner=front.owner,
        audience=front.audience,
        data_class=front.data_class,
        verified=front.verified,
        verified_by=front.verified_by,
        review_by=front.review_by,
        kind=front.kind,
        status=front.status,
        topics=front.topics,
        expires=front.expires,
        trusted=front.trusted,
        source=front.source,
        origin=front.origin,
        changed=front.changed,
        fields=front.fields,
    )


def _source(path: str, data: bytes, defaults: ContextSettings) -> Source:
    text = _decoded(path, data)
    front, body = read_front_matter(path, text, defaults)
    return Source(front, body, text.count("\n", 0, len(text) - len(body)) + 1)


def _identity(path: str) -> str:
    identity = path[: -len(suffix)] if (suffix := PurePosixPath(path).suffix) else path
    if not identity or not identity.isprintable() or _UNSAFE & set(identity) or len(identity) > 500:
        raise BadInput(
            f"{path!r} cannot be an item's name",
            why="an item is cited as [item@version], so its name may not hold [ ] @ or a backslash",
            mend="rename the file",
            subject=path,
        )
    return identity


def _decoded(path: str, data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise BadInput(
            f"{path}: the file has {len(data):,} bytes",
            why=f"a page of the context may have {MOST_BYTES:,}",
            mend="split it into pages that one person would read at a sitting",
            subject=path,
        )
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise BadInput(
            f"{path}:{line}: the file is not text",
            why="it holds a NUL byte",
            mend="move it out of context/",
            subject=path,
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"{path}:{line}: the file is not UTF-8",
            why=f"byte 0x{data[error.start]:02x} does not belong there",
            mend="save it as UTF-8",
            subject=path,
        ) from None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _version(front: FrontMatter, body: str) -> str:
    """Defaults are resolved before hashing: rights that change with the workspace's defaults make a new version.

    What a page does not use is not hashed, so that a key that is new to Fairlead makes no new version of every page.
    The status is none of it: the version that was reviewed is the one that is published.
    """
    head: list[object] = [
        front.title,
        front.owner,
        sorted(front.audience),
        front.data_class.name,
        front.verified,
        front.verified_by,
        front.review_by,
    ]
    further = {
        "kind": front.kind if front.kind != PAGE else "",
        "topics": sorted(front.topics),
        "expires": front.expires,
        "untrusted": not front.trusted,
        "source": front.source,
        "origin": front.origin,
        "changed": front.changed,
        "fields": dict(front.fields),
    }
    if used := {key: value for key, value in further.items() if value}:
        head.append(used)
    return hashlib.sha256(msgspec.json.encode(head) + b"\n" + body.encode()).hexdigest()[:12]


def _name(path: str) -> str:
    file = PurePosixPath(path)
    name = file.parent.name if file.stem.lower() in ("index", "readme") and file.parent.name else file.stem
    return " ".join(name.replace("-", " ").replace("_", " ").split()).capitalize()
