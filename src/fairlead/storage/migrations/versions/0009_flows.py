"""What agents were told and have read, a row for each step."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "flow_step",
        *[sa.Column(name, _TEXT, nullable=False) for name in ("id", "flow", "subject")],
        *[sa.Column(name, sa.BigInteger, nullable=False) for name in ("at", "size")],
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_flow_step"),
        sa.ForeignKeyConstraint(["subject"], ["subject.id"], name="fk_flow_step_subject_subject", ondelete="CASCADE"),
    )
    op.create_index("ix_flow_step_flow", "flow_step", ["flow"])
    op.create_index("ix_flow_step_subject", "flow_step", ["subject"])
