"""Every table of the first release."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

from fairlead.storage import sqlite_fts
from fairlead.storage.postgres import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Compared byte by byte everywhere, whatever language the server was set up in.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_POSTGRESQL = Path(__file__).with_name("0001_postgresql.sql")


def _column(name: str, kind: type[sa.types.TypeEngine[Any]] | sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _text(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, _TEXT) for name in names]


def _blobs(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.LargeBinary) for name in names]


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.BigInteger) for name in names]


def upgrade() -> None:
    _journal()
    _keys()
    _workspace()
    _context()
    op.execute("INSERT INTO epoch (id, number, revision) VALUES (1, 0, '')")
    if op.get_bind().dialect.name == "postgresql":
        run_script(op.get_bind(), _POSTGRESQL.read_text("utf-8"))


def _journal() -> None:
    op.create_table(
        "hold",
        *_text("id", "worker"),
        *_numbers("opened_at", "amount"),
        *_blobs("limits", "intent"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log",
        sa.Column("seq", _NUMBER, autoincrement=False, nullable=False),
        *_text("run"),
        *_numbers("at"),
        *_blobs("record", "spans"),
        sa.PrimaryKeyConstraint("seq", name="pk_log"),
    )
    op.create_index("ix_log_run", "log", ["run"])
    op.create_table(
        "payload",
        sa.Column("seq", _NUMBER, autoincrement=False, nullable=False),
        *_text("subject"),
        *_blobs("ciphertext"),
        sa.PrimaryKeyConstraint("seq", name="pk_payload"),
    )
    op.create_table(
        "budget",
        *_text("scope", "period"),
        *_numbers("held", "spent"),
        _column("warned", sa.Boolean),
        sa.PrimaryKeyConstraint("scope", "period", name="pk_budget"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tree",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        *_numbers("size"),
        *_blobs("peaks"),
        sa.CheckConstraint("id = 1", name="ck_tree_single"),
        sa.PrimaryKeyConstraint("id", name="pk_tree"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", _NUMBER, autoincrement=False, nullable=False),
        *_numbers("at"),
        *_text("note"),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoint"),
    )


def _keys() -> None:
    op.create_table(
        "subject",
        *_text("id"),
        *_blobs("lookup", "wrapped_key", "sealed_name"),
        *_numbers("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_subject"),
        sa.UniqueConstraint("lookup", name="uq_subject_lookup"),
    )
    op.create_table(
        "signing_key",
        *_text("name"),
        *_blobs("wrapped"),
        *_text("verifier"),
        *_numbers("created_at"),
        sa.PrimaryKeyConstraint("name", name="pk_signing_key"),
    )
    op.create_table(
        "api_key",
        *_text("name"),
        *_blobs("digest"),
        *_text("person", "agent", "department", "groups", "roles"),
        *_numbers("created_at", "expires_at", "revoked_at"),
        *_text("created_by"),
        sa.PrimaryKeyConstraint("name", name="pk_api_key"),
        sa.UniqueConstraint("digest", name="uq_api_key_digest"),
    )


def _workspace() -> None:
    op.create_table(
        "revision",
        *_text("id"),
        *_numbers("published_at"),
        *_text("published_by"),
        *_blobs("manifest"),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
    )
    op.create_table(
        "workspace_file",
        *_text("digest"),
        *_blobs("content"),
        sa.PrimaryKeyConstraint("digest", name="pk_workspace_file"),
    )
    op.create_table(
        "epoch",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        *_numbers("number"),
        *_text("revision"),
        sa.CheckConstraint("id = 1", name="ck_epoch_single"),
        sa.PrimaryKeyConstraint("id", name="pk_epoch"),
    )
    op.create_table(
        "worker",
        *_text("id", "host"),
        _column("pid", sa.Integer),
        *_numbers("started_at", "seen_epoch", "renewals", "lease_until"),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )


def _context() -> None:
    op.create_table(
        "context_item",
        *_text("id", "version", "title", "text", "owner", "audience"),
        _column("data_class", sa.Integer),
        *_text("verified", "verified_by", "review_by"),
        sa.PrimaryKeyConstraint("id", "version", name="pk_context_item"),
    )
    op.create_table(
        "context_snapshot",
        *_text("id"),
        *_numbers("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_context_snapshot"),
    )
    op.create_table(
        "context_member",
        *_text("snapshot", "item", "version"),
        sa.PrimaryKeyConstraint("snapshot", "item", name="pk_context_member"),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["context_snapshot.id"], name="fk_context_member_snapshot_context_snapshot"
        ),
        _item_version("context_member"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "context_section",
        sa.Column("rowid", _NUMBER, autoincrement=True, nullable=False),
        *_text("item", "version"),
        _column("ordinal", sa.Integer),
        *_text("heading", "text", "access"),
        sa.PrimaryKeyConstraint("rowid", name="pk_context_section"),
        _item_version("context_section"),
    )
    op.create_index("ix_context_section_item_version", "context_section", ["item", "version"])
    if op.get_bind().dialect.name == "sqlite":
        sqlite_fts.create(op.get_bind())


def _item_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["item", "version"],
        ["context_item.id", "context_item.version"],
        name=f"fk_{table}_item_version_context_item",
    )
