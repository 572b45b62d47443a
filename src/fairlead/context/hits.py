"""Sections that were found, as rows of the database come to them."""

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from fairlead.context.kinds import PAGE
from fairlead.labels import DataClass

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select


class Hit(Struct, frozen=True, kw_only=True):
    """A section that was found, with what its citation says. `score` compares within one search only."""

    item: str
    version: str
    title: str
    heading: str
    text: str
    owner: str
    verified: str
    review_by: str
    data_class: DataClass
    score: float
    kind: str = PAGE
    expires: str = ""
    trusted: bool = True
    changed: str = ""
    identity: str = ""


def hits(connection: "Connection", found: list[tuple[int, float]]) -> list[Hit]:
    """The sections with these keys in context_section, each with its score, in their order."""
    rows = {row.rowid: row for row in connection.execute(_chosen(), {"keys": [key for key, _ in found]})}
    return [_hit(rows[key], score) for key, score in found]


@cache
def _chosen() -> "Select[Any]":
    from sqlalchemy import and_, bindparam, select

    from fairlead.storage.context_tables import context_item, context_section

    item, section = context_item.c, context_section.c
    said = (item.title, item.owner, item.verified, item.review_by, item.data_class)
    more = (item.kind, item.expires, item.trusted, item.changed, section.identity)
    return (
        select(section.rowid, section.item, section.version, section.heading, section.text, *said, *more)
        .join_from(context_section, context_item, and_(section.item == item.id, section.version == item.version))
        .where(section.rowid.in_(bindparam("keys", expanding=True)))
    )


def _hit(row: "Row[Any]", score: float) -> Hit:
    return Hit(
        item=row.item,
        version=row.version,
        title=row.title,
        heading=row.heading,
        text=row.text,
        owner=row.owner,
        verified=row.verified,
        review_by=row.review_by,
        data_class=DataClass(row.data_class),
        score=score,
        kind=row.kind,
        expires=row.expires,
        trusted=row.trusted,
        changed=row.changed,
        identity=row.identity,
    )
