"""Task types: declared kinds of work, the unit of required context, routing, cost and checks."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from fairlead.labels import Labels


class TaskType(Struct, frozen=True, kw_only=True):
    """A declared kind of work, checked. Times are in seconds, limits in tokens.

    `examples` teach the classification. `prefer` orders the permitted models, best first. `context` is the token
    budget of the context pack, 0 for none; with `grounded` the task is refused when the pack is empty. `extracts` is
    the JSON Schema of replies that take data out of texts.
    """

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    context: int = 0
    grounded: bool = False
    max_output: int | None = None
    deadline: float | None = None
    instructions: str = ""
    extracts: Mapping[str, Any] = {}


class Task(Struct, frozen=True, kw_only=True):
    """What a request turned out to be. `type` is the declared type, or the workspace's default one when classification
    abstained (`abstained`). `labels` are what detectors found in the request, `question` the last thing asked."""

    type: TaskType
    labels: Labels
    question: str
    abstained: bool = False
    confidence: float = 0.0
