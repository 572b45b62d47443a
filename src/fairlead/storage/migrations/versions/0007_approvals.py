"""Calls that a person must approve first, and what people said to them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{parent}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "approval",
        *_text("id", "subject", "tenant", "agent", "tool", "digest", "revision", "policies", "wanted", "state"),
        *_numbers("asked_at", "expires_at", "ended_at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
        _of("approval", "subject", "subject"),
    )
    op.create_index("ix_approval_subject_digest", "approval", ["subject", "digest"])
    op.create_index("ix_approval_state", "approval", ["state"])
    op.create_table(
        "approval_answer",
        *_text("approval", "approver", "roles"),
        sa.Column("allowed", sa.Boolean, nullable=False),
        *_numbers("at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("approval", "approver", name="pk_approval_answer"),
        _of("approval_answer", "approval", "approval"),
        _of("approval_answer", "approver", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_approval_answer_approver", "approval_answer", ["approver"])
