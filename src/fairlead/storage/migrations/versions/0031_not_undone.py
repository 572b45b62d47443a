"""What a run has done, could be undone, and was not: places, for whoever runs the deployment."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("workflow_run", sa.Column("not_undone", _TEXT, nullable=False, server_default=sa.text("''")))
