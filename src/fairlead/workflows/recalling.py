"""What a model or an agent is told before it begins: the memory that its step names, recalled as any tool is called."""

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.labels import NO_LABELS, Labels
from fairlead.workflows.nodes import ToolNode
from fairlead.workflows.walk import Asked, Bounds, Place, StepResult

RECALL: Final = "memory.recall"
REMEMBER: Final = "memory.remember"

Recall = Callable[[Place, ToolNode, dict[str, str]], Awaitable[StepResult]]


class Recalled(Struct, frozen=True, kw_only=True):
    """What is remembered, as models read it, with its labels and where it came from."""

    texts: tuple[str, ...] = ()
    labels: Labels = NO_LABELS
    sources: tuple[str, ...] = ()
    cost: int = 0

    def told(self, asked: Asked, bounds: Bounds) -> tuple[Asked, Bounds]:
        """The question with it, within bounds that know of it."""
        sources = tuple(dict.fromkeys((*bounds.sources, *self.sources)))
        bounds = replace(bounds, labels=bounds.labels.joined(self.labels), sources=sources)
        return replace(asked, memory=self.texts), bounds

    def flowed(self, result: StepResult) -> StepResult:
        """A result that was made with it in mind."""
        known = tuple(dict.fromkeys((*result.provenance, *self.sources)))
        labels = result.labels.joined(self.labels)
        return replace(result, labels=labels, provenance=known, cost=result.cost + self.cost)


async def recalled(at: Place, scopes: list[str], recall: Recall) -> Recalled:
    """All of these scopes, each at a place of its own. Raises what the calls raise."""
    found = Recalled()
    for number, scope in enumerate(scopes):
        one = await recall(at.below("~memory", number), ToolNode(call=RECALL), {"scope": scope})
        found = Recalled(
            texts=(*found.texts, one.text),
            labels=found.labels.joined(one.labels),
            sources=(*found.sources, *one.provenance),
            cost=found.cost + one.cost,
        )
    return found
