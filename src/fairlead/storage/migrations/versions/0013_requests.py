"""What owners of knowledge are asked for, and edits that somebody proposes."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _of(column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_context_edit_{column}_{parent}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "owner_request",
        *_text("id", "kind", "need", "item", "section", "task", "cause", "owner", "words", "state"),
        *_numbers("times", "weight", "due"),
        *_numbers("asked_at", "last_at", "due_at", "told_at", "escalated_at", "ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_owner_request"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_owner_request_state_owner", "owner_request", ["state", "owner"])
    op.create_table(
        "context_edit",
        *_text("request", "subject", "item", "version"),
        *_numbers("made_at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_context_edit"),
        _of("request", "owner_request"),
        _of("subject", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_context_edit_subject", "context_edit", ["subject"])
