"""The keys that were made at run time, in the table `api_key`. For the command line and for loading a worker's keys.

A worker serves from memory: whoever adds or revokes a key publishes a new epoch afterwards, so that every worker has
dropped what it remembered before the command returns.
"""

import re

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from fairlead.errors import BadInput, NotFound
from fairlead.identity.keys import Key
from fairlead.storage.schema import api_key
from fairlead.storage.tombstones import KEY, bury

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def add_key(connection: Connection, key: Key) -> None:
    """Store a new key. Raises `BadInput` if its name is taken, also by a revoked one, or is not a fit name."""
    if not _NAME.fullmatch(key.name):
        raise BadInput(
            f"{key.name!r} is no name for a key",
            why="names are up to 63 small letters, digits, dots, dashes and underscores",
            mend="choose another name, such as support-bot",
        )
    if not key.person:
        raise BadInput(f"the key {key.name!r} has no person", why="every action is somebody's", mend="add --person")
    row = msgspec.structs.asdict(key) | {"groups": _listed(key.groups), "roles": _listed(key.roles)}
    try:
        connection.execute(insert(api_key).values(row))
    except IntegrityError as error:
        raise BadInput(
            f"there is a key named {key.name!r} already",
            why="names stay taken after a revocation, so that records keep their meaning",
            mend="choose another name",
        ) from error


def list_keys(connection: Connection) -> tuple[Key, ...]:
    """All keys ever made, revoked ones too, by name. A worker loads them all, to tell revoked from unknown."""
    rows = connection.execute(select(api_key).order_by(api_key.c.name)).mappings()
    return tuple(_key(row) for row in rows)


def revoke_key(connection: Connection, name: str, at: int) -> None:
    """Mark a key as revoked, with a tombstone, so that no restored backup accepts it. A second time changes nothing.

    Raises `NotFound` if there is no such key.
    """
    changed = connection.execute(
        update(api_key).where(api_key.c.name == name, api_key.c.revoked_at == 0).values(revoked_at=at)
    )
    digest = connection.execute(select(api_key.c.digest).where(api_key.c.name == name)).scalar()
    if changed.rowcount and digest is not None:
        bury(connection, KEY, bytes(digest).hex(), at, done=True)
    if digest is None:
        raise NotFound(
            f"there is no key named {name!r}",
            why="keys declared in fairlead.yaml are not in this list",
            mend="see `fairlead key list`; take a declared key out of `keys:` and publish",
        )


def _listed(names: frozenset[str]) -> str:
    return msgspec.json.encode(sorted(names)).decode()


def _key(row: RowMapping) -> Key:
    fields = dict(row)
    for name in ("groups", "roles"):
        fields[name] = frozenset(msgspec.json.decode(fields[name], type=list[str]))
    fields["digest"] = bytes(fields["digest"])
    return Key(**fields)
