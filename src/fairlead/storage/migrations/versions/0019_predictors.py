"""What routing has learnt, and which of it is in force."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "predictor",
        sa.Column("version", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("trained_by", _TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("report", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_predictor"),
    )
    op.create_table(
        "predictor_in_force",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("version", _TEXT, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("put_by", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_predictor_in_force"),
        sqlite_with_rowid=False,
    )
