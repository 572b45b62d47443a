"""The tables by which a deployment stays true to what it has promised: what must not come back, what must not go, what
others keep of it. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Column, Table, UniqueConstraint

from fairlead.storage.columns import RowNumber, Text, metadata, required

# What must never come to life again, not by a restored backup either: erased subjects and revoked keys, numbered
# without a gap. `seq` is the size of the log at that time; `done_at` is 0 until all that belonged to it was deleted.
tombstone = Table(
    "tombstone",
    metadata,
    Column("n", RowNumber, primary_key=True, autoincrement=False),
    required("kind", Text),
    required("what", Text),
    required("at", BigInteger),
    required("seq", BigInteger),
    required("done_at", BigInteger),
    UniqueConstraint("kind", "what"),
)

# What must not be erased for now. `subject` is whose data it is.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    required("subject", Text),
    required("at", BigInteger),
    required("placed_by", Text),
    required("reason", Text),
    sqlite_with_rowid=False,
)

# Statements in which a signing key names the one that follows it. `size` is that of the log at that time.
succession = Table(
    "succession",
    metadata,
    Column("size", RowNumber, primary_key=True, autoincrement=False),
    required("at", BigInteger),
    required("note", Text),
)

# How far each anchor has got: the largest checkpoint and the last tombstone it has, and why the last try failed.
anchored = Table(
    "anchored",
    metadata,
    Column("name", Text, primary_key=True),
    required("size", BigInteger),
    required("tombstones", BigInteger),
    required("done_at", BigInteger),
    required("tried_at", BigInteger),
    required("failure", Text),
    sqlite_with_rowid=False,
)

# Up to which record a rule of retention has been carried out.
retention_mark = Table(
    "retention_mark",
    metadata,
    Column("rule", Text, primary_key=True),
    required("seq", BigInteger),
    sqlite_with_rowid=False,
)

# Backups that were made of this database: `place` as its maker named it, `digest` that of the manifest.
backup = Table(
    "backup",
    metadata,
    Column("id", Text, primary_key=True),
    required("at", BigInteger),
    required("place", Text),
    required("size", BigInteger),
    required("root", Text),
    required("digest", Text),
    sqlite_with_rowid=False,
)
