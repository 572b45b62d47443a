"""The steps that bring a state database to this program's schema. Only `migrate` imports Alembic; opening does not.

A step, once released, is never edited: a changed table is a new file in `versions/`, and `store.SCHEMA_VERSION` names
the newest.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.storage.database import Where
from fairlead.storage.store import SCHEMA_VERSION, Store

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory
    from sqlalchemy import Connection

_STEPS = Path(__file__).parent


def migrate(where: Where, *, to: str = "head") -> str:
    """Makes the database at this path if there is none, takes the steps that it lacks, and returns its version. On a
    server the database must be there.

    All steps share one transaction: a failure leaves the database as it was. Workers that are running meanwhile wait,
    and should have been stopped.
    """
    store = Store(where)
    store.database.create()
    if to == "head" and store.database.schema_version() == SCHEMA_VERSION:
        return SCHEMA_VERSION  # as at most starts: to import Alembic takes longer than to ask
    try:
        with store.writing() as connection:
            _upgrade(connection, to)
    finally:
        store.close()
    return store.database.schema_version()


def _upgrade(connection: "Connection", to: str) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    config, script = Config(), _script()
    # The transaction is ours, see `Store.writing`; Alembic must not commit within it, and asks SQLAlchemy whether there
    # is one, which has not heard of a transaction that was begun beside it.
    if not connection.in_transaction():
        connection.begin()
    environment = EnvironmentContext(config, script, fn=lambda revision, _: script._upgrade_revs(to, revision))
    with environment:
        environment.configure(connection=connection, transactional_ddl=False)
        environment.run_migrations()


@cache
def _script() -> "ScriptDirectory":
    """The steps, read once: that takes longer than any of them."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(_STEPS))
    script.get_revisions("head")
    return script
