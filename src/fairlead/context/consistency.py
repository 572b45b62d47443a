"""Whether those who did one piece of work knew the same: which versions they were given, and what is newer by now.

Pure: records in, report out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from fairlead.context.catalogue import Catalogue
from fairlead.context.citations import reference_of
from fairlead.context.types import is_live

_CHANGED = "changed"
_GONE = "gone"


class Step(Struct, frozen=True):
    """An action of the work as its record tells it. `citations` are what it was given: `item@version#section`."""

    run: str
    at: int
    agent: str
    task: str
    outcome: str
    snapshot: str
    citations: tuple[str, ...]


class Split(Struct, frozen=True):
    """An item that was given in several versions, with the runs that got each: what must not be."""

    item: str
    versions: dict[str, tuple[str, ...]]


class Newer(Struct, frozen=True):
    """An item that the work was given and that is `changed` or `gone` in what is in force. `agents` were given it."""

    item: str
    version: str
    now: str
    state: str
    agents: tuple[str, ...]


class OneSided(Struct, frozen=True):
    """An item that some of the work's agents were given and others were not, though they asked for pages as well."""

    item: str
    given: tuple[str, ...]
    not_given: tuple[str, ...]


class Consistency(Struct, frozen=True, kw_only=True):
    """The report. `consistent` says that nothing was given in two versions and all steps read one snapshot."""

    work: str
    consistent: bool
    snapshots: tuple[str, ...]
    agents: tuple[str, ...]
    steps: int
    splits: tuple[Split, ...]
    newer: tuple[Newer, ...]
    one_sided: tuple[OneSided, ...]


def consistency(work: str, steps: Iterable[Step], live: Catalogue) -> Consistency:
    """What is to be said of a piece of work. Steps that got no context say nothing about it."""
    told = [step for step in steps if step.snapshot]
    versions: dict[str, dict[str, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for step in told:
        cited = (reference_of(each) for each in step.citations if not is_live(each))
        for item, version in dict.fromkeys((each.item, each.version) for each in cited):
            versions[item][version].append(step)
    snapshots = tuple(dict.fromkeys(step.snapshot for step in told))
    splits = tuple(
        Split(item, {version: tuple(step.run for step in found) for version, found in sorted(each.items())})
        for item, each in sorted(versions.items())
        if len(each) > 1
    )
    agents = _agents(told)
    return Consistency(
        work=work,
        consistent=len(snapshots) <= 1 and not splits,
        snapshots=snapshots,
        agents=agents,
        steps=len(told),
        splits=splits,
        newer=tuple(_newer(versions, live)),
        one_sided=tuple(_one_sided(versions, agents)) if len(agents) > 1 else (),
    )


def _agents(steps: Iterable[Step]) -> tuple[str, ...]:
    return tuple(sorted({step.agent for step in steps}))


def _newer(versions: Mapping[str, Mapping[str, list[Step]]], live: Catalogue) -> Iterable[Newer]:
    for item, each in sorted(versions.items()):
        entry = live.by_id.get(item)
        for version, steps in sorted(each.items()):
            if entry is None:
                yield Newer(item, version, "", _GONE, _agents(steps))
            elif entry.version != version:
                yield Newer(item, version, entry.version, _CHANGED, _agents(steps))


def _one_sided(versions: Mapping[str, Mapping[str, list[Step]]], agents: tuple[str, ...]) -> Iterable[OneSided]:
    for item, each in sorted(versions.items()):
        given = _agents(step for steps in each.values() for step in steps)
        if len(given) < len(agents):
            yield OneSided(item, given, tuple(agent for agent in agents if agent not in given))
