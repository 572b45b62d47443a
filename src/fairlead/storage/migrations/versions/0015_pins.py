"""Work that goes on with the pages that it began under."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "context_pin",
        *[sa.Column(name, _TEXT, nullable=False) for name in ("id", "snapshot", "revision")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("pinned_at", "used_at")],
        sa.PrimaryKeyConstraint("id", name="pk_context_pin"),
    )
    op.create_index("ix_context_pin_used_at", "context_pin", ["used_at"])
