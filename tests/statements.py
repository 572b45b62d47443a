"""SQL statements are put together once for all databases of a test run.

SQLAlchemy keeps what it has compiled with each engine. A program has one, but nearly every test opens a database of its
own, and to compile the statements of one request takes longer than the request.
"""

from collections.abc import Hashable
from functools import partial
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Dialect
from sqlalchemy.util import LRUCache


class Compiled(LRUCache[Any, Any]):
    """What was compiled, by the kind of database that it was compiled for, where SQLAlchemy asks by the very one."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_by_kind(*key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_by_kind(*key), compiled)


def _by_kind(dialect: Dialect, *rest: Hashable) -> tuple[Hashable, ...]:
    return type(dialect), dialect.server_version_info, dialect.default_schema_name, *rest


def share(patched: pytest.MonkeyPatch) -> None:
    """Every engine that is made from now on keeps what it compiles in one place."""
    options = {"compiled_cache": Compiled(4096)}
    patched.setattr(sqlalchemy, "create_engine", partial(sqlalchemy.create_engine, execution_options=options))
