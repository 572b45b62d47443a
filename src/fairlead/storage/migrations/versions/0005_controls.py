"""What controls have counted, and the alarms that are still to be delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "control_state",
        sa.Column("id", _TEXT, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("seq", "time")),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_control_state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alarm",
        *(sa.Column(name, _TEXT, nullable=False) for name in ("id", "endpoint")),
        sa.Column("body", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("made_at", "tries", "next_at")),
        sa.Column("failure", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
        sqlite_with_rowid=False,
    )
