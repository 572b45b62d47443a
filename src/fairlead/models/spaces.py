"""What a workspace declares of models for embeddings, checked."""

from collections.abc import Iterable

from fairlead.errors import BadInput
from fairlead.models.declared import ModelSettings
from fairlead.models.schemes import Scheme
from fairlead.models.space import Space
from fairlead.models.types import Model


def space_of(name: str, asked: ModelSettings, defaults: Scheme, group: str) -> Space | None:
    """The space that a model's vectors lie in, None for a model that chats. Raises `BadInput` naming the key."""
    declared = asked.embeddings
    if declared is None:
        return None
    if not defaults.batch:
        raise BadInput(
            f"models.{name}.embeddings: `{asked.use}` gives no embeddings",
            why="its protocol has none, or this version does not speak that part of it",
            mend="leave `embeddings` out, or use a model of another kind",
        )
    return Space(
        name=declared.space or group or name,
        dimensions=declared.dimensions,
        shortens=declared.shortens,
        batch=declared.batch or defaults.batch,
        near=declared.near,
    )


def refuse_unlike(models: Iterable[Model]) -> None:
    """Raises `BadInput` where models say that they share a space, and that their vectors differ in length."""
    first: dict[str, Model] = {}
    for model in models:
        space = model.space
        if space is None or space.dimensions is None:
            continue
        known = first.setdefault(space.name, model)
        if known.space is not None and known.space.dimensions != space.dimensions:
            raise BadInput(
                f"models.{model.group or model.name}.embeddings.space: `{space.name}` has vectors of two lengths",
                why=f"{known.name} gives {known.space.dimensions} numbers, {model.name} gives {space.dimensions}",
                mend="correct `dimensions`, or give them spaces of their own",
            )
