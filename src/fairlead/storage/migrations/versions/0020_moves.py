"""Budgets that carry over, that credits are moved between, and that alarm at several shares."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from fairlead.storage.postgres import run_script

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_POSTGRESQL = Path(__file__).with_name("0020_postgresql.sql")


def upgrade() -> None:
    for name in ("extra", "passed", "told", "alerted", "closed_at"):
        op.add_column("budget", sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")))
    # Whoever was warned of the one share that there was is not warned again in the same period.
    op.execute("UPDATE budget SET passed = 100, told = 100, alerted = 100 WHERE warned")
    op.drop_column("budget", "warned")
    unalarmed = sa.text("passed > alerted")
    op.create_index("ix_budget_passed", "budget", ["passed"], sqlite_where=unalarmed, postgresql_where=unalarmed)
    op.create_table(
        "budget_move",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        *[sa.Column(n, _TEXT, nullable=False) for n in ("source", "source_period", "target", "target_period")],
        sa.Column("amount", sa.BigInteger, nullable=False),
        *[sa.Column(name, _TEXT, nullable=False) for name in ("by", "reason")],
        sa.PrimaryKeyConstraint("id", name="pk_budget_move"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        run_script(op.get_bind(), _POSTGRESQL.read_text("utf-8"))
