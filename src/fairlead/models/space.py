"""The space that a model's vectors lie in. Vectors can be compared only within one space."""

from msgspec import Struct


class Space(Struct, frozen=True, kw_only=True):
    """What is declared of a model for embeddings.

    Models with equal `name` give vectors that can be compared, and may stand in for each other. `dimensions` is the
    length of a vector, None where nobody has said it; `shortens` tells whether the model gives shorter ones on request.
    `batch` is the most texts that its server takes in one call. Texts that have nothing to do with each other are less
    than `near` alike.
    """

    name: str
    dimensions: int | None = None
    shortens: bool = False
    batch: int = 2048
    near: float = 0.25
