"""What the tables of the state database are made of, the same for SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite makes a column the row's own key only if its type is spelled INTEGER; its integers have 64 bits anyway.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")
# Compared byte by byte everywhere, whatever language a PostgreSQL server was set up in.
Text = AnyText().with_variant(AnyText(collation="C"), "postgresql")


def required(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any], *, unique: bool = False) -> Column[Any]:
    """A column that is never null."""
    return Column(name, kind, nullable=False, unique=unique)
