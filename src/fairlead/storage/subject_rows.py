"""The vault's rows: what they are, and how the state database keeps them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

_Row = TypeVar("_Row", bound=Struct)
_PAGE: Final = 500


class SubjectRow(Struct, frozen=True):
    """A row of table `subject`. Nothing in it can be read without the master key."""

    id: str
    lookup: bytes
    wrapped_key: bytes
    sealed_name: bytes
    created_at: int


class SigningRow(Struct, frozen=True):
    """A row of table `signing_key`."""

    name: str
    wrapped: bytes
    verifier: str
    created_at: int


Opens = Callable[[SubjectRow | SigningRow], bool]
"""Is this row wrapped by the master key that another one is about to be wrapped by?"""


class SubjectRows(Protocol):
    """Where a vault keeps its rows. Each method is one transaction."""

    def find(self, lookup: bytes) -> SubjectRow | None:
        """The person's row, by the keyed hash of their name. None for who has none, or under another master key."""

    def get(self, subject_id: str) -> SubjectRow | None:
        """A subject's row; None once they were erased."""

    def insert_if_absent(self, row: SubjectRow, opens: Opens) -> bool:
        """False, and nothing changed, if the lookup is taken, or if there is a row that the new one's master key does
        not open: then that key is no longer in force."""

    def find_signing(self, name: str) -> SigningRow | None:
        """The row of the key that signs this log; None where none was made yet."""

    def insert_signing_if_absent(self, row: SigningRow, opens: Opens) -> bool:
        """As `insert_if_absent`, by the name of the log."""

    def replace_signing(self, connection: "Connection", old: str, row: SigningRow, opens: Opens) -> bool:
        """Within the caller's transaction. False, and nothing changed, if the row of this name has another verifier, or
        is wrapped by another master key than the new one is."""

    def sample(self) -> SubjectRow | SigningRow | None:
        """Any row, to try a master key on."""

    def rewrite(self, subject: Callable[[SubjectRow], SubjectRow], signing: Callable[[SigningRow], SigningRow]) -> int:
        """Replace every row in one transaction that keeps writers out, and return how many there were."""


class StoredSubjects:
    """The tables `subject` and `signing_key`. Threads may share it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, lookup: bytes) -> SubjectRow | None:
        from fairlead.storage.schema import subject

        return self._one(subject, subject.c.lookup == lookup, SubjectRow)

    def get(self, subject_id: str) -> SubjectRow | None:
        from fairlead.storage.schema import subject

        return self._one(subject, subject.c.id == subject_id, SubjectRow)

    def insert_if_absent(self, row: SubjectRow, opens: Opens) -> bool:
        from fairlead.storage.schema import subject

        return self._insert_unless(subject, subject.c.lookup == row.lookup, row, opens)

    def find_signing(self, name: str) -> SigningRow | None:
        from fairlead.storage.schema import signing_key

        return self._one(signing_key, signing_key.c.name == name, SigningRow)

    def insert_signing_if_absent(self, row: SigningRow, opens: Opens) -> bool:
        from fairlead.storage.schema import signing_key

        return self._insert_unless(signing_key, signing_key.c.name == row.name, row, opens)

    def replace_signing(self, connection: "Connection", old: str, row: SigningRow, opens: Opens) -> bool:
        from fairlead.storage.schema import signing_key

        mine = signing_key.c.name == row.name
        found = connection.execute(signing_key.select().where(mine)).first()
        if found is None or found.verifier != old or not opens(SigningRow(*found)):
            return False
        connection.execute(signing_key.update().where(mine).values(**asdict(row)))
        return True

    def sample(self) -> SubjectRow | SigningRow | None:
        with self._store.reading() as connection:
            return _sample(connection)

    def rewrite(self, subject: Callable[[SubjectRow], SubjectRow], signing: Callable[[SigningRow], SigningRow]) -> int:
        from fairlead.storage import schema

        with self._store.erasing("subject", "signing_key") as connection:
            people = _rewrite(connection, schema.subject, schema.subject.c.id, SubjectRow, subject)
            logs = _rewrite(connection, schema.signing_key, schema.signing_key.c.name, SigningRow, signing)
        return people + logs

    def _one(self, table: "Table", where: "ColumnElement[bool]", kind: type[_Row]) -> _Row | None:
        with self._store.reading() as connection:
            found = connection.execute(table.select().where(where).limit(1)).first()
        return None if found is None else kind(*found)

    def _insert_unless(self, table: "Table", taken: "ColumnElement[bool]", row: Struct, opens: Opens) -> bool:
        with self._store.writing() as connection:
            other = _sample(connection)
            if other is not None and not opens(other):
                return False
            if connection.execute(table.select().where(taken).limit(1)).first() is not None:
                return False
            connection.execute(table.insert().values(**asdict(row)))
        return True


def _sample(connection: "Connection") -> SubjectRow | SigningRow | None:
    from fairlead.storage.schema import signing_key, subject

    found = connection.execute(signing_key.select().limit(1)).first()
    if found is not None:
        return SigningRow(*found)
    found = connection.execute(subject.select().limit(1)).first()
    return None if found is None else SubjectRow(*found)


def _rewrite(
    connection: "Connection",
    table: "Table",
    key: "ColumnElement[Any]",
    kind: type[_Row],
    change: Callable[[_Row], _Row],
) -> int:
    """Replace every row of one table, a page at a time, in the order of its key."""
    count, last = 0, ""
    while page := connection.execute(table.select().where(key > last).order_by(key).limit(_PAGE)).all():
        for found in page:
            row = change(kind(*found))
            connection.execute(table.update().where(key == found[0]).values(**asdict(row)))
        count, last = count + len(page), page[-1][0]
    return count
