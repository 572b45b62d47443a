"""People and groups that identity providers push, and keys that are bound to such a person."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _TEXT, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _of(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{parent}"
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.add_column("api_key", sa.Column("bound_to", _TEXT, nullable=False, server_default=sa.text("''")))
    op.create_table(
        "people",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        *_numbers("version", "reread"),
        *_text("holder"),
        *_bytes("sealed"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_table(
        "person",
        *_text("id", "provider", "subject"),
        *_bytes("user_name", "external_id"),
        sa.Column("active", sa.Boolean, nullable=False),
        *_numbers("version", "made_at", "changed_at"),
        *_bytes("sealed"),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        _of("person", "subject", "subject"),
        sqlite_with_rowid=False,
    )
    for columns in (["provider", "user_name"], ["provider", "external_id"], ["subject"], ["version"]):
        op.create_index(f"ix_person_{'_'.join(columns)}", "person", columns)
    op.create_table(
        "person_group",
        *_text("id", "provider", "name", "folded", "external_id"),
        *_numbers("version", "made_at", "changed_at"),
        sa.PrimaryKeyConstraint("id", name="pk_person_group"),
        sa.UniqueConstraint("provider", "folded", name="uq_person_group_provider_folded"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_person_group_version", "person_group", ["version"])
    op.create_table(
        "group_member",
        *_text("group", "person"),
        sa.PrimaryKeyConstraint("group", "person", name="pk_group_member"),
        _of("group_member", "group", "person_group"),
        _of("group_member", "person", "person"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_group_member_person", "group_member", ["person"])
