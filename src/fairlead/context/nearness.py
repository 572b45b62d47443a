"""How near sections are in meaning to a question, and what comes of it together with their words.

Each access has its vectors in one piece. Those of accesses that the caller may not read are not looked at: what is
scored is what is visible, all of it and exactly.
"""

import heapq
import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from fairlead.context.known_words import Kept
from fairlead.context.vector_rows import Embedder, stored_vectors
from fairlead.storage.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fairlead.context.search import Snapshot

    Numbers = NDArray[np.float32]
    Places = NDArray[np.int64]

# Chosen on one half of the evals' questions (their `--half chosen`), checked on the other.
_NEAR_ENOUGH = 0.25  # for a section that has no word of the question: unrelated texts have up to 0.2
_NEARNESS = 1.0  # what the nearness counts beside the words, both in their own standard deviations
LEAST_CANDIDATES = 50
_EXACT_TO = 5  # decimals: what was added up in another order comes out the same
_KEPT_QUESTIONS = 512


class Nearness:
    """The vectors of one snapshot in memory, and those of questions. For one thread at a time."""

    def __init__(self, store: Store, snapshot: "Snapshot", embedder: Embedder) -> None:
        """Reads 1.5 KB a section."""
        self._embedder = embedder
        self._questions = Kept[str, "Numbers"](_KEPT_QUESTIONS)
        self._vectors, self._sections, self._pieces = _laid_out(store, snapshot, embedder.model)

    def of(self, question: str, allowed: frozenset[int], beside: Sequence[int], most: int) -> dict[int, float]:
        """The similarity of the `most` nearest sections among the accesses `allowed`, and of `beside` (numbers of
        sections that are visible), where they are embedded."""
        import numpy as np

        places = [self._pieces[access] for access in sorted(allowed) if access in self._pieces]
        if not places:
            return {}
        asked = self._vector(question)
        sections = np.concatenate([self._sections[piece] for piece in places])
        near = np.round(np.concatenate([self._vectors[piece] @ asked for piece in places]), _EXACT_TO)
        nearest = np.lexsort((sections, -near))[:most] if len(near) > most else np.arange(len(near))
        chosen = np.union1d(nearest, np.flatnonzero(np.isin(sections, np.asarray(beside, dtype=np.int64))))
        return dict(zip(sections[chosen].tolist(), near[chosen].tolist(), strict=True))

    def _vector(self, question: str) -> "Numbers":
        found = self._questions.get(question)
        if found is None:
            found = self._questions.keep(question, self._embedder.vectors([question])[0], 1)
        return found


def _laid_out(store: Store, snapshot: "Snapshot", model: str) -> "tuple[Numbers, Places, dict[int, slice]]":
    """The vectors ordered by access, their sections, and where each access has its own."""
    import numpy as np

    stored = [(snapshot.rows[key], vector) for key, vector in stored_vectors(store, snapshot.id, model)]
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


def fused(words: Mapping[int, float], near: Mapping[int, float], by_words: Sequence[int]) -> dict[int, float]:
    """One score of two: the sum of both in standard deviations, of which the lowest is 1. Candidates are the best by
    words and the nearest, but not what has no word of the question and is far from it: there may be nothing to find.
    A section without a vector counts as one of middling nearness: what is not embedded is neither better nor worse."""
    candidates = list(by_words)
    own = set(by_words)
    candidates += [section for section, at in near.items() if section not in own and _may_bear(section, at, words)]
    middle = math.fsum(near.values()) / len(near) if near else 0.0
    said = _standard([words.get(section, 0.0) for section in candidates])
    meant = _standard([near.get(section, middle) for section in candidates])
    sums = [one + _NEARNESS * other for one, other in zip(said, meant, strict=True)]
    lowest = min(sums, default=0.0)
    return {section: 1.0 + sum_ - lowest for section, sum_ in zip(candidates, sums, strict=True)}


def _may_bear(section: int, near: float, words: Mapping[int, float]) -> bool:
    return section in words or near >= _NEAR_ENOUGH


def _standard(values: Sequence[float]) -> list[float]:
    if not values:
        return []
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / deviation for value in values] if deviation > 1e-9 else [0.0] * len(values)
