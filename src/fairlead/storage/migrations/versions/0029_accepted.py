"""Whether the check of its step has let an answer pass that is kept as an example."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("example", sa.Column("accepted", sa.Boolean, nullable=False, server_default=sa.true()))
