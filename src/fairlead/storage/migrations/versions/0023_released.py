"""What was told of groups of people, and of which days."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "released",
        *[sa.Column(name, _TEXT, nullable=False) for name in ("source", "since", "until", "rule", "digest")],
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("groups", sa.Integer, nullable=False),
        sa.Column("suppressed", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("source", "since", name="pk_released"),
    )
