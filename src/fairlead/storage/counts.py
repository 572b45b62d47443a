"""What a table holds, counted: by it a copy is compared with what it was made from."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, func, select

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


def count_of(side: Connection, table: Table) -> int:
    """How many rows a table has."""
    return int(side.execute(select(func.count()).select_from(table)).scalar() or 0)


def sum_of(side: Connection, column: "ColumnElement[int]") -> int:
    """What a column comes to, added up here, where numbers have no end."""
    return sum(side.execute(select(column)).scalars())
