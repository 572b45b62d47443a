"""How well runs were done."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "outcome",
        *_text("run", "by", "subject", "entry"),
        *_numbers("at"),
        *_text("source", "task", "model"),
        *_numbers("score", "weight", "propensity"),
        *_text("digest"),
        sa.PrimaryKeyConstraint("run", "by", name="pk_outcome"),
        sa.ForeignKeyConstraint(["subject"], ["subject.id"], name="fk_outcome_subject_subject", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_outcome_at", "outcome", ["at"])
    op.create_index("ix_outcome_subject", "outcome", ["subject"])
    op.create_table(
        "outcome_mark",
        *_text("id"),
        *_numbers("seq"),
        sa.PrimaryKeyConstraint("id", name="pk_outcome_mark"),
        sqlite_with_rowid=False,
    )
