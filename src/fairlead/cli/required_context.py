"""How what a task type requires stands for somebody, among the pages of the folder."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from fairlead.clock import SystemClock
from fairlead.context.catalogue import catalogue_of
from fairlead.context.sufficiency import Standing, Sufficiency, day_of
from fairlead.execution.insufficient import clause
from fairlead.identity import Caller
from fairlead.tasks.types import TaskType
from fairlead.workspace.compile import Workspace


def required_of(
    compiled: Workspace, caller: Caller, type_: TaskType, edited: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    """A line for each need, today. It is for whoever runs the deployment, so that it says what is hidden. Live sources
    are not asked. `edited` has the published versions that were changed after they were verified, with the day."""
    catalogue = catalogue_of(compiled.items, names_items=compiled.policy.names_items)
    pages = [
        (replace(each, edited=edited.get((each.id, each.version), "")), catalogue.rights_of(each))
        for each in catalogue.entries
    ]
    standings = Sufficiency([type_], pages).standings(
        type_, compiled.policy.may_read(caller), day_of(SystemClock().now())
    )
    for each in standings:
        yield f"required {each.requirement.name}: {_stands(each)}, so: {_follows(each)}"


def _stands(standing: Standing) -> str:
    if standing.requirement.live:
        return "known when its source is asked"
    return f"{standing.state} ({clause(standing)})" if standing.reason else standing.state


def _follows(standing: Standing) -> str:
    outcome = standing.outcome
    if standing.requirement.live:
        return "as the source answers"
    told = ", as if it were missing" if standing.told != standing.state else ""
    return f"{outcome.does}{' ' + ', '.join(outcome.models) if outcome.models else ''}{told}"
