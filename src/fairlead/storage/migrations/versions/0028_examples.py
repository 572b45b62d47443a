"""What people gave in a model's place, as labelled examples; and what is remembered, page by page."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_NAMES = (
    "id", "subject", "by", "tenant", "department", "source", "task", "workflow", "run", "place", "action", "reason",
    "code", "revision", "snapshot",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "example",
        *(sa.Column(name, _TEXT, nullable=False) for name in _NAMES),
        sa.Column("data_class", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_example"),
        *(
            sa.ForeignKeyConstraint([each], ["subject.id"], name=f"fk_example_{each}_subject", ondelete="CASCADE")
            for each in ("subject", "by")
        ),
    )
    for column in ("subject", "by", "at"):
        op.create_index(f"ix_example_{column}", "example", [column])
    op.create_index("ix_memory_made_at", "memory", ["made_at"])
