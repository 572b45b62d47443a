"""The names of the latest runs, for the shell's completion: a glance that loads no SQLAlchemy and waits for nobody."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_PATIENCE: Final = 0.2  # seconds
_LATEST: Final = "SELECT run FROM log ORDER BY seq DESC LIMIT ?"


def latest_runs(database: Path, rows: int = 40) -> list[str]:
    """The runs of the last rows, the newest first; none where the database cannot be read just now."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)) as connection:
            found = connection.execute(_LATEST, (rows,)).fetchall()
    except (sqlite3.Error, ValueError):
        return []
    return list(dict.fromkeys(run for (run,) in found))
