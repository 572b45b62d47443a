"""Which model gives texts their vectors, where the workspace wants a search by meaning at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairlead.context.settings import ContextSettings
from fairlead.context.vector_rows import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fairlead.models.sentence_encoder import Reading


class LocalEmbedder:
    """The small model that runs in this process: nothing leaves it, so whatever class a page has may be embedded."""

    model = "local/minilm-l6-v2"

    def vectors(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        from fairlead.models.sentence_encoder import installed_encoder

        return installed_encoder().vectors(texts)

    def read(self, texts: Sequence[str]) -> "Sequence[Reading]":
        from fairlead.models.sentence_encoder import installed_encoder

        return installed_encoder().read(texts)


def embedder_of(settings: ContextSettings) -> Embedder | None:
    """None where nothing is embedded. Raises `BadInput` where what it takes is not installed; reads no weights yet."""
    if settings.embeddings == "none":
        return None
    from fairlead.models.sentence_encoder import installed_weights

    installed_weights()
    return LocalEmbedder()
