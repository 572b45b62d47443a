"""`fairlead tools unused`: rights to tools that were granted and, as far as the log tells, never used."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import msgspec
import typer
from msgspec import Struct

from fairlead.cli.compiled import published
from fairlead.cli.known_callers import known_callers
from fairlead.cli.opening import log_of, open_store, open_vault
from fairlead.cli.output import Json, json_data, say, some, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.costs.record import Record
from fairlead.errors import NotFound, closest
from fairlead.identity import Caller
from fairlead.workspace.compile import Workspace as Compiled
from fairlead.workspace.published import publications

_NAMED: Final = 4  # tools in one line of a table
_KIND: Final = "call_tool"


class UnusedTool(Struct, frozen=True, kw_only=True):
    """A tool that was not called. `may` counts the known callers who might call it, `refused` calls that were not
    permitted."""

    tool: str
    effect: str
    may: int
    refused: int
    policies: tuple[str, ...]
    suggestion: str


class UnusedPolicy(Struct, frozen=True, kw_only=True):
    """A permit that let pass less than it could. `calls` are those that it let pass, `used` and `unused` its tools."""

    policy: str
    where: str
    to: str
    calls: int
    used: tuple[str, ...]
    unused: tuple[str, ...]
    suggestion: str


class UnusedCaller(Struct, frozen=True, kw_only=True):
    """A person or their agent, with the tools that they may call and did not."""

    person: str
    agent: str
    groups: tuple[str, ...]
    used: int
    unused: tuple[str, ...]


class Unused(Struct, frozen=True, kw_only=True):
    """The report. `log_from` is when the first record was made, and `published_at` when what is granted was published
    (0: never), in milliseconds since 1970. `others` are people in the records whose groups nobody knows here, because
    they came by tokens."""

    since: int
    log_from: int
    published_at: int
    tools: tuple[UnusedTool, ...]
    policies: tuple[UnusedPolicy, ...]
    callers: tuple[UnusedCaller, ...]
    others: int


class Granted(Struct, frozen=True, kw_only=True):
    """What is granted. `tools` gives each one's effect, `permits` those of each policy by (id, where, to whom), `may`
    the tools of each known caller, whose id in the records stands in `ids`."""

    tools: Mapping[str, str]
    permits: Mapping[tuple[str, str, str], tuple[str, ...]]
    may: Sequence[tuple[Caller, frozenset[str]]]
    ids: Mapping[str, str]


@dataclass(slots=True)
class _Used:
    """What the records tell."""

    tools: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)
    by_policy: dict[str, list[str]] = field(default_factory=dict)
    by_caller: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        if record.outcome == "refused" and not _was_let(record):
            self.refused[record.tool] = self.refused.get(record.tool, 0) + 1
            return
        self.tools.add(record.tool)
        self.by_caller.setdefault((record.person, record.agent), set()).add(record.tool)
        for policy in record.policies:
            self.by_policy.setdefault(policy, []).append(record.tool)


def _was_let(record: Record) -> bool:
    """Whether policies had let a refused call pass, or wanted a person to: then the right was used all the same."""
    return record.error is not None and record.error.code in ("approval_pending", "withheld", "no_credential")


def reported(
    records: Iterable[Record], granted: Granted, *, since: int, log_from: int, published_at: int = 0
) -> Unused:
    """The report of records from `since` on. Pure."""
    used = _Used()
    for record in records:
        if record.kind == _KIND and record.tool:
            used.add(record)
    known = {granted.ids[caller.person] for caller, _ in granted.may if caller.person in granted.ids}
    return Unused(
        since=since,
        log_from=log_from,
        published_at=published_at,
        tools=tuple(_tools(granted, used)),
        policies=tuple(_policies(granted, used)),
        callers=tuple(_callers(granted, used)),
        others=len({person for person, _ in used.by_caller} - known),
    )


def _tools(granted: Granted, used: _Used) -> Iterable[UnusedTool]:
    for tool, effect in sorted(granted.tools.items()):
        policies = tuple(sorted(id for (id, _, _), tools in granted.permits.items() if tool in tools))
        if tool not in used.tools and policies:
            yield UnusedTool(
                tool=tool,
                effect=effect,
                may=sum(tool in tools for _, tools in granted.may),
                refused=used.refused.get(tool, 0),
                policies=policies,
                suggestion=f"leave it out of `only:` of systems.{tool.partition('.')[0]}, or permit it to nobody",
            )


def _policies(granted: Granted, used: _Used) -> Iterable[UnusedPolicy]:
    for (id, where, to), tools in granted.permits.items():
        calls = used.by_policy.get(id, [])
        mine = tuple(sorted(set(tools) & set(calls)))
        left = tuple(sorted(set(tools) - set(calls)))
        if left:
            yield UnusedPolicy(
                policy=id, where=where, to=to, calls=len(calls), used=mine, unused=left, suggestion=_narrower(mine)
            )


def _narrower(used: tuple[str, ...]) -> str:
    if not used:
        return "remove it, if what it is for is not yet to come"
    actions = ", ".join(f'Action::"{tool}"' for tool in used)
    return f"action in [{actions}]" if len(used) > 1 else f"action == {actions}"


def _callers(granted: Granted, used: _Used) -> Iterable[UnusedCaller]:
    for caller, tools in granted.may:
        mine = used.by_caller.get((granted.ids.get(caller.person, ""), caller.agent), set())
        if left := tuple(sorted(tools - mine)):
            yield UnusedCaller(
                person=caller.person,
                agent=caller.agent,
                groups=tuple(sorted(caller.groups)),
                used=len(tools & mine),
                unused=left,
            )


def unused(
    since: Annotated[str, typer.Option(help="From when: `90d`, `12h`, or a day such as 2026-11-21.")] = "90d",
    system: Annotated[str, typer.Option("--system", help="Only this system's.")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Rights to tools that were granted and not used: by tool, by policy, and by person and agent.

    What is granted is what the published policies may let pass; what was used is what the log has. Nothing is changed.
    """
    place = find(workspace, data_folder)
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        if system and system not in compiled.systems:
            raise NotFound(f"there is no system {system!r}", mend=closest(system, compiled.systems))
        vault, everything = open_vault(place, store), log_of(store).since(0)
        first = next(everything, None)
        everything.close()
        granted = _granted(compiled, known_callers(compiled, store), vault.id_of, system)
        records = (record_of(row) for row in log_of(store).since(start))
        found = reported(
            records,
            granted,
            since=start,
            log_from=first.at if first is not None else 0,
            published_at=next((each.at for each in publications(store, most=1)), 0),
        )
    if json:
        json_data(msgspec.to_builtins(found))
    else:
        _show(found)


