"""What custody of data and keys needs: who was erased, what is held, which keys signed, where copies are."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "tombstone",
        sa.Column("n", _NUMBER, autoincrement=False, nullable=False),
        *_text("kind", "what"),
        *_numbers("at", "seq", "done_at"),
        sa.PrimaryKeyConstraint("n", name="pk_tombstone"),
        sa.UniqueConstraint("kind", "what", name="uq_tombstone_kind_what"),
    )
    op.create_table(
        "legal_hold",
        *_text("kind", "what", "subject"),
        *_numbers("at"),
        *_text("placed_by", "reason"),
        sa.PrimaryKeyConstraint("kind", "what", name="pk_legal_hold"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "succession",
        sa.Column("size", _NUMBER, autoincrement=False, nullable=False),
        *_numbers("at"),
        *_text("note"),
        sa.PrimaryKeyConstraint("size", name="pk_succession"),
    )
    op.create_table(
        "anchored",
        *_text("name"),
        *_numbers("size", "tombstones", "done_at", "tried_at"),
        *_text("failure"),
        sa.PrimaryKeyConstraint("name", name="pk_anchored"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "retention_mark",
        *_text("rule"),
        *_numbers("seq"),
        sa.PrimaryKeyConstraint("rule", name="pk_retention_mark"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "backup",
        *_text("id"),
        *_numbers("at"),
        *_text("place"),
        *_numbers("size"),
        *_text("root", "digest"),
        sa.PrimaryKeyConstraint("id", name="pk_backup"),
        sqlite_with_rowid=False,
    )
    op.add_column("session_turn", sa.Column("data_class", sa.Integer, nullable=False, server_default=sa.text("-1")))
