"""Which model gives texts their vectors, where the workspace wants a search by meaning at all."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fairlead.context.settings import ContextSettings
from fairlead.context.vector_rows import Embedder
from fairlead.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fairlead.models.sentence_encoder import Reading


class LocalEmbedder:
    """The small model that runs in this process: nothing leaves it, so whatever class a page has may be embedded."""

    model = "local/minilm-l6-v2"

    def vectors(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """A row of length 1 for each text, in order. The weights are read at the first time."""
        from fairlead.models.sentence_encoder import installed_encoder

        return installed_encoder().vectors(texts)

    def read(self, texts: Sequence[str]) -> "Sequence[Reading]":
        """What the model makes of each text, piece by piece: see `Reading`."""
        from fairlead.models.sentence_encoder import installed_encoder

        return installed_encoder().read(texts)


def embedder_of(settings: ContextSettings) -> Embedder | None:
    """What embeds in this process, None where nothing does: a model that the workspace declares is asked on the
    governed path. Raises `BadInput` where what it takes is not installed; reads no weights yet."""
    if settings.embedding_model:
        _require_numpy(settings.embeddings)
    if settings.embeddings != "local":
        return None
    from fairlead.models.sentence_encoder import installed_weights

    installed_weights()
    return LocalEmbedder()


def _require_numpy(model: str) -> None:
    if find_spec("numpy") is None:
        raise BadInput(
            f"`embeddings: {model}` needs numpy, which is not here",
            why="vectors are compared with it, and not everybody searches by meaning",
            mend='pip install "fairlead[embeddings]"',
            subject="context.embeddings",
        )
