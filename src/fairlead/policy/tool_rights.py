"""Who may call which tool with which arguments: allow, ask a person, or deny. Pure, as all policy."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import CedarRequest
from fairlead.policy.judge import Judge
from fairlead.policy.keys import Remembered, caller_key
from fairlead.policy.sources import Statement
from fairlead.policy.tool_schema import counts, record_value
from fairlead.policy.types import Decision
from fairlead.tools.types import Tool

Sources = frozenset[str]
"""Where a value came from: "user", "workspace", "document:ID", "tool:crm.get_order", "model:NAME" or "unknown"."""

UNKNOWN: Final[Sources] = frozenset({"unknown"})
_ALWAYS_TRUSTED: Final = ("user", "workspace")
_NONE: Final[frozenset[str]] = frozenset()


class ToolAsked(Struct, frozen=True, kw_only=True):
    """One call, as policies see it. `sources` are those of each argument by name, `read` what the run has read before,
    `approved` the roles that have let this very call pass, `facts` the values in Cedar's form."""

    tool: Tool
    arguments: Mapping[str, Any]
    sources: Mapping[str, Sources]
    labels: Labels = NO_LABELS
    read: Sources = _NONE
    facts: Mapping[str, Any] = {}
    approved: frozenset[str] = _NONE
    task: str = ""
    door: str = ""


class ToolRights:
    """The policies about tools of one revision. `trusted` are the systems that nobody outside can write into."""

    def __init__(self, statements: Sequence[Statement], trusted: Iterable[str] = ()) -> None:
        self._statements = [each for each in statements if not each.approval]
        self._asking = [each for each in statements if each.approval]
        self._trusted = frozenset(trusted)
        self._judges: dict[str, tuple[Judge, Judge | None]] = {}
        self._seen: dict[str, Judge] = {}
        self._memory = Remembered()

    def decide(self, caller: Caller, asked: ToolAsked) -> Decision:
        """Whether it may be done. Raises `BadInput` for an argument that policies cannot judge."""
        judge, asking = self._judges_of(asked.tool)
        request = self._request(caller, asked)
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

    def visible(self, caller: Caller, tools: Sequence[Tool]) -> list[Tool]:
        """The tools that some call of this caller might be permitted: what policies say of persons and tools counts,
        and what they say of single calls is left to the call."""
        found = []
        who = cedar.person(caller)
        for tool in tools:
            judge = self._seeing(tool)
            key = (tool.name, caller_key(judge.reads)(caller))
            known = self._memory.get(key)
            if known is None:
                request = CedarRequest(who, tool.name, cedar.tool(tool), {}, (cedar.tool_action(tool),))
                known = judge.decide([lambda redacted, it=request: it], _NONE)[0].allowed  # type: ignore[misc]
                self._memory.keep(key, known)
            if known:
                found.append(tool)
        return found

    def _judges_of(self, tool: Tool) -> tuple[Judge, Judge | None]:
        known = self._judges.get(tool.name)
        if known is None:
            asking = [each for each in self._asking if (each.actions or set()) & {tool.name, "call_tool"}]
            known = self._judges[tool.name] = (
                Judge(tool.name, self._statements, "call_tool"),
                Judge(tool.name, [_permit_all(tool), *asking], "call_tool") if asking else None,
            )
        return known

    def _seeing(self, tool: Tool) -> Judge:
        judge = self._seen.get(tool.name)
        if judge is None:
            mine = Judge(tool.name, self._statements, "call_tool").statements.values()
            judge = self._seen[tool.name] = Judge(tool.name, list(_of_any_call(mine)), "call_tool")
        return judge

    def _request(self, caller: Caller, asked: ToolAsked) -> CedarRequest:
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
            "untrusted": sorted(
                name for name, its in asked.sources.items() if not all(self.trusts(each) for each in its)
            ),
            "read": sorted(asked.read),
            "tainted": not all(self.trusts(each) for each in asked.read),
            "arguments": record_value(asked.arguments, tool.definition.input),
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


def _of_any_call(statements: Iterable[Statement]) -> Iterable[Statement]:
    """The statements as far as they can be judged without a call: a permit that depends on it may hold, a forbid that
    depends on it may not."""
    for each in statements:
        conditions = each.tree["conditions"]
        left = [one for one in conditions if not _reads_context(one)]
        if len(left) == len(conditions):
            yield each
        elif each.effect == "permit":
            yield replace(each, tree={**each.tree, "conditions": left})


def _reads_context(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_reads_context, node))
    if not isinstance(node, dict):
        return False
    return node.get("Var") == "context" or any(map(_reads_context, node.values()))
