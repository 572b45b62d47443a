"""Which call an approval was used by, where that can be told again."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("approval", sa.Column("used_by", _TEXT, nullable=False, server_default=sa.text("''")))
