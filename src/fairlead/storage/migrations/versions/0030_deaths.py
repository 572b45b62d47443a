"""How many workers in a row have died while they walked a run, and when the last one had."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("deaths", "died_at"):
        op.add_column("workflow_run", sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")))
