"""The rows of flows: what runs were told and have read, each step sealed. All SQL of them, for SQLite and PostgreSQL.

Each function works within the caller's transaction.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select

from fairlead.storage.legal_holds import PERSON, legal_holds
from fairlead.storage.personal_tables import flow_step
from fairlead.storage.types import NewStep

_SWEPT: Final = 1000  # flows at once


class StepKey(Struct, frozen=True):
    """What tells one step from another, without what is in it."""

    id: str
    at: int
    size: int


def keys(connection: Connection, flow: str) -> list[StepKey]:
    """The steps of a flow, the oldest first."""
    c = flow_step.c
    query = select(c.id, c.at, c.size).where(c.flow == flow).order_by(c.at, c.id)
    return [StepKey(*row) for row in connection.execute(query).all()]


def ids(connection: Connection, flow: str) -> set[str]:
    """Of the steps of a flow, in one row: asked at each call, and mostly nothing has changed."""
    found: str = connection.execute(_ids(), {"flow": flow}).scalar() or ""
    return set(found.split(",")) if found else set()


@cache
def _ids() -> Select[Any]:
    return select(func.aggregate_strings(flow_step.c.id, ",")).where(flow_step.c.flow == bindparam("flow"))


def rows(connection: Connection, flow: str, ids: Sequence[str]) -> list[NewStep]:
    """Those of a flow's steps, all of them where `ids` is empty."""
    query = select(flow_step).where(flow_step.c.flow == flow)
    if ids:
        query = query.where(flow_step.c.id.in_(ids))
    return [NewStep(**row) for row in connection.execute(query).mappings()]


def insert_steps(connection: Connection, new: Sequence[NewStep]) -> None:
    """Keep steps. Raises `IntegrityError` where the person is gone."""
    connection.execute(insert(flow_step), [asdict(each) for each in new])


def take_out(connection: Connection, flow: str, ids: Sequence[str]) -> bool:
    """Delete these steps. False where any of them was gone: then others have merged them meanwhile."""
    mine = (flow_step.c.flow == flow) & flow_step.c.id.in_(ids)
    return connection.execute(delete(flow_step).where(mine)).rowcount == len(ids)


def forget(connection: Connection, flow: str) -> int:
    """Delete a whole flow. How many steps that were."""
    return connection.execute(delete(flow_step).where(flow_step.c.flow == flow)).rowcount


def expired(connection: Connection, since: int) -> list[str]:
    """Flows of which no step is younger, but for what a legal hold is on."""
    held = [each.what for each in legal_holds(connection) if each.kind == PERSON]
    query = select(flow_step.c.flow).where(flow_step.c.subject.not_in(held)).group_by(flow_step.c.flow)
    return list(connection.execute(query.having(_last() <= since).limit(_SWEPT)).scalars())


def forget_expired(connection: Connection, flows: Sequence[str], since: int) -> int:
    """Delete those of these flows that nobody went on with meanwhile."""
    old = select(flow_step.c.flow).where(flow_step.c.flow.in_(flows)).group_by(flow_step.c.flow)
    over = connection.execute(old.having(_last() <= since)).scalars().all()
    return connection.execute(delete(flow_step).where(flow_step.c.flow.in_(over))).rowcount if over else 0


def _last() -> "ColumnElement[int]":
    return func.max(flow_step.c.at)
