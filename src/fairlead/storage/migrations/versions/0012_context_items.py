"""Kinds of items and their structure, where they came from, and sections that are known again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str, otherwise: str = "") -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=False, server_default=sa.text(f"'{otherwise}'"))


def upgrade() -> None:
    for column in (
        _text("kind", "page"),
        _text("topics", "[]"),
        _text("expires"),
        sa.Column("trusted", sa.Boolean, nullable=False, server_default=sa.true()),
        _text("source"),
        _text("origin"),
        _text("changed"),
        _text("fields", "{}"),
        sa.Column("stored_at", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("context_item", column)
    for column in (_text("identity"), _text("meaning")):
        op.add_column("context_section", column)
