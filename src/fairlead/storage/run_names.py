"""The names of the latest runs, for the shell's completion: a glance that loads no SQLAlchemy and waits for nobody."""

import sqlite3
from contextlib import closing
from typing import Final

from fairlead.errors import FairleadError
from fairlead.storage.database import Where, database_path, is_postgres

_PATIENCE: Final = 0.2  # seconds
_LATEST: Final = "SELECT run FROM log ORDER BY seq DESC LIMIT ?"


def latest_runs(where: Where, rows: int = 40) -> list[str]:
    """The runs of the last rows, the newest first; none where the database cannot be read just now."""
    found = _on_server(str(where), rows) if is_postgres(where) else _in_file(where, rows)
    return list(dict.fromkeys(found))


def _in_file(where: Where, rows: int) -> list[str]:
    try:
        url = f"{database_path(where).as_uri()}?mode=ro"
        with closing(sqlite3.connect(url, uri=True, timeout=_PATIENCE)) as connection:
            return [run for (run,) in connection.execute(_LATEST, (rows,))]
    except (sqlite3.Error, ValueError):
        return []


def _on_server(url: str, rows: int) -> list[str]:
    from fairlead.storage import postgres

    try:
        with postgres.connect(url, name="fairlead") as connection:
            return [run for (run,) in connection.execute(_LATEST.replace("?", "%s"), (rows,))]
    except (FairleadError, postgres.driver().Error):
        return []
