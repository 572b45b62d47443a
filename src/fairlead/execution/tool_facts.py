"""The facts that decisions about a call need, read from systems under the caller's own rights: each by a call of its
own, governed as every other."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.errors import Denied, FairleadError
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.identity.types import Caller
from fairlead.policy.tool_rights import ToolAsked
from fairlead.policy.tool_schema import fact_value
from fairlead.tools.cards import FactCard
from fairlead.tools.settings import System

Ask = Callable[[Fairlead, Caller, ToolRequest, Arrival], Awaitable[ToolAnswer]]

DOOR: Final = "facts"
_ARGUMENT: Final = re.compile(r"\$([A-Za-z0-9_.\-]+)")


async def facts_of(
    ask: Ask, fairlead: Fairlead, deployment: Deployment, action: Action, system: System, asked: ToolAsked
) -> ToolAsked:
    """The call with its facts. Raises `Denied` where one cannot be had: what is not known is not decided."""
    wanted = system.card_of(asked.tool.definition.name).facts
    if not wanted:
        return asked
    facts = {name: await _fact(ask, fairlead, action, asked, name, each) for name, each in wanted.items()}
    return replace(asked, facts=facts)


async def _fact(ask: Ask, fairlead: Fairlead, action: Action, asked: ToolAsked, name: str, card: FactCard) -> Any:
    arguments = {key: _filled(value, asked.arguments) for key, value in card.arguments.items()}
    named = {key: its for key, value in card.arguments.items() if (its := _sources(value, asked)) is not None}
    request = ToolRequest(
        name=card.tool,
        arguments=arguments,
        sources={key: named.get(key, frozenset({"workspace"})) for key in arguments},
    )
    arrival = Arrival(door=DOOR, within=action.run, token=action.arrival.token, deadline=action.arrival.deadline)
    try:
        with action.trace.waiting():
            answer = await ask(fairlead, action.caller, request, arrival)
        if answer.result.failed:
            raise Denied(answer.result.text[:200] or "the tool failed")
        return fact_value(_taken(answer.result.structured, card.take), card.type, name)
    except FairleadError as error:
        raise Denied(
            f"{asked.tool.name} cannot be decided: the fact {name} is not to be had",
            why=f"{card.tool}: {error.message}",
            mend=error.mend or "correct the arguments, or have the system's card corrected",
            subject=asked.tool.name,
        ) from error


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


def _taken(value: Any, path: str) -> Any:
    for step in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
