"""What a model for embeddings is asked and what it answers, in one form that belongs to no vendor."""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, Protocol

from msgspec import Struct

from fairlead.labels import NO_LABELS, Labels
from fairlead.models.allowance import Allowance
from fairlead.models.deployments import Group
from fairlead.models.types import Model, Usage

Purpose = Literal["query", "document"]
"""What a text is embedded for. Models that tell the two apart are told; to others it says nothing."""


class EmbedRequest(Struct, frozen=True, kw_only=True):
    """What the caller wants, whatever door it came in by.

    `model` is as in a `ChatRequest`. `size` is the number of bytes of input that a model could be billed for at one
    token a byte: an upper bound. `user` is who asks, for an endpoint that is declared to be told. `labels` are known of
    the texts beside what detectors find in them.
    """

    model: str
    texts: list[str]
    size: int
    dimensions: int | None = None
    purpose: Purpose | None = None
    user: str | None = None
    labels: Labels = NO_LABELS


class EmbedCall(Struct, frozen=True, kw_only=True):
    """One call to one model: as many texts as its server takes at once, redacted for its placement.

    `dimensions` is None where the model's own length is wanted. `deadline` is in the clock's monotonic seconds.
    """

    model: Model
    texts: list[str]
    dimensions: int | None
    purpose: Purpose | None
    user: str | None
    deadline: float
    idempotency_key: str
    heeds: Callable[[tuple[Allowance, ...]], None] | None = None


class Embeddings(Struct, frozen=True):
    """A vector for each text of a call, in order. `usage` is None where the provider counted nothing."""

    vectors: list[list[float]]
    usage: Usage | None


class EmbeddingDriver(Protocol):
    """Carries calls for embeddings to one endpoint."""

    async def embed(self, call: EmbedCall) -> Embeddings:
        """The vectors of a call. Raises `Upstream`."""


class Embedders(Struct, frozen=True):
    """The models of a workspace that give embeddings, apart from those that chat: no request goes to the other kind.

    `drivers` are by endpoint, `groups` are the models with deployments.
    """

    models: Mapping[str, Model] = {}
    groups: Mapping[str, Group] = {}
    drivers: Mapping[str, EmbeddingDriver] = {}

    @property
    def names(self) -> Collection[str]:
        """What callers may ask for."""
        return (*self.models, *self.groups) if self.models else ()


NO_EMBEDDERS = Embedders()
