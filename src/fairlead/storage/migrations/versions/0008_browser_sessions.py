"""People who are signed in with a browser."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "browser_session",
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("digest", "attempt")),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("subject", "issuer")),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("started_at", "seen_at", "asked_at", "expires_at", "ended_at")
        ),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_browser_session"),
        sa.UniqueConstraint("attempt", name="uq_browser_session_attempt"),
        sa.ForeignKeyConstraint(
            ["subject"], ["subject.id"], name="fk_browser_session_subject_subject", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_browser_session_subject", "browser_session", ["subject"])
