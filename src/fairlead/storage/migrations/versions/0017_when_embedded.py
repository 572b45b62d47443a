"""In which order sections were embedded, so that a search can be made again over those that there were."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("context_embedded", sa.Column("made", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index("ix_context_embedded_model_made", "context_embedded", ["model", "made"])
