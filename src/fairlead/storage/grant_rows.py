"""The rows of grants, and of the consents that are under way. All SQL of them, for SQLite and PostgreSQL alike; what is
sealed stays sealed.

Each function works within the caller's transaction. Those that change a row say what it must be for that, so that of
two who want the same change one makes it.
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, insert, select, update

from fairlead.storage.personal_tables import consent, system_grant

State = Literal["active", "ended", "revoked"]
MOST_CONSENTS: Final = 20
"""Consents of one person that are under way at once; the oldest gives way."""


class GrantRow(Struct, frozen=True, kw_only=True):
    """A row of table `system_grant`. Times in milliseconds since 1970; `expires_at` is the access token's, 0 where
    nobody knows. `sealed` is empty once the grant has ended."""

    id: str
    subject: str
    tenant: str
    system: str
    authority: str
    agents: str
    scopes: str
    state: State
    reason: str
    made_at: int
    ended_at: int
    expires_at: int
    renews: bool
    lease: str
    unsure: bool
    version: int
    sealed: bytes


class ConsentRow(Struct, frozen=True, kw_only=True):
    """A row of table `consent`."""

    state: str
    subject: str
    tenant: str
    session: str
    system: str
    expires_at: int
    sealed: bytes


def of_person(connection: Connection, subject: str, tenant: str, system: str) -> GrantRow | None:
    """The one that a person has, or last had, at a system."""
    mine = (system_grant.c.subject == subject) & (system_grant.c.tenant == tenant) & (system_grant.c.system == system)
    row = connection.execute(select(system_grant).where(mine)).mappings().first()
    return None if row is None else GrantRow(**row)


def one(connection: Connection, id_: str) -> GrantRow | None:
    """A grant by its id."""
    row = connection.execute(select(system_grant).where(system_grant.c.id == id_)).mappings().first()
    return None if row is None else GrantRow(**row)


def listed(connection: Connection, subject: str = "", system: str = "") -> list[GrantRow]:
    """All, or those of a person or at a system, the oldest first."""
    query = select(system_grant).order_by(system_grant.c.made_at, system_grant.c.id)
    if subject:
        query = query.where(system_grant.c.subject == subject)
    if system:
        query = query.where(system_grant.c.system == system)
    return [GrantRow(**row) for row in connection.execute(query).mappings()]


def put(connection: Connection, row: GrantRow) -> None:
    """Into the place of the one that the person had at the system."""
    mine = (system_grant.c.subject == row.subject) & (system_grant.c.tenant == row.tenant)
    connection.execute(delete(system_grant).where(mine, system_grant.c.system == row.system))
    connection.execute(insert(system_grant).values(asdict(row)))


def claim(connection: Connection, row: GrantRow, lease: str) -> bool:
    """Become the one who renews it, if it is still as it was read. From then on nobody can be sure of its tokens until
    `keep` or `release`."""
    same = (system_grant.c.id == row.id) & (system_grant.c.version == row.version)
    same &= (system_grant.c.lease == row.lease) & (system_grant.c.state == "active")
    return connection.execute(update(system_grant).where(same).values(lease=lease, unsure=True)).rowcount == 1


def keep(connection: Connection, id_: str, lease: str, sealed: bytes, expires_at: int, renews: bool) -> bool:
    """New tokens, from whoever has the lease."""
    mine = (system_grant.c.id == id_) & (system_grant.c.lease == lease) & (system_grant.c.state == "active")
    values = {
        "sealed": sealed,
        "expires_at": expires_at,
        "renews": renews,
        "lease": "",
        "unsure": False,
        "version": system_grant.c.version + 1,
    }
    return connection.execute(update(system_grant).where(mine).values(values)).rowcount == 1


def release(connection: Connection, id_: str, lease: str, unsure: bool) -> None:
    """Give the lease back without new tokens. `unsure`: the server may have given some all the same."""
    mine = (system_grant.c.id == id_) & (system_grant.c.lease == lease)
    connection.execute(update(system_grant).where(mine).values(lease="", unsure=unsure))


def end(connection: Connection, id_: str, state: State, reason: str, at: int, lease: str | None = None) -> bool:
    """It may not be used any more, and its tokens are gone. False if it had ended, or `lease` is not its lease."""
    mine = (system_grant.c.id == id_) & (system_grant.c.state == "active")
    if lease is not None:
        mine &= system_grant.c.lease == lease
    values = {"state": state, "reason": reason, "ended_at": at, "lease": "", "unsure": False, "sealed": b""}
    return connection.execute(update(system_grant).where(mine).values(values)).rowcount == 1


def change_agents(connection: Connection, id_: str, agents: str) -> bool:
    """Which agents may use it from now on. False where it has ended."""
    mine = (system_grant.c.id == id_) & (system_grant.c.state == "active")
    return connection.execute(update(system_grant).where(mine).values(agents=agents)).rowcount == 1


def end_all(connection: Connection, reason: str, at: int) -> int:
    """No grant may be used any more. How many that were."""
    values = {"state": "ended", "reason": reason, "ended_at": at, "lease": "", "unsure": False, "sealed": b""}
    connection.execute(delete(consent))
    return connection.execute(update(system_grant).where(system_grant.c.state == "active").values(values)).rowcount


def begin(connection: Connection, row: ConsentRow, now: int) -> None:
    """A consent begins; those that nobody finished in time go."""
    connection.execute(delete(consent).where(consent.c.expires_at <= now))
    mine = consent.c.subject == row.subject
    count = int(connection.execute(select(func.count()).select_from(consent).where(mine)).scalar_one())
    if count >= MOST_CONSENTS:
        oldest = select(consent.c.state).where(mine).order_by(consent.c.expires_at, consent.c.state)
        gone = connection.execute(oldest.limit(count - MOST_CONSENTS + 1)).scalars().all()
        connection.execute(delete(consent).where(consent.c.state.in_(gone)))
    connection.execute(insert(consent).values(asdict(row)))


def drop_consents(connection: Connection, subject: str) -> None:
    """What somebody has begun to connect is not finished."""
    connection.execute(delete(consent).where(consent.c.subject == subject))


def take(connection: Connection, state: str, session: str, now: int) -> ConsentRow | None:
    """The consent that was begun in this browser session under this state, once: it is gone with the taking."""
    mine = (consent.c.state == state) & (consent.c.session == session) & (consent.c.expires_at > now)
    row = connection.execute(select(consent).where(mine)).mappings().first()
    if row is None or connection.execute(delete(consent).where(mine)).rowcount != 1:
        return None
    return ConsentRow(**row)
