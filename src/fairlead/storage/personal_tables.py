"""The tables of what is kept for persons, sealed under their keys and gone with them. A part of `schema`, which says
what holds for all of them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
    true,
)

from fairlead.storage.columns import Text, metadata, required

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
    Column("used_by", Text, nullable=False, server_default=text("''")),
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

# Whose calls a question is about that several ask together. They do not answer it; they go with their persons.
approval_asker = Table(
    "approval_asker",
    metadata,
    Column("approval", Text, ForeignKey("approval.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True),
    required("at", BigInteger),
    sqlite_with_rowid=False,
)
Index(None, approval_asker.c.subject)

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

# What is remembered for later runs: one row for each key of a scope. `id` is a digest of scope and key, `place` one of
# the scope alone: who was not told what is kept there cannot see it from these. `kind` is "run", "session", "person" or
# "team", `subject` whoever wrote it last, `once` a digest of the effect that did. `sealed` is gone with them.
memory = Table(
    "memory",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("kind", Text),
    required("place", Text),
    required("version", BigInteger),
    required("made_at", BigInteger),
    required("used_at", BigInteger),
    required("expires_at", BigInteger),
    required("once", Text),
    required("sealed", LargeBinary),
)
Index(None, memory.c.place)
Index(None, memory.c.subject)
Index(None, memory.c.expires_at)
Index(None, memory.c.made_at)

# What people gave in a model's place, or in place of what it gave: one row for each answer, told with what was asked.
# `subject` is whose run it was and `by` who answered: gone with either, since `sealed` opens with the keys of both.
# `run` and `place` are a workflow's, `action` the governed action that came before it. `reason` and `code` say why it
# came to a person. `data_class` is the highest of all that was asked and answered. `accepted` is false once a check has
# refused the answer.
example = Table(
    "example",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    Column("by", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("department", Text),
    required("source", Text),
    required("task", Text),
    required("workflow", Text),
    required("run", Text),
    required("place", Text),
    required("action", Text),
    required("reason", Text),
    required("code", Text),
    required("revision", Text),
    required("snapshot", Text),
    required("data_class", Integer),
    required("at", BigInteger),
    required("sealed", LargeBinary),
    Column("accepted", Boolean, nullable=False, server_default=true()),
)
Index(None, example.c.subject)
Index(None, example.c.by)
Index(None, example.c.at)
