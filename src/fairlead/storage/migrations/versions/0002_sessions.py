"""Conversations that are remembered between calls."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _of_subject(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["subject"], ["subject.id"], name=f"fk_{table}_subject_subject", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "session",
        *_text("id", "subject", "tenant", "head"),
        *_numbers("made_at", "used_at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        _of_subject("session"),
    )
    op.create_index("ix_session_subject", "session", ["subject"])
    op.create_index("ix_session_used_at", "session", ["used_at"])
    op.create_table(
        "session_turn",
        *_text("id", "subject", "tenant", "session", "previous"),
        *_numbers("made_at", "used_at", "size"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session_turn"),
        _of_subject("session_turn"),
    )
    for column in ("subject", "session", "used_at"):
        op.create_index(f"ix_session_turn_{column}", "session_turn", [column])
