"""Who may call which tool with which arguments: allow, ask a person, or deny. Pure, as all policy."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from msgspec import Struct
from msgspec.structs import replace

from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import CedarRequest
from fairlead.policy.deciding import ALL_DECIDE, Decisive
from fairlead.policy.judge import Judge
from fairlead.policy.keys import Remembered, caller_key
from fairlead.policy.reads import Reads
from fairlead.policy.sources import Statement
from fairlead.policy.tool_schema import counts, record_value
from fairlead.policy.tool_scopes import Scopes, tells_tools_apart
from fairlead.policy.types import Decision
from fairlead.tools.types import Tool

SameFor = Callable[[Caller], Hashable]
Sources = frozenset[str]
"""Where a value came from: "user", "workspace", "document:ID", "tool:crm.get_order", "model:NAME" or "unknown"."""

UNKNOWN: Final[Sources] = frozenset({"unknown"})
_ALWAYS_TRUSTED: Final = ("user", "workspace")
_NONE: Final[frozenset[str]] = frozenset()
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})
_ABOUT_SOURCES: Final = ("sources", "untrusted", "from", "read", "tainted", "decided_by_others")


class ToolAsked(Struct, frozen=True, kw_only=True):
    """One call, as policies see it. `sources` are those of each argument by name, `links` those of the links, addresses
    and account numbers in its texts, where it has any; `read` is what the run has read before, `answers` what was
    answered to questions of the system, `state` what it hears again with that and nobody reads, `approved` the roles
    that have let this very call pass, `facts` the values in Cedar's form."""

    tool: Tool
    arguments: Mapping[str, Any]
    sources: Mapping[str, Sources]
    answers: Mapping[str, Any] = {}
    state: str | None = None
    labels: Labels = NO_LABELS
    read: Sources = _NONE
    links: Mapping[str, Sources] = {}
    facts: Mapping[str, Any] = {}
    approved: frozenset[str] = _NONE
    task: str = ""
    door: str = ""


