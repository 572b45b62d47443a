"""What sections of context mean to models for embeddings."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "context_vector",
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("model", "text", name="pk_context_vector"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "context_embedded",
        sa.Column("section", sa.BigInteger, nullable=False),
        sa.Column("model", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("section", "model", name="pk_context_embedded"),
        sa.ForeignKeyConstraint(
            ["section"], ["context_section.rowid"], name="fk_context_embedded_section_context_section"
        ),
        sa.ForeignKeyConstraint(
            ["model", "text"],
            ["context_vector.model", "context_vector.text"],
            name="fk_context_embedded_model_context_vector",
        ),
        sqlite_with_rowid=False,
    )
