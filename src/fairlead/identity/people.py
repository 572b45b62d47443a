"""Who is active at a provider that pushes its people, and in which groups: in memory, for the authenticator.

A worker follows the database beside its requests, after each renewal of its lease has begun and before the lease is
extended: so whoever decides under a lease has seen every change that was committed more than five seconds before.
"""

from collections.abc import Mapping
from threading import Lock

from msgspec import Struct

from fairlead.identity.name_digests import NameDigests
from fairlead.storage.store import Store


class Standing(Struct, frozen=True):
    """How a person stands at their provider. `groups` are names as they were pushed."""

    active: bool
    groups: frozenset[str]


class _Known(Struct, frozen=True):
    digests: tuple[bytes, ...]
    active: bool
    groups: frozenset[str]  # ids


class _View(Struct, frozen=True):
    """All of it at one moment. `ids` are persons by the digests of their names."""

    persons: dict[str, _Known]
    ids: dict[bytes, str]
    names: dict[str, str]


class People:
    """One per process. `generation` grows whenever something that was answered may be otherwise now.

    `follow` is called in a thread; what is asked meanwhile is answered by what was, or by what is.
    """

    def __init__(self, store: Store, digests: NameDigests) -> None:
        self.wanted = False
        self.generation = 0
        self._store = store
        self._digests = digests
        self._view = _View({}, {}, {})
        self._version = -1
        self._lock = Lock()

    def find(self, provider: str, attribute: str, value: str) -> Standing | None:
        """How somebody stands whom the provider knows by this value; None for who was not pushed, or is gone."""
        view = self._view
        if not view.persons:
            return None
        found = view.persons.get(view.ids.get(self._digests.digest(provider, attribute, value), ""))
        if found is None:
            return None
        names = (view.names.get(each) for each in found.groups)
        return Standing(found.active, frozenset(name for name in names if name is not None))

    def follow(self) -> None:
        """Take up what has changed. Nothing where no provider pushes."""
        if not self.wanted:
            return
        with self._lock:
            if self._digests.find():
                self._read()

    def _read(self) -> None:
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person_group

        with self._store.reading() as connection:
            mark = table.find_mark(connection)
            if mark is None or mark.version == self._version:
                return
            whole = self._version < mark.reread or mark.version < self._version
            since = -1 if whole else self._version
            persons = table.changed_persons(connection, since)
            groups = table.groups(connection, person_group.c.version > since)
            of = table.memberships(connection, None if whole else [id for id, _, _ in persons])
        names = {each.id: each.name for each in groups}
        nowhere: frozenset[str] = frozenset()
        known = {id: _Known(digests, active, of.get(id, nowhere)) for id, digests, active in persons}
        self._view = _view(known, names) if whole else self._with(known, names)
        self._version = mark.version
        self.generation += 1

    def _with(self, known: Mapping[str, _Known], names: Mapping[str, str]) -> _View:
        """The view with these in the place of what was. Each step leaves it whole for who looks meanwhile."""
        view = self._view
        view.names.update(names)
        for id, each in known.items():
            before = view.persons.get(id)
            view.persons[id] = each
            view.ids.update((digest, id) for digest in each.digests if digest)
            for digest in before.digests if before is not None else ():
                if digest not in each.digests and view.ids.get(digest) == id:
                    del view.ids[digest]
        return view


def _view(known: dict[str, _Known], names: dict[str, str]) -> _View:
    ids = {digest: id for id, each in known.items() for digest in each.digests if digest}
    return _View(known, ids, names)
