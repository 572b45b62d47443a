"""Long lists, the youngest first, a page at a time: whoever reads one begins at once, however long it is."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, TypeVar

from sqlalchemy import Column, Connection, RowMapping, Select, and_, or_

FIRST: Final = (1 << 62, "~")
"""Before the youngest of any list."""
_PAGE: Final = 500

Each = TypeVar("Each")


def youngest_first(
    connection: Connection,
    query: Select[Any],
    at: Column[Any],
    id_: Column[Any],
    after: tuple[int, str],
) -> Iterator[RowMapping]:
    """The rows of a query by the time in `at`, those of one moment by `id_`; `after` is where another list stopped."""
    last = after
    while True:
        older = or_(at < last[0], and_(at == last[0], id_ < last[1]))
        page = connection.execute(query.where(older).order_by(at.desc(), id_.desc()).limit(_PAGE)).mappings().all()
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1][at.name], page[-1][id_.name]


def one_page(every: Iterator[Each], limit: int) -> tuple[list[Each], bool]:
    """The first of a list, at most `limit`, and whether there are more."""
    found = list(islice(every, limit + 1))
    return found[:limit], len(found) > limit
