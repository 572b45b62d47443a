"""In which order runs are taken up."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workflow_run", sa.Column("turn", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index("ix_workflow_run_status_turn", "workflow_run", ["status", "turn"])
    op.execute("UPDATE workflow_run SET turn = made_at + priority * 600000")
    op.execute("UPDATE workflow_run SET status = 'accepted' WHERE status = 'queued'")
