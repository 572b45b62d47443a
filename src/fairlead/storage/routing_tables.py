"""The tables of what routing has learnt. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from fairlead.storage.columns import Text, metadata, required

# Predictors, never changed once they are there: `version` is the hash of `content`. `report` is JSON: what training
# said of itself.
predictor = Table(
    "predictor",
    metadata,
    Column("version", Text, primary_key=True),
    required("kind", Text),
    required("at", BigInteger),
    required("trained_by", Text),
    required("content", LargeBinary),
    required("report", LargeBinary),
)

# Which of them is in force: one row, or none. Who writes it begins an epoch in the same transaction.
predictor_in_force = Table(
    "predictor_in_force",
    metadata,
    Column("id", Text, primary_key=True),
    required("version", Text),
    required("at", BigInteger),
    required("put_by", Text),
    sqlite_with_rowid=False,
)
