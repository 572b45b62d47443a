"""When pages were last looked over for what owners must see to."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "upkeep_round",
        sa.Column("what", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("snapshot", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("what", name="pk_upkeep_round"),
        sqlite_with_rowid=False,
    )
