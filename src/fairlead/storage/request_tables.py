"""What owners of knowledge are asked for, and edits that somebody proposes. A part of `schema`, which says what holds
for all of them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table

from fairlead.storage.columns import Text, metadata, required

# One row for each need, however often it is felt. `id` follows from what is needed. Nobody's words or names stand here
# but the workspace's own. `told_at`, `escalated_at` and `ended_at` are 0 for never; `due` is how long the owner has.
owner_request = Table(
    "owner_request",
    metadata,
    Column("id", Text, primary_key=True),
    required("kind", Text),
    required("need", Text),
    required("item", Text),
    required("section", Text),
    required("task", Text),
    required("cause", Text),
    required("owner", Text),
    required("words", Text),
    required("state", Text),
    required("times", BigInteger),
    required("weight", BigInteger),
    required("due", BigInteger),
    required("asked_at", BigInteger),
    required("last_at", BigInteger),
    required("due_at", BigInteger),
    required("told_at", BigInteger),
    required("escalated_at", BigInteger),
    required("ended_at", BigInteger),
    sqlite_with_rowid=False,
)
Index(None, owner_request.c.state, owner_request.c.owner)

# When pages were last looked over for what owners must see to, and under which snapshot of them.
upkeep_round = Table(
    "upkeep_round",
    metadata,
    Column("what", Text, primary_key=True),
    required("at", BigInteger),
    required("snapshot", Text),
    sqlite_with_rowid=False,
)

# What somebody would have a page say. `version` is the one that they read; `sealed` is their text and their reason,
# gone with them.
context_edit = Table(
    "context_edit",
    metadata,
    Column("request", Text, ForeignKey("owner_request.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("item", Text),
    required("version", Text),
    required("made_at", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, context_edit.c.subject)