def _granted(compiled: Compiled, callers: Iterable[Caller], id_of: Callable[[str], str | None], system: str) -> Granted:
    rights = compiled.policy.tools
    tools = [tool for name, each in compiled.systems.items() if system in ("", name) for tool in each.tools.values()]
    permits: dict[tuple[str, str, str], list[str]] = {}
    for tool in tools:
        for each in rights.permits(tool):
            permits.setdefault((each.id, each.where, _to(each.tree["principal"])), []).append(tool.name)
    may = [(caller, frozenset(tool.name for tool in rights.visible(caller, tools))) for caller in callers]
    return Granted(
        tools={tool.name: tool.definition.effect for tool in tools},
        permits={key: tuple(names) for key, names in permits.items()},
        may=may,
        ids={caller.person: id for caller, _ in may if (id := id_of(caller.person)) is not None},
    )


def _to(scope: Mapping[str, Any]) -> str:
    """Whom the scope of a policy names, as far as it does."""
    entity = scope.get("entity") or (scope.get("in") or {}).get("entity")
    return f"{entity['type']} {entity['id']}" if entity else "everybody"


def _show(found: Unused) -> None:
    table(
        ["never called", "effect", "refused", "may", "permitted by"],
        [
            [each.tool, each.effect, str(each.refused), str(each.may), some(each.policies, _NAMED)]
            for each in found.tools
        ],
        right=["refused", "may"],
    )
    table(
        ["policy", "to", "calls", "permits and was not used for", "narrower"],
        [
            [each.policy, each.to, str(each.calls), some(each.unused, _NAMED), each.suggestion]
            for each in found.policies
        ],
        right=["calls"],
    )
    table(
        ["person", "agent", "used", "may and did not"],
        [[each.person, each.agent, str(each.used), some(each.unused, _NAMED)] for each in found.callers],
        right=["used"],
    )
    if not found.log_from:
        say("the log is empty: nothing is known of what is used")
    elif found.log_from > found.since:
        say(f"the log begins at {shown(found.log_from)} UTC: nothing is known of the time before")
    if found.published_at > found.since:
        say(f"what is granted was published at {shown(found.published_at)} UTC: some of it may be no older")
    if found.others:
        say(f"{found.others} more used tools by tokens; what their groups might do beside that is not known here")
    say("what was granted lately, or for a case that is rare, is not used yet: ask before you take it away")
