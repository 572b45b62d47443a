"""What people have connected with accounts of their own, and the consents that are under way."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _of_subject(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["subject"], ["subject.id"], name=f"fk_{table}_subject_subject", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "system_grant",
        *_text("id", "subject", "tenant", "system", "authority", "agents", "scopes", "state", "reason"),
        *_numbers("made_at", "ended_at", "expires_at"),
        sa.Column("renews", sa.Boolean, nullable=False),
        *_text("lease"),
        sa.Column("unsure", sa.Boolean, nullable=False),
        *_numbers("version"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_system_grant"),
        sa.UniqueConstraint("subject", "tenant", "system", name="uq_system_grant_subject_tenant_system"),
        _of_subject("system_grant"),
    )
    op.create_table(
        "consent",
        *_text("state", "subject", "tenant", "session", "system"),
        *_numbers("expires_at"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("state", name="pk_consent"),
        _of_subject("consent"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_consent_subject", "consent", ["subject"])
