"""Whether a page was changed after it was verified, as the versions that were published tell.

Whoever verified a page stood up for the text that was first published with their word. A later version with the same
word (`verified`) that says something else has nobody's. How a text is written, the order of its passages and the name
of its file change nothing. It is a fact of the version: what is published later does not alter it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from fairlead.context.kinds import CONTRADICTS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_AT_ONCE: Final = 200
_RENAMED: Final = 0.5  # of the sections of a page: so many go on from one that is gone

Version = tuple[str, str]
_Word = tuple[str, str]  # when a page was verified, and by whom


class Verified(Protocol):
    """What is known of a page's age. Days are ISO days, "" for none: on which somebody `verified` it, on which its
    source says that it `changed`, and on which a version with the same word said something else (`edited`)."""

    @property
    def verified(self) -> str: ...
    @property
    def changed(self) -> str: ...
    @property
    def edited(self) -> str: ...


def changed_after(page: Verified) -> str:
    """The day on which a page was changed after somebody verified it, "" where it was not, or nobody did."""
    if not page.verified:
        return ""
    return page.changed if page.changed > page.verified else page.edited


class _Told(Struct):
    """A version that somebody verified. `order` is when it was stored among all, `sections` are their identities, and
    `says` is what they come to, with what stands in the front matter for the kind of page."""

    item: str
    word: _Word
    stored_at: int
    front: str
    order: int = 0
    sections: list[str] = []
    says: list[str] = []


def edited(connection: "Connection", rows: "Iterable[Row[Any]]") -> dict[str, str]:
    """Of the pages of a snapshot (`rows`: theirs in context_item) those that were changed after they were verified,
    with the day on which a version that says what is in force was first stored."""
    mine = {row.id: row for row in rows}
    verified = [row for row in mine.values() if row.verified]
    others = _others(connection, verified, mine) if verified else []
    if not others:
        return {}
    names, gone = {row.id for row in others}, {_word(row) for row in others if row.id not in mine}
    own = [row for row in verified if row.id in names or _word(row) in gone]
    told = _told(connection, [*own, *others])
    lines: dict[tuple[str, _Word], list[_Told]] = defaultdict(list)
    before: dict[_Word, list[_Told]] = defaultdict(list)
    for each in sorted(told.values(), key=lambda each: each.order):
        lines[each.item, each.word].append(each)
        if each.item not in mine:
            before[each.word].append(each)
    found = {}
    for row in own:
        here = told.get((row.id, row.version))
        if here is not None:
            line = lines[row.id, here.word]
            day = _edited_on(here, _renamed(line[0], before[here.word]) or line[0], line)
            found.update({row.id: day} if day else {})
    return found


def _edited_on(here: _Told, first: _Told, line: Sequence[_Told]) -> str:
    if _saying(here) == _saying(first):
        return ""
    alike = next(each for each in line if _saying(each) == _saying(here))
    at = alike.stored_at
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat() if at else here.word[0]


def _saying(told: _Told) -> tuple[str, list[str]]:
    """What it says, however it is cut into sections, and in whatever order."""
    return told.front, sorted(" ".join(told.says).replace(" .", ".").split())


def _renamed(first: _Told, before: Iterable[_Told]) -> _Told | None:
    """The first version of the page that this one is under another name: most of its sections go on from there."""
    for each in before:
        if each.order < first.order and first.sections:
            shared = sum((Counter(each.sections) & Counter(first.sections)).values())
            if shared >= _RENAMED * len(first.sections):
                return each
    return None


def _word(row: "Row[Any]") -> _Word:
    return row.verified, row.verified_by


def _others(
    connection: "Connection", verified: "Sequence[Row[Any]]", mine: "Mapping[str, Row[Any]]"
) -> "list[Row[Any]]":
    """Versions beside those in force that somebody verified with the same word: of the same pages, and of such as are
    not there any more."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_item as table

    words, pages = {_word(row) for row in verified}, {(row.id, *_word(row)) for row in verified}
    columns = (table.c.id, table.c.version, table.c.verified, table.c.verified_by, table.c.kind, table.c.fields)
    query = select(*columns, table.c.stored_at).where(table.c.verified != "")
    return [
        row
        for row in _rows(connection, query)
        if ((row.id, *_word(row)) in pages and mine[row.id].version != row.version)
        or (row.id not in mine and _word(row) in words)
    ]


def _rows(connection: "Connection", query: Any) -> "Sequence[Row[Any]]":
    return connection.execute(query).all()


def _told(connection: "Connection", rows: "Sequence[Row[Any]]") -> dict[Version, _Told]:
    """Each version with what its sections say, but for those that were stored before that was noted."""
    from sqlalchemy import select, tuple_

    from fairlead.storage.context_tables import context_section

    found = {(row.id, row.version): _Told(row.id, _word(row), row.stored_at, _front(row)) for row in rows}
    section, wanted = context_section.c, sorted(found)
    columns = (section.item, section.version, section.rowid, section.identity, section.meaning)
    for start in range(0, len(wanted), _AT_ONCE):
        some = tuple_(section.item, section.version).in_(wanted[start : start + _AT_ONCE])
        for row in connection.execute(select(*columns).where(some).order_by(section.rowid)):
            told = found[row.item, row.version]
            told.order = told.order or row.rowid
            told.sections.append(row.identity)
            told.says.append(row.meaning)
    return {key: each for key, each in found.items() if each.sections and all(each.sections)}


def _front(row: "Row[Any]") -> str:
    """What the front matter says in the page's own matter. Whether pages contradict each other is said of them."""
    if row.fields == "{}":
        return str(row.kind)
    fields = msgspec.json.decode(row.fields, type=dict[str, list[str]])
    return str(row.kind) + repr(sorted((name, said) for name, said in fields.items() if name != CONTRADICTS))
