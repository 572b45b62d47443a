"""Every table of the state database, once, for SQLite and PostgreSQL alike.

`hold`, `log`, `payload`, `budget` and `tree` are written by the journal alone; everyone else reads them. Money is in
nano-units, time in milliseconds since 1970. A change here needs a migration beside it: a test compares the two.
"""

from typing import Any

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
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite makes a column the row's own key only if its type is spelled INTEGER; its integers have 64 bits anyway.
_RowNumber = BigInteger().with_variant(Integer(), "sqlite")
# Compared byte by byte everywhere, whatever language a PostgreSQL server was set up in.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")


def _required(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any], *, unique: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=False, unique=unique)


# Only open holds: settling one deletes it. `limits` is the msgpack of a tuple[ScopeLimit].
hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    _required("worker", Text),
    _required("opened_at", BigInteger),
    _required("amount", BigInteger),
    _required("limits", LargeBinary),
    _required("intent", LargeBinary),
    sqlite_with_rowid=False,
)

# Append-only. `seq` is the leaf's index in the audit tree and starts at 0; `record` is the leaf.
log = Table(
    "log",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=False),
    _required("run", Text),
    _required("at", BigInteger),
    _required("record", LargeBinary),
    _required("spans", LargeBinary),
)
# Runs are ULIDs, so entries are added at the index's right edge; measured at about 1 µs a row.
Index(None, log.c.run)

# What a log entry's payload says, readable only while its subject's key exists.
payload = Table(
    "payload",
    metadata,
    Column("seq", _RowNumber, primary_key=True, autoincrement=False),
    _required("subject", Text),
    _required("ciphertext", LargeBinary),
)

# What is held and spent of each budget in each period. The cap is in the workspace, not here.
budget = Table(
    "budget",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    _required("held", BigInteger),
    _required("spent", BigInteger),
    _required("warned", Boolean),
    sqlite_with_rowid=False,
)

# The head of the audit tree: one row. `peaks` is what `audit.merkle.Frontier` packs.
tree = Table(
    "tree",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    _required("size", BigInteger),
    _required("peaks", LargeBinary),
)

# Signed heads that were given out.
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", _RowNumber, primary_key=True, autoincrement=False),
    _required("at", BigInteger),
    _required("note", Text),
)

# Whose payloads: one key each. `lookup` is a keyed hash of the person's name, so that the table alone tells no names.
subject = Table(
    "subject",
    metadata,
    Column("id", Text, primary_key=True),
    _required("lookup", LargeBinary, unique=True),
    _required("wrapped_key", LargeBinary),
    _required("sealed_name", LargeBinary),
    _required("created_at", BigInteger),
)

# Keys that sign checkpoints; `verifier` is the public half in the note format.
signing_key = Table(
    "signing_key",
    metadata,
    Column("name", Text, primary_key=True),
    _required("wrapped", LargeBinary),
    _required("verifier", Text),
    _required("created_at", BigInteger),
)

# Fairlead's own keys for callers. Only a digest is kept. `groups` and `roles` are JSON lists; 0 means never.
api_key = Table(
    "api_key",
    metadata,
    Column("name", Text, primary_key=True),
    _required("digest", LargeBinary, unique=True),
    _required("person", Text),
    _required("agent", Text),
    _required("department", Text),
    _required("groups", Text),
    _required("roles", Text),
    _required("created_at", BigInteger),
    _required("expires_at", BigInteger),
    _required("revoked_at", BigInteger),
    _required("created_by", Text),
    Column("bound_to", Text, nullable=False, server_default=text("''")),
)

# Published workspaces. `manifest` names each file and its digest.
revision = Table(
    "revision",
    metadata,
    Column("id", Text, primary_key=True),
    _required("published_at", BigInteger),
    _required("published_by", Text),
    _required("manifest", LargeBinary),
)

# The files of all revisions, each content once.
workspace_file = Table(
    "workspace_file",
    metadata,
    Column("digest", Text, primary_key=True),
    _required("content", LargeBinary),
)

# Conversations that go on under a name. `head` is the last turn, "" before the first; `sealed` says what it is about.
session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("tenant", Text),
    _required("head", Text),
    _required("made_at", BigInteger),
    _required("used_at", BigInteger),
    _required("sealed", LargeBinary),
)
Index(None, session.c.subject)
Index(None, session.c.used_at)

