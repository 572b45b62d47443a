"""Every table of the state database, once, for SQLite and PostgreSQL alike.

`hold`, `log`, `payload`, `budget` and `tree` are written by the journal alone; everyone else reads them. Money is in
nano-units, time in milliseconds since 1970. A change needs a migration beside it: a test compares the two.

What stands here is the deployment's own: its journal, its keys, its workspace and who serves it. Each of the parts is
about one subject.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from fairlead.storage import (
    columns,
    context_tables,
    custody_tables,
    outcome_tables,
    people_tables,
    personal_tables,
    release_tables,
    request_tables,
    routing_tables,
    workflow_tables,
)
from fairlead.storage.columns import RowNumber, Text, required


def _none_yet(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


PARTS = (
    context_tables,
    custody_tables,
    outcome_tables,
    people_tables,
    personal_tables,
    request_tables,
    release_tables,
    routing_tables,
    workflow_tables,
)
metadata = columns.metadata  # of all tables, the parts' too

# Only open holds: settling one deletes it. `limits` is the msgpack of a tuple[ScopeLimit].
hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    required("worker", Text),
    required("opened_at", BigInteger),
    required("amount", BigInteger),
    required("limits", LargeBinary),
    required("intent", LargeBinary),
    sqlite_with_rowid=False,
)

# Append-only. `seq` is the leaf's index in the audit tree and starts at 0; `record` is the leaf.
log = Table(
    "log",
    metadata,
    Column("seq", RowNumber, primary_key=True, autoincrement=False),
    required("run", Text),
    required("at", BigInteger),
    required("record", LargeBinary),
    required("spans", LargeBinary),
)
# Runs are ULIDs, so entries are added at the index's right edge; measured at about 1 µs a row.
Index(None, log.c.run)

# What a log entry's payload says, readable only while its subject's key exists.
payload = Table(
    "payload",
    metadata,
    Column("seq", RowNumber, primary_key=True, autoincrement=False),
    required("subject", Text),
    required("ciphertext", LargeBinary),
)

# What is held and spent of each budget in each period. The cap is in the workspace, not here; `extra` is what was
# allotted, moved, raised and carried over beside it. `passed`, `told` and `alerted` are the largest shares of it that
# spending has reached, that a reply told of and that an alarm told of. `closed_at`: when what was left went on to the
# next period, 0 for not yet.
budget = Table(
    "budget",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    required("held", BigInteger),
    required("spent", BigInteger),
    _none_yet("extra"),
    _none_yet("passed"),
    _none_yet("told"),
    _none_yet("alerted"),
    _none_yet("closed_at"),
    sqlite_with_rowid=False,
)
# Only those of which somebody is still to be alarmed: looked for every few seconds.
_unalarmed = budget.c.passed > budget.c.alerted
Index(None, budget.c.passed, sqlite_where=_unalarmed, postgresql_where=_unalarmed)

# What was allotted, moved, raised and carried over: the history of `budget.extra`. "" stands for no budget: what is
# allotted comes from nowhere. The id is given by who asks, or made; each is done once.
budget_move = Table(
    "budget_move",
    metadata,
    Column("id", Text, primary_key=True),
    required("at", BigInteger),
    required("kind", Text),
    *(required(name, Text) for name in ("source", "source_period", "target", "target_period")),
    required("amount", BigInteger),
    required("by", Text),
    required("reason", Text),
    sqlite_with_rowid=False,
)

# The head of the audit tree: one row. `peaks` is what `audit.merkle.Frontier` packs.
tree = Table(
    "tree",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    required("size", BigInteger),
    required("peaks", LargeBinary),
)

# Signed heads that were given out.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", RowNumber, primary_key=True, autoincrement=False),
    required("at", BigInteger),
    required("note", Text),
)

# Whose payloads: one key each. `lookup` is a keyed hash of the person's name, so that the table alone tells no names.
subject = Table(
    "subject",
    metadata,
    Column("id", Text, primary_key=True),
    required("lookup", LargeBinary, unique=True),
    required("wrapped_key", LargeBinary),
    required("sealed_name", LargeBinary),
    required("created_at", BigInteger),
)

# Keys that sign checkpoints; `verifier` is the public half in the note format.
signing_key = Table(
    "signing_key",
    metadata,
    Column("name", Text, primary_key=True),
    required("wrapped", LargeBinary),
    required("verifier", Text),
    required("created_at", BigInteger),
)

# Fairlead's own keys for callers. Only a digest is kept. `groups` and `roles` are JSON lists; 0 means never.
api_key = Table(
    "api_key",
    metadata,
    Column("name", Text, primary_key=True),
    required("digest", LargeBinary, unique=True),
    required("person", Text),
    required("agent", Text),
    required("department", Text),
    required("groups", Text),
    required("roles", Text),
    required("created_at", BigInteger),
    required("expires_at", BigInteger),
    required("revoked_at", BigInteger),
    required("created_by", Text),
    Column("bound_to", Text, nullable=False, server_default=text("''")),
)

# Published workspaces. `manifest` names each file and its digest.
revision = Table(
    "revision",
    metadata,
    Column("id", Text, primary_key=True),
    required("published_at", BigInteger),
    required("published_by", Text),
    required("manifest", LargeBinary),
)

# The files of all revisions, each content once.
workspace_file = Table(
    "workspace_file",
    metadata,
    Column("digest", Text, primary_key=True),
    required("content", LargeBinary),
)

# What all workers must have seen: one row. Each publish, revocation and erasure adds one to `number`.
epoch = Table(
    "epoch",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    required("number", BigInteger),
    required("revision", Text),
)

# Serving processes. Whether one lives is told by its lock, whether it decides by its lease (`renewals` grows).
worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    required("host", Text),
    required("pid", Integer),
    required("started_at", BigInteger),
    required("seen_epoch", BigInteger),
    required("renewals", BigInteger),
    required("lease_until", BigInteger),
)

# What is stopped for now, by a person or by a control. `until` 0: until it is resumed.
stop = Table(
    "stop",
    metadata,
    Column("id", Text, primary_key=True),
    required("kind", Text),
    required("name", Text),
    required("reason", Text),
    required("placed_by", Text),
    required("at", BigInteger),
    required("until", BigInteger),
    required("ends", Boolean),
    required("control", Text),
    UniqueConstraint("kind", "name", "control"),
    sqlite_with_rowid=False,
)

# How far controls have read the log (the row without an id), and what each has counted, as msgpack.
control_state = Table(
    "control_state",
    metadata,
    Column("id", Text, primary_key=True),
    required("seq", BigInteger),
    required("time", BigInteger),
    required("state", LargeBinary),
    sqlite_with_rowid=False,
)

# Alarms that were not delivered yet. `next_at` 0: it is not tried any more.
alarm = Table(
    "alarm",
    metadata,
    Column("id", Text, primary_key=True),
    required("endpoint", Text),
    required("body", LargeBinary),
    required("made_at", BigInteger),
    required("tries", BigInteger),
    required("next_at", BigInteger),
    required("failure", Text),
    Column("control", Text, nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)
