"""What versions of pages say, for looking back, for SQLite and PostgreSQL. Each function works within the caller's
transaction.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from fairlead.storage.context_tables import context_item, context_member, context_section


def text_of(connection: Connection, item: str, version: str) -> tuple[str, str] | None:
    """The text of a version, and the day that it expires ("" for never); None where there is no such version."""
    c = context_item.c
    row = connection.execute(select(c.text, c.expires).where(c.id == item, c.version == version)).first()
    return None if row is None else (str(row.text), str(row.expires))


def section_of(connection: Connection, item: str, version: str, identity: str) -> str:
    """The text of a section of a version, "" where it has none of this identity."""
    c = context_section.c
    query = select(c.text).where(c.item == item, c.version == version, c.identity == identity)
    return str(connection.execute(query).scalar() or "")


def held(connection: Connection, snapshot: str, items: Sequence[str]) -> tuple[str, str] | None:
    """The first of these items that a snapshot holds, with its version; None where it holds none."""
    c = context_member.c
    rows = connection.execute(select(c.item, c.version).where(c.snapshot == snapshot, c.item.in_(items))).all()
    known = {each.item: each.version for each in rows}
    return next(((each, known[each]) for each in items if each in known), None)
