"""Kill switches."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "stop",
        *(sa.Column(name, _TEXT, nullable=False) for name in ("id", "kind", "name", "reason", "placed_by")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("at", "until")),
        sa.Column("ends", sa.Boolean, nullable=False),
        sa.Column("control", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_stop"),
        sa.UniqueConstraint("kind", "name", "control", name="uq_stop_kind_name_control"),
        sqlite_with_rowid=False,
    )
