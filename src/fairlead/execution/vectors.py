"""The vectors of an embedding as they come, batch by batch: looked at before they count, and known for the bill."""

from collections.abc import Iterator, Sequence

from fairlead.errors import Upstream
from fairlead.models.embedding import EmbedCall, EmbeddingDriver, Embeddings
from fairlead.models.failures import unusable
from fairlead.models.tally import likely_tokens, size_of
from fairlead.models.types import Model, Usage
from fairlead.policy.types import Hit


class Vectors:
    """Serves an action through all its attempts. Nothing of it leaves before the end, so another model of the same
    space can always start over. `dimensions` is the length that was asked for, None for the model's own."""

    started = False

    def __init__(self, dimensions: int | None) -> None:
        self.model: Model | None = None
        self.values: list[list[float]] = []
        self._dimensions = dimensions
        self._usage = Usage()
        self._under_way = 0  # bytes that the provider has and has not counted

    def begin(self, model: Model) -> None:
        """Start over for another attempt."""
        self.model = model
        self.values = []
        self._usage = Usage()
        self._under_way = 0

    async def fetch(self, driver: EmbeddingDriver, call: EmbedCall) -> None:
        """Add the vectors of one call. Raises `Upstream` for what the provider does not answer, or answers wrong."""
        self._under_way = sum(map(size_of, call.texts))
        try:
            got = await driver.embed(call)
        except Upstream as error:
            if error.charged == "no":
                self._under_way = 0
            raise
        self._add(got)

    def _add(self, got: Embeddings) -> None:
        found = got.usage or Usage(input=likely_tokens(self._under_way), estimated=True)
        before = self._usage
        self._usage = Usage(input=before.input + found.input, estimated=before.estimated or found.estimated)
        self._under_way = 0
        self._refuse_odd(got.vectors)
        self.values += got.vectors

    def _refuse_odd(self, vectors: Sequence[list[float]]) -> None:
        """Raises `Upstream` for vectors that could not be compared with others of their space."""
        assert self.model is not None
        space = self.model.space
        wanted = self._dimensions or (space.dimensions if space is not None else None)
        if wanted is None:
            wanted = len(next(iter(self.values or vectors), ()))
        odd = next((len(each) for each in vectors if len(each) != wanted), None)
        if odd is not None or not wanted:
            why = f"it has vectors of {odd or 0} numbers where {wanted} belong"
            error = unusable(why, subject=self.model.name, charged="part")
            name = self.model.group or self.model.name
            error.mend = f"correct models.{name}.embeddings.dimensions, or which model answers at its address"
            raise error

    def usage_so_far(self) -> Usage:
        """What the provider counted, and an estimate of a token for four bytes of what it has not counted."""
        if not self._under_way:
            return self._usage
        return Usage(input=self._usage.input + likely_tokens(self._under_way), estimated=True)

    def hits(self) -> frozenset[Hit]:
        """None: no rule reads what vectors say."""
        return frozenset()

    def reply_text(self) -> str:
        """Vectors are no text: the payload keeps the request alone, from which they can be had again."""
        return ""


def batches(texts: list[str], most: int) -> Iterator[list[str]]:
    """The texts, as many at a time as a server takes in one call."""
    return (texts[at : at + most] for at in range(0, len(texts), most))
