"""The facts that decisions about a call need, read from systems under the caller's own rights: each by a call of its
own, governed as every other. What several facts take from the same call is read once."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from fairlead.context.live import taken
from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.errors import Denied, FairleadError
from fairlead.execution.deployment import Fairlead
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest, digest_of
from fairlead.identity.types import Caller
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.tool_schema import fact_value
from fairlead.tools.cards import FactCard
from fairlead.tools.systems import System

Ask = Callable[[Fairlead, Caller, ToolRequest, Arrival], Awaitable[ToolAnswer]]

DOOR: Final = "facts"
_ARGUMENT: Final = re.compile(r"\$([A-Za-z0-9_.\-]+)")


async def facts_of(ask: Ask, fairlead: Fairlead, action: Action, system: System, asked: ToolAsked) -> ToolAsked:
    """The call with its facts. Raises `Denied` where one cannot be had: what is not known is not decided."""
    wanted = system.card_of(asked.tool.definition.name).facts
    if not wanted:
        return asked
    facts: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for name, card in wanted.items():
        arguments = _arguments(card, asked)
        key = digest_of(card.tool, arguments)
        try:
            if key not in told:
                told[key] = await _told(ask, fairlead, action, asked, card, arguments)
            facts[name] = fact_value(taken(told[key], card.take), card.type, name)
        except FairleadError as error:
            raise _unknown(error, asked, name, card) from error
    return replace(asked, facts=facts)


def _arguments(card: FactCard, asked: ToolAsked) -> dict[str, Any]:
    """What the fact's tool is called with. An argument that the call in question lacks is left out here as well."""
    return {
        key: _filled(value, asked.arguments)
        for key, value in card.arguments.items()
        if not (isinstance(value, str) and (whole := _ARGUMENT.fullmatch(value)) and whole[1] not in asked.arguments)
    }


async def _told(
    ask: Ask, fairlead: Fairlead, action: Action, asked: ToolAsked, card: FactCard, arguments: Mapping[str, Any]
) -> Any:
    """What the tool gives back: its data, or its text where there is only that."""
    named = {key: its for key, value in card.arguments.items() if (its := _sources(value, asked)) is not None}
    request = ToolRequest(
        name=card.tool,
        arguments=arguments,
        sources={key: named.get(key, frozenset({"workspace"})) for key in arguments},
    )
    came = action.arrival
    arrival = Arrival(
        door=DOOR,
        within=action.run,
        workflow=came.workflow,
        token=came.token,
        deadline=came.deadline,
        asks=came.asks,
        keep=came.keep,
    )
    with action.trace.waiting():
        answer = await ask(fairlead, action.caller, request, arrival)
    result = answer.result
    if result.failed:
        raise Denied(result.text[:200] or "the tool failed")
    return result.text if result.structured is None and result.pieces else result.structured


def _unknown(error: FairleadError, asked: ToolAsked, name: str, card: FactCard) -> Denied:
    return Denied(
        f"{asked.tool.name} cannot be decided: the fact {name} is not to be had",
        why=f"{card.tool}: {error.message}",
        mend=error.mend or "correct the arguments, or have the system's card corrected",
        subject=asked.tool.name,
    )


def _filled(value: Any, arguments: Mapping[str, Any]) -> Any:
    """`$name` is the argument of that name; in a longer text it stands for the argument as text."""
    if not isinstance(value, str):
        return value
    if (whole := _ARGUMENT.fullmatch(value)) is not None:
        return arguments.get(whole[1])
    return _ARGUMENT.sub(lambda found: str(arguments.get(found[1], "")), value)


def _sources(value: Any, asked: ToolAsked) -> frozenset[str] | None:
    names = _ARGUMENT.findall(value) if isinstance(value, str) else []
    return frozenset().union(*(asked.sources.get(each, frozenset()) for each in names)) if names else None
