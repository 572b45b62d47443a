"""The methods of the Model Context Protocol beside calls of tools: what is asked for each, and what its answer is as a
result of the path."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp_types import (
    CompleteRequest,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequest,
    GetPromptRequestParams,
    GetPromptResult,
    InputRequiredResult,
    ListPromptsRequest,
    ListPromptsResult,
    ListResourcesRequest,
    ListResourcesResult,
    ListResourceTemplatesRequest,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequest,
    ReadResourceRequestParams,
    ReadResourceResult,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from fairlead.errors import BadInput
from fairlead.tools import offers
from fairlead.tools.failures import SystemFailed
from fairlead.tools.mcp_definitions import MOST_PAGES, MOST_TOOLS
from fairlead.tools.mcp_results import bounded, content_of, piece_of
from fairlead.tools.mcp_talk import answers, not_answers
from fairlead.tools.types import SystemCall, ToolResult

Ask = Callable[[Any, Any], Awaitable[Any]]
"""Sends a request and gives its answer, of the given form."""

_LISTS: Final[dict[str, tuple[Any, type[BaseModel], str]]] = {
    offers.LIST_RESOURCES: (ListResourcesRequest, ListResourcesResult, "resources"),
    offers.LIST_TEMPLATES: (ListResourceTemplatesRequest, ListResourceTemplatesResult, "resourceTemplates"),
    offers.LIST_PROMPTS: (ListPromptsRequest, ListPromptsResult, "prompts"),
}
_CONTENT: Final[TypeAdapter[Any]] = TypeAdapter(ReadResourceResult | InputRequiredResult)
_PROMPT: Final[TypeAdapter[Any]] = TypeAdapter(GetPromptResult | InputRequiredResult)


async def done(call: SystemCall, system: str, ask: Ask) -> ToolResult | InputRequiredResult:
    """Do what the call asks for. What is not found is `BadInput`: the arguments name nothing that there is."""
    name, given = call.tool.name, dict(call.arguments)
    found: Any
    if name in _LISTS:
        result = await _listed(name, system, ask)
    elif name == offers.READ_RESOURCE:
        params = _params(ReadResourceRequestParams, {"uri": given["uri"], **answers(call.talk)})
        found = await ask(ReadResourceRequest(params=params), _CONTENT)
        if isinstance(found, InputRequiredResult):
            return found
        if not found.contents:
            raise BadInput(
                f"{system} has no such resource", why="its answer is empty", mend="resources/list tells what it has",
                param="uri",
            )  # fmt: skip
        result = ToolResult(pieces=tuple(content_of(each, system) for each in found.contents))
    elif name == offers.GET_PROMPT:
        wanted = {"name": given["name"], "arguments": given.get("arguments"), **answers(call.talk)}
        found = await ask(GetPromptRequest(params=_params(GetPromptRequestParams, wanted)), _PROMPT)
        if isinstance(found, InputRequiredResult):
            return found
        result = _prompt(found, system)
    else:
        found = await ask(CompleteRequest(params=_params(CompleteRequestParams, given)), CompleteResult)
        result = ToolResult(structured={"completion": _plain(found.completion)})
    return bounded(result, most_bytes=call.most_bytes, system=system)


def _params(kind: type[BaseModel], given: Any) -> Any:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise not_answers(error) from None


def _prompt(found: GetPromptResult, system: str) -> ToolResult:
    pieces = tuple(piece_of(each.content, system) for each in found.messages)
    about = {"description": found.description or "", "roles": [each.role for each in found.messages]}
    return ToolResult(pieces=pieces, structured=about)


async def _listed(name: str, system: str, ask: Ask) -> ToolResult:
    request, kind, key = _LISTS[name]
    found: list[Any] = []
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        page = await ask(request(params=PaginatedRequestParams(cursor=cursor) if cursor else None), kind)
        found += _plain(page)[key]
        cursor = page.next_cursor
        if not cursor:
            return ToolResult(structured={key: found})
        if cursor in seen or len(found) > MOST_TOOLS:
            break
        seen.add(cursor)
    raise SystemFailed(
        f"{system} lists {key} without end",
        why=f"after {len(found)} of them it has more",
        mend="tell whoever runs the system",
        subject=system,
        retryable=False,
    )


def _plain(model: BaseModel) -> Any:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
