"""The tables of organisational knowledge. A part of `schema`, which says what holds for all of them."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
    true,
)

from fairlead.storage.columns import RowNumber, Text, metadata, required


def _text(name: str, otherwise: str = "") -> Column[Any]:
    """A column that older rows have the same value in."""
    return Column(name, Text, nullable=False, server_default=text(f"'{otherwise}'"))


# Organisational knowledge: every version of every item that a snapshot holds.
context_item = Table(
    "context_item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    required("title", Text),
    required("text", Text),
    required("owner", Text),
    required("audience", Text),
    required("data_class", Integer),
    required("verified", Text),
    required("verified_by", Text),
    required("review_by", Text),
    _text("kind", "page"),
    _text("topics", "[]"),  # JSON
    _text("expires"),
    Column("trusted", Boolean, nullable=False, server_default=true()),
    _text("source"),
    _text("origin"),
    _text("changed"),
    _text("fields", "{}"),  # JSON
    Column("stored_at", BigInteger, nullable=False, server_default=text("0")),
)

context_snapshot = Table(
    "context_snapshot",
    metadata,
    Column("id", Text, primary_key=True),
    required("created_at", BigInteger),
)

context_member = Table(
    "context_member",
    metadata,
    Column("snapshot", Text, ForeignKey("context_snapshot.id"), primary_key=True),
    Column("item", Text, primary_key=True),
    Column("version", Text, nullable=False),
    ForeignKeyConstraint(["item", "version"], ["context_item.id", "context_item.version"]),
    sqlite_with_rowid=False,
)

# What search finds: the items' sections. `access` is JSON, equal for items that are decided together. `identity` is the
# same for a section in all versions of its item, wherever that moves; `meaning` is a hash of what it says. Both are ""
# in sections that were stored before there were such columns, until the next publish.
context_section = Table(
    "context_section",
    metadata,
    Column("rowid", RowNumber, primary_key=True, autoincrement=True),
    required("item", Text),
    required("version", Text),
    required("ordinal", Integer),
    required("heading", Text),
    required("text", Text),
    required("access", Text),
    _text("identity"),
    _text("meaning"),
    ForeignKeyConstraint(["item", "version"], ["context_item.id", "context_item.version"]),
)
Index(None, context_section.c.item, context_section.c.version)

# Work that goes on with the snapshot it began under. `id` is a digest: see `costs.work`.
context_pin = Table(
    "context_pin",
    metadata,
    Column("id", Text, primary_key=True),
    required("snapshot", Text),
    required("revision", Text),
    required("pinned_at", BigInteger),
    required("used_at", BigInteger),
)
Index(None, context_pin.c.used_at)

# What texts mean to a model for embeddings: a vector of floats of four bytes, lowest first, under the SHA-256 of what
# was embedded. Of whatever page or version: what says the same is embedded once.
context_vector = Table(
    "context_vector",
    metadata,
    Column("model", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    required("vector", LargeBinary),
    sqlite_with_rowid=False,
)

# Which of them a section has. `made` grows with each write of a model's vectors: what there was at a moment is all up
# to a number.
context_embedded = Table(
    "context_embedded",
    metadata,
    Column("section", BigInteger, ForeignKey("context_section.rowid"), primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("made", BigInteger, nullable=False, server_default=text("0")),
    ForeignKeyConstraint(["model", "text"], ["context_vector.model", "context_vector.text"]),
    Index("ix_context_embedded_model_made", "model", "made"),
    sqlite_with_rowid=False,
)
