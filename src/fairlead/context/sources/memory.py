"""What a sync remembers of a source, in `context/SOURCE/.sync.json`: text, so that it is reviewed and merged with the
pages that it speaks of."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput

FILE: Final = ".sync.json"
_FORM: Final = 1


class Known(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One page that was brought in. `mark`, `changed` and `origin` are the source's; `facts` and `content` digests of
    what is said of it and of what it says there; `body` and `head` digests of what was written here, by which an edit
    is told from it.

    A sync that is under way notes what it is about to write: then `mark` is "", `was` and `was_head` are digests of
    what stood there before, and `before` is the former path of what moves.
    """

    page: str
    mark: str = ""
    facts: str = ""
    content: str = ""
    body: str = ""
    head: Mapping[str, str] = {}
    changed: str = ""
    origin: str = ""
    owner: str = ""
    gone: str = ""
    kept: bool = False
    was: str = ""
    was_head: Mapping[str, str] = {}
    before: str = ""


class Unread(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece that could not be read, and will not be as long as its mark is this."""

    mark: str
    why: str
    mend: str = ""


class Memory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of a source: by the path that pieces have there."""

    form: int = _FORM
    state: str = ""
    pages: dict[str, Known] = {}
    broken: dict[str, Unread] = {}


def read_memory(source: str, data: bytes | None) -> Memory:
    """Raises `BadInput` where the file is not what a sync writes."""
    if data is None:
        return Memory()
    where = f"context/{source}/{FILE}"
    mend = (
        f"take it back from git, or delete it and run `fairlead context sync {source}`, which then looks at every page"
    )
    try:
        memory = msgspec.json.decode(data, type=Memory)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{where} cannot be read: {error}", why="syncs write it, nobody else", mend=mend) from None
    for known in memory.pages.values():
        parts = known.page.split("/")
        if not known.page.endswith(".md") or "\0" in known.page or any(each[:1] in ("", ".") for each in parts):
            raise BadInput(f"{where} names a page {known.page!r}", why="no sync writes such a one", mend=mend)
    if memory.form != _FORM:
        raise BadInput(f"{where} is of another version of Fairlead", why=f"its form is {memory.form}", mend=mend)
    return memory


def write_memory(memory: Memory) -> bytes:
    """One line for each piece, in the order of their paths: changes of it read and merge well."""
    lines = [f'"form": {memory.form}', f'"state": {_json(memory.state)}']
    for name, entries in (("pages", memory.pages), ("broken", memory.broken)):
        rows = ",\n".join(f"  {_json(path)}: {_json(entries[path])}" for path in sorted(entries))
        lines.append(f'"{name}": {{' + (f"\n{rows}\n" if rows else "") + "}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
