"""What a small model's vectors measure of a question and the sentences of a passage, beside their words.

Two kinds: of whole sentences, and of single words, each held against the word that comes nearest to it, both as it is
meant there (`meant`) and by itself (`plain`). The names are keys of `weights.json`.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from fairlead.models.sentence_encoder import Reading
from fairlead.models.words import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

MOST_SENTENCES: Final = 12
"""Of a passage that are read: those that hold most of what is asked."""


class Reader(Protocol):
    """Reads texts with a model. Takes some milliseconds a sentence: call it in a thread."""

    def read(self, texts: Sequence[str]) -> Sequence[Reading]:
        """What each text says piece by piece, in their order."""


def meaning_measures(asked: Reading, sentences: Sequence[Reading], nearest: int) -> dict[str, float]:
    """Of a question. `nearest` is the place of the sentence that holds most of its words."""
    import numpy as np

    content = np.array([_is_content(piece) for piece in asked.pieces], dtype=bool)
    if not content.any():
        content[:] = True
    meant = [_best(asked.vectors, each.vectors) for each in sentences]
    plain = [_best(asked.plain, each.plain) for each in sentences]
    return {
        **_of_sentences(asked, sentences, nearest),
        **dict(_of_words("meant", np.stack(meant), content, asked.rarity)),
        **dict(_of_words("plain", np.stack(plain), content, asked.rarity)),
    }


def _is_content(piece: str) -> bool:
    return piece not in STOP_WORDS and any(map(str.isalnum, piece))


def _best(asked: "Numbers", said: "Numbers") -> "Numbers":
    """How near the nearest word of a sentence comes to each word that is asked."""
    import numpy as np

    if not len(said):
        return np.zeros(len(asked), dtype=np.float32)
    best: Numbers = (asked @ said.T).max(axis=1)
    return best


def _of_sentences(asked: Reading, sentences: Sequence[Reading], nearest: int) -> dict[str, float]:
    import numpy as np

    vectors = np.stack([each.whole for each in sentences])
    near = vectors @ asked.whole
    order = np.sort(near)[::-1]
    middle = vectors.mean(axis=0)
    beside = [near[place] for place in (nearest - 1, nearest + 1) if 0 <= place < len(near)]
    return {
        "near_best": float(order[0]),
        "near_lead": float(order[0] - order[min(1, len(order) - 1)]),
        "near_passage": float(middle @ asked.whole / max(float(np.linalg.norm(middle)), 1e-6)),
        "near_there": float(near[nearest]),
        "near_agrees": float(int(near.argmax()) == nearest),
        "near_mean": float(near.mean()),
        "near_beside": float(max(beside, default=near[nearest])),
    }


def _of_words(
    kind: str, best: "Numbers", content: "NDArray[np.bool_]", rarity: "Numbers"
) -> Iterator[tuple[str, float]]:
    """`best` has a row a sentence: how well it holds each piece of the question. Rare pieces weigh more."""
    import numpy as np

    weights = rarity[content]
    shares = best[:, content] @ weights / weights.sum()
    top = int(shares.argmax())
    order = np.sort(shares)[::-1]
    here, anywhere = best[top, content], best[:, content].max(axis=0)
    whole = float(anywhere @ weights / weights.sum())
    found = {
        "best": order[0],
        "lead": order[0] - order[min(1, len(order) - 1)],
        "whole": whole,
        "least": here.min(),
        "low": np.quantile(here, 0.25),
        "mean": here.mean(),
        "missing_most": (weights * (1 - here)).max(),
        "missing_sum": (weights * (1 - here)).sum(),
        "absent": anywhere.min(),
        "absent_most": (weights * (1 - anywhere)).max(),
        "scattered": whole - order[0],
        "uneven": here.std(),
        "small_words": best[top, ~content].mean() if not content.all() else 0.0,
    }
    for name, value in found.items():
        yield f"{kind}_{name}", float(value)