# What was said in them, a row for each answer, with the one before it. Gone with the subject whose key opens it.
session_turn = Table(
    "session_turn",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("tenant", Text),
    _required("session", Text),
    _required("previous", Text),
    _required("made_at", BigInteger),
    _required("used_at", BigInteger),
    _required("size", BigInteger),
    _required("sealed", LargeBinary),
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
    _required("number", BigInteger),
    _required("revision", Text),
)

# Serving processes. Whether one lives is told by its lock, whether it decides by its lease (`renewals` grows).
worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    _required("host", Text),
    _required("pid", Integer),
    _required("started_at", BigInteger),
    _required("seen_epoch", BigInteger),
    _required("renewals", BigInteger),
    _required("lease_until", BigInteger),
)

# What is stopped for now, by a person or by a control. `until` 0: until it is resumed.
stop = Table(
    "stop",
    metadata,
    Column("id", Text, primary_key=True),
    _required("kind", Text),
    _required("name", Text),
    _required("reason", Text),
    _required("placed_by", Text),
    _required("at", BigInteger),
    _required("until", BigInteger),
    _required("ends", Boolean),
    _required("control", Text),
    UniqueConstraint("kind", "name", "control"),
    sqlite_with_rowid=False,
)

# How far controls have read the log (the row without an id), and what each has counted, as msgpack.
control_state = Table(
    "control_state",
    metadata,
    Column("id", Text, primary_key=True),
    _required("seq", BigInteger),
    _required("time", BigInteger),
    _required("state", LargeBinary),
    sqlite_with_rowid=False,
)

# Alarms that were not delivered yet. `next_at` 0: it is not tried any more.
alarm = Table(
    "alarm",
    metadata,
    Column("id", Text, primary_key=True),
    _required("endpoint", Text),
    _required("body", LargeBinary),
    _required("made_at", BigInteger),
    _required("tries", BigInteger),
    _required("next_at", BigInteger),
    _required("failure", Text),
    Column("control", Text, nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)

# Organisational knowledge: every version of every item that a snapshot holds.
context_item = Table(
    "context_item",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    _required("title", Text),
    _required("text", Text),
    _required("owner", Text),
    _required("audience", Text),
    _required("data_class", Integer),
    _required("verified", Text),
    _required("verified_by", Text),
    _required("review_by", Text),
)

context_snapshot = Table(
    "context_snapshot",
    metadata,
    Column("id", Text, primary_key=True),
    _required("created_at", BigInteger),
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
    Column("rowid", _RowNumber, primary_key=True, autoincrement=True),
    _required("item", Text),
    _required("version", Text),
    _required("ordinal", Integer),
    _required("heading", Text),
    _required("text", Text),
    _required("access", Text),
    ForeignKeyConstraint(["item", "version"], ["context_item.id", "context_item.version"]),
)
Index(None, context_section.c.item, context_section.c.version)

# What must never come to life again, not by a restored backup either: erased subjects and revoked keys, numbered
# without a gap. `seq` is the size of the log at that time; `done_at` is 0 until all that belonged to it was deleted.
tombstone = Table(
    "tombstone",
    metadata,
    Column("n", _RowNumber, primary_key=True, autoincrement=False),
    _required("kind", Text),
    _required("what", Text),
    _required("at", BigInteger),
    _required("seq", BigInteger),
    _required("done_at", BigInteger),
    UniqueConstraint("kind", "what"),
)

# What must not be erased for now. `subject` is whose data it is.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    _required("subject", Text),
    _required("at", BigInteger),
    _required("placed_by", Text),
    _required("reason", Text),
    sqlite_with_rowid=False,
)

# Statements in which a signing key names the one that follows it. `size` is that of the log at that time.
succession = Table(
    "succession",
    metadata,
    Column("size", _RowNumber, primary_key=True, autoincrement=False),
    _required("at", BigInteger),
    _required("note", Text),
)

# How far each anchor has got: the largest checkpoint and the last tombstone it has, and why the last try failed.
anchored = Table(
    "anchored",
    metadata,
    Column("name", Text, primary_key=True),
    _required("size", BigInteger),
    _required("tombstones", BigInteger),
    _required("done_at", BigInteger),
    _required("tried_at", BigInteger),
    _required("failure", Text),
    sqlite_with_rowid=False,
)

