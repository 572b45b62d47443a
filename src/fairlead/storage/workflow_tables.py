"""The tables of durable runs of workflows. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, text

from fairlead.storage.columns import Text, metadata, required

# What runs are walked by: canonical JSON, under its own digest, so that a run goes on with the text that it began with.
workflow_definition = Table(
    "workflow_definition",
    metadata,
    Column("digest", Text, primary_key=True),
    required("name", Text),
    required("made_at", BigInteger),
    required("body", LargeBinary),
)

# `once` is a digest of what the client calls its start, or the run's own id. `status` is one of `workflow_rows`;
# `segment` counts how often the run was taken up after waiting, and `owner` is the worker that walks it: whoever is not
# the owner any more records nothing. `until` is when a waiting run goes on by itself (0: never), `error` what it failed
# of: codes and places, no words of the payload. `sealed` has the run's own key, its caller and its input, `result` what
# came of it; both are gone with the subject. Of those to be taken up, the one with the lowest `turn` comes first.
# `deaths` counts the workers in a row that died while they walked it and had it do no step, the last one at `died_at`.
# `not_undone` has the places of what could be undone and was not, after an end or before it was given up.
workflow_run = Table(
    "workflow_run",
    metadata,
    Column("id", Text, primary_key=True),
    required("once", Text, unique=True),
    required("workflow", Text),
    Column("definition", Text, ForeignKey("workflow_definition.digest"), nullable=False),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("tenant", Text),
    required("department", Text),
    required("parent", Text),
    required("status", Text),
    required("owner", Text),
    required("segment", BigInteger),
    required("priority", BigInteger),
    required("made_at", BigInteger),
    required("started_at", BigInteger),
    required("ended_at", BigInteger),
    required("until", BigInteger),
    required("error", Text),
    required("sealed", LargeBinary),
    required("result", LargeBinary),
    Column("turn", BigInteger, nullable=False, server_default=text("0")),
    Column("deaths", BigInteger, nullable=False, server_default=text("0")),
    Column("died_at", BigInteger, nullable=False, server_default=text("0")),
    Column("not_undone", Text, nullable=False, server_default=text("''")),
)
Index(None, workflow_run.c.subject, workflow_run.c.made_at)
Index(None, workflow_run.c.status, workflow_run.c.until)
Index(None, workflow_run.c.status, workflow_run.c.turn)
Index(None, workflow_run.c.made_at)

# What a run has done, a row for each place, written once and never changed: what stands here is not done again.
# `action` is the governed action that did it, `cost` in nano-units, `sealed` opens with the run's key.
workflow_step = Table(
    "workflow_step",
    metadata,
    Column("run", Text, ForeignKey("workflow_run.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Text, primary_key=True),
    required("at", BigInteger),
    required("action", Text),
    required("status", Text),
    required("cost", BigInteger),
    required("size", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)

# What runs wait for, a row for each place. `what` is the id of an approval, a signal's name or the role of whoever is
# to answer; `sealed` is what they are asked, and opens with the run's key.
workflow_wait = Table(
    "workflow_wait",
    metadata,
    Column("run", Text, ForeignKey("workflow_run.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Text, primary_key=True),
    required("kind", Text),
    required("what", Text),
    required("asked_at", BigInteger),
    required("until", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, workflow_wait.c.kind, workflow_wait.c.what)

# Up to when a schedule's moments were begun or passed over, the last one that was begun, its run, and why it was not.
workflow_schedule = Table(
    "workflow_schedule",
    metadata,
    Column("workflow", Text, primary_key=True),
    Column("schedule", Text, primary_key=True),
    required("seen_at", BigInteger),
    required("moment", BigInteger),
    required("run", Text),
    required("error", Text),
    sqlite_with_rowid=False,
)
