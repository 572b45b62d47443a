"""The vectors that a model of the workspace gives to one snapshot, as one process knows them while they are made,
perhaps by another process."""

from collections.abc import Iterable, Mapping, Sequence

from fairlead.context.vector_rows import (
    Embedded,
    Lacking,
    embedded_of,
    keep_vectors,
    lacking,
    last_made,
    linked,
)
from fairlead.storage import postgres_vectors
from fairlead.storage.store import Store


class PageVectors:
    """`embedded` is what questions are compared with: it is replaced when what there is has doubled, or has stopped to
    grow, because each time vectors are read anew. All methods are blocking."""

    def __init__(self, store: Store, snapshot: str, key: str) -> None:
        self.key = key
        self.embedded: Embedded = embedded_of(store, snapshot, key)
        self._store = store
        self._snapshot = snapshot
        self._last = self.embedded.upto
        self._quiet = True  # what there is has been taken up

    def look(self) -> None:
        """See whether there are more. Costs next to nothing where nothing has come for a while."""
        last = last_made(self._store, self.key)
        grows, self._last = last != self._last, last
        if self._quiet and not grows:
            return
        self._quiet = not grows
        found = embedded_of(self._store, self._snapshot, self.key)
        if self._quiet or found.sections >= 2 * self.embedded.sections:
            self.embedded = found

    def lacking(self) -> list[Lacking]:
        """The sections that still need a model. Those that say what was embedded before are given that vector."""
        rest = linked(self._store, self.key, lacking(self._store, self._snapshot, self.key))
        postgres_vectors.copy(self._store, self._snapshot, self.key)
        return rest

    def keep(self, made: Mapping[str, Sequence[float]], sections: Iterable[Lacking]) -> None:
        """Keep vectors, by digest. Raises `Upstream` for those that cannot be compared with the others."""
        these = list(sections)
        keep_vectors(self._store, self.key, made, these)
        postgres_vectors.copy_some(self._store, self.key, [each.section for each in these])
