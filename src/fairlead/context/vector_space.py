"""How a model for embeddings that the workspace declares is used for pages and questions. Nothing here asks it."""

from collections.abc import Iterable

from msgspec import Struct

from fairlead.context.settings import ContextSettings
from fairlead.models.types import Model


class VectorSpace(Struct, frozen=True, kw_only=True):
    """`model` is what requests name. Vectors are kept under `key`, and compared only where it is equal. `near` is how
    near a section without a word of the question must be, `within` the seconds that a question may take, `batch` the
    most texts of one call."""

    model: str
    key: str
    near: float
    within: float
    batch: int


class AskedVector(Struct, frozen=True, array_like=True):
    """What a question means to a model, as floats of four bytes, and what it is compared with: vectors under `key`, of
    those the ones up to the number `upto` (None for all), where they are at least `near`."""

    key: str
    upto: int | None
    near: float
    vector: bytes


def vector_space(settings: ContextSettings, models: Iterable[Model]) -> VectorSpace | None:
    """What `context.embeddings` names, None where it names no model of the workspace. Vectors of another model, of
    another length or of a space by another name are made anew; a server's address says nothing of them."""
    name = settings.embedding_model
    spaces = [
        (each.remote, each.space) for each in models if each.space is not None and name in (each.name, each.group)
    ]
    if not name or not spaces:
        return None
    first = spaces[0][1]
    length = "" if first.dimensions is None else f":{first.dimensions}"
    return VectorSpace(
        model=name,
        key=f"{first.name}={'+'.join(sorted({remote for remote, _ in spaces}))}{length}",
        near=first.near,
        within=settings.embeddings_within,
        batch=min(space.batch for _, space in spaces),
    )
