"""Whose calls a question about a shared budget is about."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _of(column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_approval_asker_{column}_{parent}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "approval_asker",
        sa.Column("approval", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("approval", "subject", name="pk_approval_asker"),
        _of("approval", "approval"),
        _of("subject", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_approval_asker_subject", "approval_asker", ["subject"])
