"""The tables of outcomes: how well runs were done. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from fairlead.storage.columns import Text, metadata, required

# An index of what the log says, one row for each run and whoever judged it: `by` is the subject id of a person, or what
# of Fairlead has seen it ("judge/RULE", "retry"). `entry` is the run of the record that proves it. Gone with the
# subject whose run it was. `score` in 1/10000, `weight` in 1/1000, `propensity` in 1/1000000 (0: not known), `digest`
# keyed and of the reply's text, "" where that was not kept.
outcome = Table(
    "outcome",
    metadata,
    Column("run", Text, primary_key=True),
    Column("by", Text, primary_key=True),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("entry", Text),
    required("at", BigInteger),
    required("source", Text),
    required("task", Text),
    required("model", Text),
    required("score", BigInteger),
    required("weight", BigInteger),
    required("propensity", BigInteger),
    required("digest", Text),
    sqlite_with_rowid=False,
)
Index(None, outcome.c.at)
Index(None, outcome.c.subject)

# How far the log was read for outcomes: one row.
outcome_mark = Table(
    "outcome_mark",
    metadata,
    Column("id", Text, primary_key=True),
    required("seq", BigInteger),
    sqlite_with_rowid=False,
)
