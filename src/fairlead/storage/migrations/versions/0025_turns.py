"""In which order runs are taken up, and up to when schedules have begun theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("workflow_run", sa.Column("turn", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index("ix_workflow_run_status_turn", "workflow_run", ["status", "turn"])
    op.create_table(
        "workflow_schedule",
        sa.Column("workflow", _TEXT, nullable=False),
        sa.Column("schedule", _TEXT, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("run", _TEXT, nullable=False),
        sa.Column("error", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("workflow", "schedule", name="pk_workflow_schedule"),
        sqlite_with_rowid=False,
    )
    op.execute("UPDATE workflow_run SET turn = made_at + priority * 600000")
    op.execute("UPDATE workflow_run SET status = 'accepted' WHERE status = 'queued'")
