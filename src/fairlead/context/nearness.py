"""How near sections are in meaning to a question, and what comes of it together with their words.

Those of accesses that the caller may not read are not looked at: what is scored is what is visible, all of it and
exactly. PostgreSQL scores it where it has pgvector. Elsewhere each worker does and keeps the vectors in memory, those
of each access in one piece. Both come to the same.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from fairlead.context.vector_rows import Embedder, later_than, stored_vectors
from fairlead.context.vector_space import AskedVector
from fairlead.kept import Kept
from fairlead.storage import postgres_vectors
from fairlead.storage.postgres_vectors import EXACT_TO, array_of, nearest
from fairlead.storage.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from fairlead.context.search import Snapshot

    Numbers = NDArray[np.float32]
    Places = NDArray[np.int64]

# Chosen on one half of the evals' questions (their `--half chosen`), checked on the other.
_NEAR_ENOUGH = 0.25  # for a section that has no word of the question: unrelated texts have up to 0.2
_NEARNESS = 1.0  # what the nearness counts beside the words, both in their own standard deviations
LEAST_CANDIDATES = 50
_KEPT_QUESTIONS = 512
_KEPT_SCORES = 2  # what there was before more was embedded, for the questions under way
_KEPT_VISIBLE = 1_000_000  # keys of some bytes each


class Scores(Protocol):
    """How near the sections of one snapshot are to the vector of a question."""

    def of(
        self, connection: "Connection", asked: "Numbers", allowed: frozenset[int], beside: Sequence[int], most: int
    ) -> dict[int, float]:
        """As `Nearness.of` says, by the numbers of sections."""


class Questions:
    """What questions mean to a model in this process, which is asked once for each. For one thread at a time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept = Kept[str, AskedVector](_KEPT_QUESTIONS)

    def vector(self, question: str) -> AskedVector:
        """What a question means, worked out at its first time."""
        found = self._kept.get(question)
        if found is None:
            numbers = self._embedder.vectors([question])[0].astype("<f4").tobytes()
            found = self._kept.keep(question, AskedVector(self._embedder.model, None, _NEAR_ENOUGH, numbers), 1)
        return found


class Nearness:
    """How near the sections of one snapshot are to questions. For one thread at a time."""

    def __init__(self, store: Store, snapshot: "Snapshot") -> None:
        self._store = store
        self._snapshot = snapshot
        self._scores: dict[tuple[str, int | None], Scores] = {}

    def of(
        self, connection: "Connection", asked: AskedVector, allowed: frozenset[int], beside: Sequence[int], most: int
    ) -> dict[int, float]:
        """The similarity of the `most` nearest sections among the accesses `allowed`, and of `beside` (numbers of
        sections that are visible), where they are embedded."""
        import numpy as np

        vector = np.frombuffer(asked.vector, dtype="<f4").astype(np.float32)
        return self._of(asked.key, asked.upto).of(connection, vector, allowed, beside, most)

    def _of(self, key: str, upto: int | None) -> Scores:
        """Asks the database to score where it can; otherwise reads four bytes a number of each section's vector."""
        found = self._scores.pop((key, upto), None)
        if found is None:
            in_database = postgres_vectors.complete(self._store, self._snapshot.id, key)
            while len(self._scores) >= _KEPT_SCORES:
                self._scores.pop(next(iter(self._scores)))
            found = (InDatabase if in_database else InMemory)(self._store, self._snapshot, key, upto)
        self._scores[key, upto] = found
        return found


class InMemory:
    """With numpy, in this process."""

    def __init__(self, store: Store, snapshot: "Snapshot", model: str, upto: int | None = None) -> None:
        self._vectors, self._sections, self._pieces = _laid_out(store, snapshot, model, upto)

    def of(
        self, connection: "Connection", asked: "Numbers", allowed: frozenset[int], beside: Sequence[int], most: int
    ) -> dict[int, float]:
        """Scores every section that is allowed. Of equally near ones, those with the lower number are taken."""
        import numpy as np

        places = [self._pieces[access] for access in sorted(allowed) if access in self._pieces]
        if not places:
            return {}
        sections = np.concatenate([self._sections[piece] for piece in places])
        near = np.round(np.concatenate([self._vectors[piece] @ asked for piece in places]), EXACT_TO)
        first = np.lexsort((sections, -near))[:most] if len(near) > most else np.arange(len(near))
        chosen = np.union1d(first, np.flatnonzero(np.isin(sections, np.asarray(beside, dtype=np.int64))))
        return dict(zip(sections[chosen].tolist(), near[chosen].tolist(), strict=True))