# Up to which record a rule of retention has been carried out.
retention_mark = Table(
    "retention_mark",
    metadata,
    Column("rule", Text, primary_key=True),
    _required("seq", BigInteger),
    sqlite_with_rowid=False,
)

# Backups that were made of this database: `place` as its maker named it, `digest` that of the manifest.
backup = Table(
    "backup",
    metadata,
    Column("id", Text, primary_key=True),
    _required("at", BigInteger),
    _required("place", Text),
    _required("size", BigInteger),
    _required("root", Text),
    _required("digest", Text),
    sqlite_with_rowid=False,
)

# Calls of tools that a person must approve first, once each. `policies` and `wanted` are JSON: the policies that ask,
# and how many must agree by role. `sealed` is the question itself, gone with the subject whose call it is.
approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("tenant", Text),
    _required("agent", Text),
    _required("tool", Text),
    _required("digest", Text),
    _required("revision", Text),
    _required("policies", Text),
    _required("wanted", Text),
    _required("state", Text),
    _required("asked_at", BigInteger),
    _required("expires_at", BigInteger),
    _required("ended_at", BigInteger),
    _required("sealed", LargeBinary),
)
Index(None, approval.c.subject, approval.c.digest)
Index(None, approval.c.state)

# What people said to it: each once. `sealed` is the reason, gone with whoever gave it.
approval_answer = Table(
    "approval_answer",
    metadata,
    Column("approval", Text, ForeignKey("approval.id", ondelete="CASCADE"), primary_key=True),
    Column("approver", Text, ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True),
    _required("roles", Text),
    _required("allowed", Boolean),
    _required("at", BigInteger),
    _required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, approval_answer.c.approver)

# People who are signed in with a browser. `digest` is of the cookie, `attempt` of the sign-in that made it: each makes
# one. `sealed` is what the provider said of the person, and its refresh token; gone with the subject.
browser_session = Table(
    "browser_session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    _required("attempt", LargeBinary, unique=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("issuer", Text),
    _required("started_at", BigInteger),
    _required("seen_at", BigInteger),
    _required("asked_at", BigInteger),
    _required("expires_at", BigInteger),
    _required("ended_at", BigInteger),
    _required("sealed", LargeBinary),
)
Index(None, browser_session.c.subject)

# What agents were told and have read, so that it is known where the arguments of their calls come from. `flow` is a
# digest of whose it is and of its name; `sealed` is gone with the subject whose run it is.
flow_step = Table(
    "flow_step",
    metadata,
    Column("id", Text, primary_key=True),
    _required("flow", Text),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("at", BigInteger),
    _required("size", BigInteger),
    _required("sealed", LargeBinary),
)
Index(None, flow_step.c.flow)
Index(None, flow_step.c.subject)


# What identity providers push. `version` grows with every change, `reread` is the last one after which single changes
# do not tell everything; `sealed` is the key by which names are looked up, sealed for nobody.
people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    _required("version", BigInteger),
    _required("reread", BigInteger),
    _required("holder", Text),
    _required("sealed", LargeBinary),
)

# A person whom a provider has pushed. Names are kept sealed for the person; `user_name` and `external_id` are keyed
# digests, to be found by. `version` is that of the last change, of groups too.
person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    _required("provider", Text),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    _required("user_name", LargeBinary),
    _required("external_id", LargeBinary),
    _required("active", Boolean),
    _required("version", BigInteger),
    _required("made_at", BigInteger),
    _required("changed_at", BigInteger),
    _required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, person.c.provider, person.c.user_name)
Index(None, person.c.provider, person.c.external_id)
Index(None, person.c.subject)
Index(None, person.c.version)

# A group that a provider has pushed. `folded` is the name as it is compared with others.
person_group = Table(
    "person_group",
    metadata,
    Column("id", Text, primary_key=True),
    _required("provider", Text),
    _required("name", Text),
    _required("folded", Text),
    _required("external_id", Text),
    _required("version", BigInteger),
    _required("made_at", BigInteger),
    _required("changed_at", BigInteger),
    UniqueConstraint("provider", "folded"),
    sqlite_with_rowid=False,
)
Index(None, person_group.c.version)

group_member = Table(
    "group_member",
    metadata,
    Column("group", Text, ForeignKey("person_group.id", ondelete="CASCADE"), primary_key=True),
    Column("person", Text, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
Index(None, group_member.c.person)
