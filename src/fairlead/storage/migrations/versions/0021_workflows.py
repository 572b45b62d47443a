"""Durable runs of workflows, and what they have done."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "workflow_definition",
        *_text("digest", "name"),
        *_numbers("made_at"),
        *_bytes("body"),
        sa.PrimaryKeyConstraint("digest", name="pk_workflow_definition"),
    )
    op.create_table(
        "workflow_run",
        *_text("id", "once", "workflow", "definition", "subject", "tenant", "department", "parent", "status", "owner"),
        *_numbers("segment", "priority", "made_at", "started_at", "ended_at", "until"),
        *_text("error"),
        *_bytes("sealed", "result"),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_run"),
        sa.UniqueConstraint("once", name="uq_workflow_run_once"),
        sa.ForeignKeyConstraint(
            ["definition"], ["workflow_definition.digest"], name="fk_workflow_run_definition_workflow_definition"
        ),
        sa.ForeignKeyConstraint(
            ["subject"], ["subject.id"], name="fk_workflow_run_subject_subject", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_workflow_run_subject_made_at", "workflow_run", ["subject", "made_at"])
    op.create_index("ix_workflow_run_status_until", "workflow_run", ["status", "until"])
    op.create_index("ix_workflow_run_made_at", "workflow_run", ["made_at"])
    op.create_table(
        "workflow_step",
        *_text("run", "place"),
        *_numbers("at"),
        *_text("action", "status"),
        *_numbers("cost", "size"),
        *_bytes("sealed"),
        sa.PrimaryKeyConstraint("run", "place", name="pk_workflow_step"),
        sa.ForeignKeyConstraint(
            ["run"], ["workflow_run.id"], name="fk_workflow_step_run_workflow_run", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "workflow_wait",
        *_text("run", "place", "kind", "what"),
        *_numbers("asked_at", "until"),
        *_bytes("sealed"),
        sa.PrimaryKeyConstraint("run", "place", name="pk_workflow_wait"),
        sa.ForeignKeyConstraint(
            ["run"], ["workflow_run.id"], name="fk_workflow_wait_run_workflow_run", ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_workflow_wait_kind_what", "workflow_wait", ["kind", "what"])
