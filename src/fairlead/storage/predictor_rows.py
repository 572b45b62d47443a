"""The rows of predictors: what was learnt, kept for good, and which of it is in force. All SQL of them.

Each function works within the caller's transaction.
"""

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from fairlead.storage.log import raw
from fairlead.storage.routing_tables import predictor, predictor_in_force

_CURRENT: Final = "current"


class KeptPredictor(Struct, frozen=True, kw_only=True):
    """A predictor as it is kept. `at` in milliseconds since 1970, `report` is JSON."""

    version: str
    kind: str
    at: int
    trained_by: str
    report: bytes = b""


def in_force(connection: Connection) -> str:
    """The version that decides, "" for none."""
    found = connection.execute(select(predictor_in_force.c.version).where(predictor_in_force.c.id == _CURRENT))
    return str(found.scalar() or "")


def content_of(connection: Connection, version: str) -> bytes | None:
    """The artefact, as it was kept; None where there is none of this version."""
    found = connection.execute(select(predictor.c.content).where(predictor.c.version == version)).scalar()
    return None if found is None else raw(found)


def every(connection: Connection) -> list[KeptPredictor]:
    """All that were ever kept, the newest first."""
    columns = (predictor.c.version, predictor.c.kind, predictor.c.at, predictor.c.trained_by, predictor.c.report)
    rows = connection.execute(select(*columns).order_by(predictor.c.at.desc(), predictor.c.version))
    return [
        KeptPredictor(version=version, kind=kind, at=at, trained_by=by, report=raw(report))
        for version, kind, at, by, report in rows
    ]


def keep(connection: Connection, kept: KeptPredictor, content: bytes) -> None:
    """Keep one. One of the same content is there already, and stays as it is."""
    if connection.execute(select(predictor.c.version).where(predictor.c.version == kept.version)).first() is None:
        row = {
            "version": kept.version, "kind": kept.kind, "at": kept.at, "trained_by": kept.trained_by,
            "content": content, "report": kept.report,
        }  # fmt: skip
        connection.execute(insert(predictor), row)


def put_in_force(connection: Connection, version: str, *, at: int, by: str) -> None:
    """Let it decide from here on, "" for none. Whoever calls this begins an epoch in the same transaction."""
    connection.execute(delete(predictor_in_force).where(predictor_in_force.c.id == _CURRENT))
    if version:
        row = {"id": _CURRENT, "version": version, "at": at, "put_by": by}
        connection.execute(insert(predictor_in_force), row)