class InDatabase:
    """With pgvector, which is told the visible sections and scores no others."""

    def __init__(self, store: Store, snapshot: "Snapshot", model: str, upto: int | None = None) -> None:
        self._later = frozenset[int]() if upto is None else later_than(store, snapshot.id, model, upto)
        self._snapshot = snapshot
        self._model = model
        self._visible = Kept[frozenset[int], str](_KEPT_VISIBLE)

    def of(
        self, connection: "Connection", asked: "Numbers", allowed: frozenset[int], beside: Sequence[int], most: int
    ) -> dict[int, float]:
        """Asks by the keys of sections, and gives back their numbers."""
        keys, rows = self._snapshot.keys, self._snapshot.rows
        wanted = [keys[section] for section in beside]
        near = nearest(connection, self._model, asked.tolist(), self._keys_of(allowed), wanted, most)
        found = {rows[key]: at for key, at in near.items()}
        first = sorted(found, key=lambda section: (-found[section], section))[:most]
        return {section: found[section] for section in sorted({*first, *(found.keys() & set(beside))})}

    def _keys_of(self, allowed: frozenset[int]) -> str:
        known = self._visible.get(allowed)
        if known is not None:
            return known
        snapshot = self._snapshot
        seen = [key for key, access in zip(snapshot.keys, snapshot.access_of, strict=True) if access in allowed]
        if self._later:
            seen = [key for key in seen if key not in self._later]
        return self._visible.keep(allowed, array_of(seen), len(seen) + 1)


def _laid_out(
    store: Store, snapshot: "Snapshot", model: str, upto: int | None
) -> "tuple[Numbers, Places, dict[int, slice]]":
    """The vectors ordered by access, their sections, and where each access has its own."""
    import numpy as np

    stored = [(snapshot.rows[key], vector) for key, vector in stored_vectors(store, snapshot.id, model, upto)]
    stored.sort(key=lambda each: (snapshot.access_of[each[0]], each[0]))
    sections = [section for section, _ in stored]
    pieces: dict[int, slice] = {}
    for access, places in groupby(range(len(sections)), key=lambda place: snapshot.access_of[sections[place]]):
        own = list(places)
        pieces[access] = slice(own[0], own[-1] + 1)
    flat = np.frombuffer(b"".join(vector for _, vector in stored), dtype="<f4").astype(np.float32)
    return flat.reshape(len(sections), -1) if sections else flat, np.asarray(sections, dtype=np.int64), pieces


def best_of(scores: Mapping[int, float], most: int) -> list[int]:
    """The sections with the highest scores, the first where they are equal."""
    if len(scores) <= most:
        return list(scores)
    return heapq.nsmallest(most, scores, key=lambda section: (-scores[section], section))


def fused(
    words: Mapping[int, float], near: Mapping[int, float], by_words: Sequence[int], enough: float = _NEAR_ENOUGH
) -> dict[int, float]:
    """One score of two: the sum of both in standard deviations, of which the lowest is 1. Candidates are the best by
    words and the nearest, but not what has no word of the question and is far from it: there may be nothing to find.
    A section without a vector counts as one of middling nearness: what is not embedded is neither better nor worse."""
    candidates = list(by_words)
    own = set(by_words)
    candidates += [section for section, at in near.items() if section not in own and (section in words or at >= enough)]
    middle = math.fsum(near.values()) / len(near) if near else 0.0
    said = _standard([words.get(section, 0.0) for section in candidates])
    meant = _standard([near.get(section, middle) for section in candidates])
    sums = [one + _NEARNESS * other for one, other in zip(said, meant, strict=True)]
    lowest = min(sums, default=0.0)
    return {section: 1.0 + (sum_ - lowest) for section, sum_ in zip(candidates, sums, strict=True)}


def _standard(values: Sequence[float]) -> list[float]:
    if not values:
        return []
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / deviation for value in values] if deviation > 1e-9 else [0.0] * len(values)
