"""What must hold before a tool is called, as its system's card says it: written out as Cedar, so that one evaluator
decides."""

from collections.abc import Iterable, Iterator

from fairlead.errors import BadInput
from fairlead.policy.sources import quoted, single
from fairlead.tools.cards import Precondition
from fairlead.tools.systems import System


def written(systems: Iterable[System]) -> Iterator[tuple[str, str]]:
    """For each system with preconditions its card's path and the policies. Raises `BadInput`."""
    for system in systems:
        path = f"systems/{system.name}.yaml"
        text = "".join(
            _policy(path, f"{system.name}.{tool}", name, each)
            for tool, card in system.card.tools.items()
            for name, each in card.requires.items()
        )
        if text:
            yield path, text


def _policy(path: str, tool: str, name: str, precondition: Precondition) -> str:
    key = f"{path}: tools.{tool.partition('.')[2]}.requires.{name}"
    if not single(precondition.that):
        raise BadInput(
            f"{key}: `that` is not one Cedar expression",
            mend='write what must be true, such as context.arguments.amount.lessThan(decimal("100.0"))',
        )
    asks = f" @approval({quoted(precondition.approval)})" if precondition.approval else ""
    return (
        f"@id({quoted(f'{tool}#{name}')}) @reason({quoted(precondition.instead)}){asks}\n"
        f"forbid(principal, action == Action::{quoted(tool)}, resource) unless {{ {precondition.that}\n}};\n"
    )
