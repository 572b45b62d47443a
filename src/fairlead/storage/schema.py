"""Every table of the state database, once, for SQLite and PostgreSQL alike.

`hold`, `log`, `payload`, `budget` and `tree` are written by the journal alone; everyone else reads them. Money is in
nano-units, time in milliseconds since 1970. A change here needs a migration beside it: a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)

from fairlead.storage import people_tables
from fairlead.storage.columns import RowNumber, Text, required

metadata = people_tables.metadata  # of all tables, the parts' too

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

# What is held and spent of each budget in each period. The cap is in the workspace, not here.
budget = Table(
    "budget",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    required("held", BigInteger),
    required("spent", BigInteger),
    required("warned", Boolean),
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

# Conversations that go on under a name. `head` is the last turn, "" before the first; `sealed` says what it is about.
session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("head", Text),
    required("made_at", BigInteger),
    required("used_at", BigInteger),
    required("sealed", LargeBinary),
)
Index(None, session.c.subject)
Index(None, session.c.used_at)

# What was said in them, a row for each answer, with the one before it. Gone with the subject whose key opens it.
session_turn = Table(
    "session_turn",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("session", Text),
    required("previous", Text),
    required("made_at", BigInteger),
    required("used_at", BigInteger),
    required("size", BigInteger),
    required("sealed", LargeBinary),
    # -1 where it was not noted yet: then it counts as the class that is kept for the shortest time.
    Column("data_class", Integer, nullable=False, server_default=text("-1")),
)
Index(None, session_turn.c.subject)
Index(None, session_turn.c.session)
Index(None, session_turn.c.used_at)

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

# What search finds: the items' sections. `access` is JSON, equal for items that are decided together.
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
    ForeignKeyConstraint(["item", "version"], ["context_item.id", "context_item.version"]),
)
Index(None, context_section.c.item, context_section.c.version)

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

# Calls of tools that a person must approve first, once each. `policies` and `wanted` are JSON: the policies that ask,
# and how many must agree by role. `sealed` is the question itself, gone with the subject whose call it is.
approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("agent", Text),
    required("tool", Text),
    required("digest", Text),
    required("revision", Text),
    required("policies", Text),
    required("wanted", Text),
    required("state", Text),
    required("asked_at", BigInteger),
    required("expires_at", BigInteger),
    required("ended_at", BigInteger),
    required("sealed", LargeBinary),
)
Index(None, approval.c.subject, approval.c.digest)
Index(None, approval.c.state)

# What people said to it: each once. `sealed` is the reason, gone with whoever gave it.
approval_answer = Table(
    "approval_answer",
    metadata,
    Column("approval", Text, ForeignKey("approval.id", ondelete="CASCADE"), primary_key=True),
    Column("approver", Text, ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True),
    required("roles", Text),
    required("allowed", Boolean),
    required("at", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, approval_answer.c.approver)

# People who are signed in with a browser. `digest` is of the cookie, `attempt` of the sign-in that made it: each makes
# one. `sealed` is what the provider said of the person, and its refresh token; gone with the subject.
browser_session = Table(
    "browser_session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    required("attempt", LargeBinary, unique=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("issuer", Text),
    required("started_at", BigInteger),
    required("seen_at", BigInteger),
    required("asked_at", BigInteger),
    required("expires_at", BigInteger),
    required("ended_at", BigInteger),
    required("sealed", LargeBinary),
)
Index(None, browser_session.c.subject)

# What agents were told and have read, so that it is known where the arguments of their calls come from. `flow` is a
# digest of whose it is and of its name; `sealed` is gone with the subject whose run it is.
flow_step = Table(
    "flow_step",
    metadata,
    Column("id", Text, primary_key=True),
    required("flow", Text),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("at", BigInteger),
    required("size", BigInteger),
    required("sealed", LargeBinary),
)
Index(None, flow_step.c.flow)
Index(None, flow_step.c.subject)

# What people have connected with accounts of their own. `authority` is a digest of whom its tokens may be shown to,
# `agents` and `scopes` are JSON. `lease` is whoever renews it just now, "" for nobody; `unsure` says that the server
# may have given tokens that were never stored. `sealed` are the tokens, gone with the subject whose they are.
system_grant = Table(
    "system_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("system", Text),
    required("authority", Text),
    required("agents", Text),
    required("scopes", Text),
    required("state", Text),
    required("reason", Text),
    required("made_at", BigInteger),
    required("ended_at", BigInteger),
    required("expires_at", BigInteger),
    required("renews", Boolean),
    required("lease", Text),
    required("unsure", Boolean),
    required("version", BigInteger),
    required("sealed", LargeBinary),
    UniqueConstraint("subject", "tenant", "system"),
)

# Consents that are under way in a browser. `state` and `session` are digests; `sealed` is what finishing one needs.
consent = Table(
    "consent",
    metadata,
    Column("state", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("session", Text),
    required("system", Text),
    required("expires_at", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, consent.c.subject)
