"""Which control an alarm is of, so that none keeps the others waiting."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("alarm", sa.Column("control", _TEXT, nullable=False, server_default=sa.text("''")))