class ToolRights:
    """The policies about tools of one revision. `trusted` are the systems that nobody outside can write into.

    `decisive` says which arguments of each tool decide who gains by a call, or what it touches; of a tool that is not
    named there, all do. `reads_sources`: some policy looks at where arguments come from.
    """

    def __init__(
        self,
        statements: Sequence[Statement],
        trusted: Iterable[str] = (),
        decisive: Decisive = ALL_DECIDE,
    ) -> None:
        self._scopes = Scopes([each for each in statements if not each.approval])
        self._asking = [each for each in statements if each.approval]
        self._trusted = frozenset(trusted)
        self._decisive = decisive
        self._judges: dict[str, tuple[Judge, Judge | None, SameFor | None]] = {}
        self._shared: dict[tuple[str, ...], Judge] = {}
        self._seeing: dict[str, tuple[Judge, bool]] = {}
        reads = Reads(statements)
        self._sight = caller_key(reads)
        self.reads_links = reads.of("context", "decided_by_others")
        self.reads_sources = any(reads.of("context", each) for each in _ABOUT_SOURCES)
        self._memory = Remembered()

    def decide(self, caller: Caller, asked: ToolAsked) -> Decision:
        """Whether it may be done. Raises `BadInput` for an argument that policies cannot judge."""
        judge, asking, same_for = self._judges_of(asked.tool)
        arguments = record_value(asked.arguments, asked.tool.definition.input)
        if same_for is None:
            return self._decided(judge, asking, asked, self._request(caller, asked, arguments))
        key = (asked.tool.name, same_for(caller))
        known = self._memory.get(key)
        if known is None:
            known = self._decided(judge, asking, asked, self._request(caller, asked, arguments))
            self._memory.keep(key, known)
        return cast(Decision, known)

    def _decided(self, judge: Judge, asking: Judge | None, asked: ToolAsked, request: CedarRequest) -> Decision:
        decision = judge.decide([lambda redacted: request], _NONE)[0]
        if not decision.allowed or asking is None:
            return decision
        wanting = asking.decide([lambda redacted: request], _NONE)[0]
        if wanting.errors:
            return replace(wanting, effect="deny")
        # Nothing but what forbids stands there, and a permit for all: who is allowed need not ask.
        reasons = tuple(each for each in wanting.reasons if asking.statements[each.policy].effect == "forbid")
        wanted = frozenset(asking.statements[each.policy].approval for each in reasons)
        hits = (*decision.hits, *wanting.hits)
        if wanted <= asked.approved:
            return replace(decision, reasons=(*decision.reasons, *reasons), hits=hits)
        return Decision("ask", reasons, hits=hits, ask=wanted - asked.approved)

    def trusts(self, source: str) -> bool:
        """Whether a value from there may be acted upon as if the caller had given it."""
        kind, _, name = source.partition(":")
        if kind == "tool":
            return name.partition(".")[0] in self._trusted
        return source in _ALWAYS_TRUSTED or kind == "document"

    def permits(self, tool: Tool) -> list[Statement]:
        """The policies that could let a call of this tool pass, for whomever."""
        return [each for each in self._scopes.about(tool) if each.effect == "permit" and each.mode == "enforce"]

    def _trusts_all(self, sources: Sources) -> bool:
        return all(map(self.trusts, sources))

    def _decided_by_others(self, asked: ToolAsked) -> Iterator[str]:
        """The names of the arguments by which somebody who is not trusted decides who gains, or what is touched. In a
        text that decides nothing, that is the links in it."""
        known = self._decisive.tools.get(asked.tool.name)
        house = self._decisive.directory if known is not None and known.tells else _NONE
        for name, sources in asked.sources.items():
            if asked.arguments[name] in _EMPTY or self._trusts_all(sources):
                continue
            if known is None or name in known.names:
                if not self._trusts_all(sources - house):
                    yield name
            elif not self._trusts_all(asked.links.get(name, _NONE)):
                yield name

    def visible(self, caller: Caller, tools: Sequence[Tool]) -> list[Tool]:
        """The tools that some call of this caller might be permitted: what policies say of persons and tools counts,
        and what they say of single calls is left to the call."""
        key = (self._sight(caller), *(tool.digest for tool in tools), *(tool.name for tool in tools))
        known = cast("frozenset[str] | None", self._memory.get(key))
        if known is None:
            known = frozenset(self._seen(caller, tools))
            self._memory.keep(key, known)
        return [tool for tool in tools if tool.name in known]

    def _seen(self, caller: Caller, tools: Sequence[Tool]) -> Iterator[str]:
        """Their names. Tools that the same policies speak of are asked about in one go; where none of these looks at
        which tool it is, what holds for one holds for all."""
        who = cedar.person(caller)
        alike: dict[int, tuple[Judge, bool, list[Tool]]] = {}
        for tool in tools:
            judge, apart = self._judge_of_sight(tool)
            alike.setdefault(id(judge), (judge, apart, []))[2].append(tool)
        for judge, apart, mine in alike.values():
            asked = mine if apart else mine[:1]
            requests = [CedarRequest(who, one.name, cedar.tool(one), {}, (cedar.tool_action(one),)) for one in asked]
            ways = [lambda redacted, it=each: it for each in requests]
            for tool, decision in zip(asked, judge.decide(ways, _NONE), strict=True):
                if decision.allowed:
                    yield from (tool.name,) if apart else (each.name for each in mine)

    def prepare(self, tools: Iterable[Tool]) -> None:
        """Find out once which policies speak of which tool, before the first caller asks. Call it in a thread."""
        for tool in tools:
            self._judge_of_sight(tool)

    def _judges_of(self, tool: Tool) -> tuple[Judge, Judge | None, SameFor | None]:
        known = self._judges.get(tool.name)
        if known is None:
            asking = [each for each in self._asking if (each.actions or set()) & {tool.name, "call_tool"}]
            judge = self._judge(self._scopes.about(tool))
            reads = judge.reads
            # Where no policy looks at a single call, and nobody is asked, callers are all that decides.
            always = not asking and "context" not in reads.whole and not reads.attributes["context"]
            known = self._judges[tool.name] = (
                judge,
                Judge(tool.name, [_permit_all(tool), *asking], "call_tool") if asking else None,
                caller_key(reads) if always else None,
            )
        return known

    def _judge_of_sight(self, tool: Tool) -> tuple[Judge, bool]:
        """And whether it tells tools apart."""
        known = self._seeing.get(tool.name)
        if known is None:
            judge = self._judge(self._scopes.of_any_call(tool), "seen")
            known = self._seeing[tool.name] = judge, tells_tools_apart(judge.statements.values())
        return known

    def _judge(self, statements: Sequence[Statement], kind: str = "called") -> Judge:
        """Of exactly these policies. Tools that the same ones speak of have one in common."""
        key = (kind, *(each.id for each in statements))
        if key not in self._shared:
            self._shared[key] = Judge("", statements)
        return self._shared[key]

    def _request(self, caller: Caller, asked: ToolAsked, arguments: dict[str, Any]) -> CedarRequest:
        tool, labels = asked.tool, asked.labels
        sources = frozenset().union(*asked.sources.values()) if asked.sources else _NONE
        context = {
            "task": asked.task,
            "door": asked.door,
            "labels": sorted(labels.categories),
            "data_class": int(labels.data_class),
            "class": DataClass(labels.data_class).name,
            "redacted": [],
            "given": sorted(asked.arguments),
            "sources": sorted(sources),
            "untrusted": sorted(name for name, its in asked.sources.items() if not self._trusts_all(its)),
            "decided_by_others": sorted(self._decided_by_others(asked)) if self.reads_links else [],
            "read": sorted(asked.read),
            "tainted": not self._trusts_all(asked.read),
            "arguments": arguments,
            "facts": dict(asked.facts),
            "count": counts(asked.arguments, tool.definition.input),
            "from": {name: sorted(its) for name, its in asked.sources.items()},
        }
        return CedarRequest(cedar.person(caller), tool.name, cedar.tool(tool), context, (cedar.tool_action(tool),))


def _permit_all(tool: Tool) -> Statement:
    everything = {"op": "All"}
    tree = {
        "effect": "permit", "principal": everything, "action": everything, "resource": everything, "conditions": []
    }  # fmt: skip
    return Statement("unless-asked", "", tool.name, "permit", tree, "", _NONE)
