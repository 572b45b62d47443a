"""What is remembered for later runs, by person, session, run and team."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "memory",
        *(sa.Column(name, _TEXT, nullable=False) for name in ("id", "subject", "tenant", "kind", "place")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("version", "made_at", "used_at", "expires_at")),
        sa.Column("once", _TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_memory"),
        sa.ForeignKeyConstraint(["subject"], ["subject.id"], name="fk_memory_subject_subject", ondelete="CASCADE"),
    )
    for column in ("place", "subject", "expires_at"):
        op.create_index(f"ix_memory_{column}", "memory", [column])
