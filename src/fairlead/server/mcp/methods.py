"""What each method of the protocol answers with: a translation to and from actions. Whatever reaches a system is a call
on the governed path, and lists name what some call of this caller may be permitted."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, Denied, FairleadError, NotFound, Overloaded, Stopped, Upstream
from fairlead.execution import Deployment, Fairlead
from fairlead.execution.approval_question import ApprovalPending
from fairlead.execution.tool_asking import ToolAnswer
from fairlead.execution.tool_call import call_tool
from fairlead.execution.visible_tools import may_use, visible
from fairlead.identity import Caller
from fairlead.identity.no_credential import NoCredential
from fairlead.lanes.rates import TooFast
from fairlead.server.http import Scope
from fairlead.server.mcp.client import Program
from fairlead.server.mcp.conversation import Conversation
from fairlead.server.mcp.flow import of_flow
from fairlead.server.mcp.listing import Listing
from fairlead.server.mcp.message import (
    CLIENT_LACKS,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    REFUSED,
    Message,
    Unanswerable,
)
from fairlead.server.mcp.results import answered, prompted, read, refused
from fairlead.server.mcp.revision import STATELESS, refuse_other_arguments
from fairlead.tools import offers
from fairlead.tools.failures import ClientLacks
from fairlead.tools.talk import Talk
from fairlead.tools.types import Tool

FRESH_MS: Final = 5_000  # for how long a list may be kept: rights may change
_OF_ONE: Final = (ApprovalPending, Denied, NoCredential, Stopped, Upstream)  # hides one system, and not the others
_LISTS: Final = {
    offers.LIST_RESOURCES: ("resources", "uri"),
    offers.LIST_TEMPLATES: ("resourceTemplates", "uriTemplate"),
    offers.LIST_PROMPTS: ("prompts", "name"),
}


_USES: Final = {
    offers.LIST_RESOURCES: (offers.READ_RESOURCE, "uri"),
    offers.LIST_PROMPTS: (offers.GET_PROMPT, "name"),
}


class Asked(Struct, frozen=True, kw_only=True):
    """One message with who sends it, and the endpoint that it came to."""

    fairlead: Fairlead
    caller: Caller
    arrival: Arrival
    message: Message
    revision: str
    listing: Listing
    scope: Scope
    program: Program = Program()
    conversation: Conversation

    @property
    def stateless(self) -> bool:
        """Whether its revision knows no sessions: everything is said in the request."""
        return self.revision in STATELESS


async def answer(asked: Asked) -> dict[str, Any]:
    """The result of a method that a system has a part in. Raises `Unanswerable`, `FairleadError`."""
    name = asked.message.method
    if name == "tools/list":
        return _kept(asked, {"tools": visible_here(asked)})
    if name == "tools/call":
        return await _called(asked)
    if name in _LISTS:
        return _kept(asked, await _listed(asked, name))
    if name == offers.READ_RESOURCE:
        return _kept(asked, await _resource(asked))
    if name == offers.GET_PROMPT:
        return await _prompt(asked)
    if name == offers.COMPLETE:
        return await _completed(asked)
    raise unknown(name)


def unknown(method: str) -> Unanswerable:
    """For a method that is not of the protocol, or that nothing here answers."""
    return Unanswerable(METHOD_NOT_FOUND, f"there is no method {method[:80]!r} here")


def _kept(asked: Asked, found: dict[str, Any]) -> dict[str, Any]:
    return found | ({"ttlMs": FRESH_MS, "cacheScope": "private"} if asked.stateless else {})


def visible_here(asked: Asked) -> list[msgspec.Raw]:
    """The tools that this caller may see at this endpoint, encoded."""
    deployment = asked.fairlead.current_for(asked.caller)
    return asked.listing.encoded(visible(deployment, asked.caller, asked.listing.tools))


async def looked(asked: Asked, uri: str, *, quiet: bool = False) -> ToolAnswer:
    """What a resource is now; `quiet` without a word to the program meanwhile. Raises `Unanswerable`."""
    system, own = asked.listing.inner_uri(uri)
    name = asked.listing.method(system, offers.READ_RESOURCE)
    if name is None:
        raise Unanswerable(INVALID_PARAMS, "there is no such resource", {"uri": uri})
    return await _asked_for(asked, name, {"uri": own}, {"uri": uri}, quiet=quiet)


async def _called(asked: Asked) -> dict[str, Any]:
    params = asked.message.params
    name, arguments = params.get("name"), params.get("arguments", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Unanswerable(INVALID_PARAMS, "`name` must be text and `arguments` an object")
    known = asked.listing.tool(name) or (f"{asked.listing.only}.{name}" if asked.listing.only else name)
    if asked.stateless and (mirrored := asked.listing.mirrored(known)):
        refuse_other_arguments(asked.scope, mirrored, arguments)
    try:
        found = await _done(asked, known, arguments)
    except NotFound as error:
        raise Unanswerable(INVALID_PARAMS, f"Unknown tool: {name[:120]}", {"help": error.mend}) from error
    except ClientLacks as error:
        refuse_lacking(asked, error)
        return refused(error)
    except TooFast as error:  # for the agent to wait, and not for its client
        return refused(error)
    except Overloaded:
        raise
    except FairleadError as error:
        return refused(error)
    return answered(found, any_data=asked.stateless)


async def _listed(asked: Asked, method: str) -> dict[str, Any]:
    """Of all systems here that this caller may ask for it. One that does not answer hides the others' lists only where
    it is the only one."""
    key, named = _LISTS[method]
    tools = _offering(asked, method)
    if asked.listing.only:
        found = [await _asked_for(asked, tools[0].name, {})] if tools else []
    else:
        # All are waited for, so that none goes on when one has said what ends the whole.
        tried = await asyncio.gather(*(_tried(asked, each) for each in tools), return_exceptions=True)
        for each in tried:
            if isinstance(each, BaseException):
                raise each
        found = [each for each in tried if isinstance(each, ToolAnswer)]
    outer = asked.listing.outer_prompt if named == "name" else asked.listing.outer_uri
    entries = [
        {**entry, named: outer(each.tool.partition(".")[0], entry[named])}
        for each in found
        for entry in each.result.structured[key]
        if _usable(asked, method, each.tool.partition(".")[0], entry)
    ]
    return {key: entries}


def _usable(asked: Asked, method: str, system: str, entry: Mapping[str, Any]) -> bool:
    """Whether this caller might use what is listed: the name alone may tell what they are not to know. A template
    stands for names that nobody knows yet."""
    use, named = _USES.get(method, ("", ""))
    name = asked.listing.method(system, use)
    if name is None:
        return True
    deployment = asked.fairlead.current_for(asked.caller)
    return may_use(deployment, asked.caller, deployment.systems.tools[name], {named: entry[named]})


async def _tried(asked: Asked, tool: Tool) -> ToolAnswer | None:
    try:
        return await _done(asked, tool.name, {})
    except _OF_ONE:  # recorded; the lists of the others are of use without it
        return None


async def _resource(asked: Asked) -> dict[str, Any]:
    uri = asked.message.params.get("uri")
    if not isinstance(uri, str):
        raise Unanswerable(INVALID_PARAMS, "`uri` must be text")
    _offering(asked, offers.READ_RESOURCE)
    system, _ = asked.listing.inner_uri(uri)
    return read(await looked(asked, uri), uri, lambda inner: asked.listing.outer_uri(system, inner))


async def _prompt(asked: Asked) -> dict[str, Any]:
    given = asked.message.params
    if not isinstance(given.get("name"), str):
        raise Unanswerable(INVALID_PARAMS, "`name` must be text")
    system, own = asked.listing.inner_prompt(given["name"])
    name = asked.listing.method(system, offers.GET_PROMPT)
    if name is None:
        _offering(asked, offers.GET_PROMPT)
        raise Unanswerable(INVALID_PARAMS, f"Unknown prompt: {given['name'][:120]}")
    arguments = {"arguments": given["arguments"]} if given.get("arguments") is not None else {}
    return prompted(await _asked_for(asked, name, {"name": own, **arguments}))


async def _completed(asked: Asked) -> dict[str, Any]:
    given: dict[str, Any] = {
        key: asked.message.params[key] for key in ("ref", "argument", "context") if key in asked.message.params
    }
    reference = given.get("ref")
    of_prompt = isinstance(reference, dict) and isinstance(reference.get("name"), str)
    key = "name" if of_prompt else "uri"
    if not isinstance(reference, dict) or not isinstance(reference.get(key), str):
        raise Unanswerable(INVALID_PARAMS, "`ref` must name a prompt or the form of a resource's address")
    split = asked.listing.inner_prompt if of_prompt else asked.listing.inner_uri
    system, own = split(reference[key])
    name = asked.listing.method(system, offers.COMPLETE)
    if name is None:
        _offering(asked, offers.COMPLETE)
        raise Unanswerable(INVALID_PARAMS, "there is nothing by this name to complete")
    found = await _asked_for(asked, name, {**given, "ref": {**reference, key: own}})
    told: dict[str, Any] = found.result.structured
    return told


def refuse_lacking(asked: Asked, error: ClientLacks) -> None:
    """Raises `Unanswerable` where the program itself has not said that it can do what it takes."""
    lacking = {name: its for name, its in error.required.items() if not asked.program.takes(name)}
    if lacking and asked.stateless:
        raise Unanswerable(CLIENT_LACKS, error.message, {"requiredCapabilities": lacking}) from error


def _offering(asked: Asked, method: str) -> Sequence[Tool]:
    """That method of the systems at which this caller may use it. Raises `Unanswerable` where no system offers it."""
    here = asked.listing.methods(method)
    if not here:
        raise unknown(method)
    deployment: Deployment = asked.fairlead.current_for(asked.caller)
    return visible(deployment, asked.caller, here)


async def _asked_for(
    asked: Asked, name: str, arguments: dict[str, Any], about: dict[str, Any] | None = None, *, quiet: bool = False
) -> ToolAnswer:
    """As `_done`, for methods that have no result in which an error could stand."""
    try:
        return await (_call(asked, name, arguments, None, unread=True) if quiet else _done(asked, name, arguments))
    except ClientLacks as error:
        refuse_lacking(asked, error)
        raise Unanswerable(REFUSED, error.message, {"help": error.mend}) from error
    except Overloaded:
        raise
    except FairleadError as error:
        code = INVALID_PARAMS if isinstance(error, BadInput) else REFUSED
        told = {"code": error.code, "why": error.why, "help": error.mend, "run": error.run, **(about or {})}
        raise Unanswerable(code, error.message, {key: value for key, value in told.items() if value}) from error


async def _done(asked: Asked, name: str, arguments: dict[str, Any]) -> ToolAnswer:
    return await asked.conversation.called(name, arguments, lambda talk: _call(asked, name, arguments, talk))


async def _call(
    asked: Asked, name: str, arguments: dict[str, Any], talk: Talk | None, *, unread: bool = False
) -> ToolAnswer:
    of = of_flow(asked.message, asked.arrival, asked.program.session)
    request = replace(of, name=name, arguments=arguments, talk=talk, unread=unread)
    return await call_tool(asked.fairlead, asked.caller, request, asked.arrival)
