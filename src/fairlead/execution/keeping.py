"""What an answer must pass to be kept, made of the answer itself: its form, its calls of tools, what it rests on.

Each check says how it came out in a word for the record, where no text of anybody may stand, and in a sentence for the
caller, where nothing of an answer may stand that is not given to them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fairlead.costs.told import Checked
from fairlead.execution.choices import Reply, ReplyChoice
from fairlead.execution.prepare import Decided, Stitched
from fairlead.models.types import ChatRequest, NamedToolChoice
from fairlead.policy import Policy
from fairlead.policy.grounding import declines, support
from fairlead.tasks.cascades import Cascade, Check
from fairlead.tasks.types import TaskType
from fairlead.tools.nesting import is_too_deep

DECLINED: Final = "declined"
"""The word of a check of `grounded` that an answer fails by saying that it does not know: a dearer model may."""
_LARGEST_EXPRESSION: Final = 1 << 20  # bytes, compiled
_MOST_STEPS: Final = 100_000  # of an expression that looks around, which cannot be matched in linear time


def makeable(cascade: Cascade, policy: Policy, task: TaskType, asked: Stitched) -> tuple[Check, ...]:
    """The checks of a cascade that can be made of the answers to this request."""
    request = asked.request
    can: dict[Check, bool] = {
        "schema": _wants_json(request) or bool(task.extracts),
        "tools": bool(request.tools),
        "grounded": bool(asked.passages),
        "agreement": True,
        "rules": policy.screens_replies or policy.has_endings,
    }
    return tuple([each for each in cascade.checks if can[each]])


def looked_over(cascade: Cascade, checks: tuple[Check, ...], decided: Decided, reply: Reply) -> Iterator[Checked]:
    """The checks that the answer itself decides, one after the other."""
    request = decided.asked.request
    for check in checks:
        if check == "schema":
            yield _fits(request, decided.task.type, reply)
        elif check == "tools":
            yield _calls_well(request, reply)
        elif check == "grounded":
            yield _rests(cascade.share, decided, reply)


def _wants_json(request: ChatRequest) -> bool:
    wanted = request.response_format
    return wanted is not None and wanted.type != "text"


def _schema_of(request: ChatRequest, task: TaskType) -> Mapping[str, Any] | None:
    """The schema that the answer must fit, where it is one: the request's own comes before the task type's."""
    schema = request.reply_schema
    return schema if schema is not None else task.extracts or None


def _fits(request: ChatRequest, task: TaskType, reply: Reply) -> Checked:
    schema = _schema_of(request, task)
    validator = None if schema is None else _validator(schema)
    for choice in reply.choices:
        if choice.tool_calls and not choice.text:
            continue  # what is asked of a tool has another form, and is not the answer yet
        value = _json(choice.text)
        if value is None:
            return Checked("schema", False, "no_json", "the answer is no JSON")
        if validator is None and not isinstance(value[0], dict):
            return Checked("schema", False, "no_object", "the answer is no JSON object")
        if validator is not None and not validator.is_valid(value[0]):
            keyword, where = _broken(validator, value[0])
            return Checked("schema", False, keyword, f"the answer does not fit the schema at {where}")
    return Checked("schema", True)


def _validator(schema: Mapping[str, Any]) -> Any:
    """The compiled schema; None for one that is none, which binds nobody. It follows no reference out of itself, and
    its expressions take no time without end."""
    import jsonschema_rs

    linear = jsonschema_rs.RegexOptions(size_limit=_LARGEST_EXPRESSION)
    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=_MOST_STEPS, size_limit=_LARGEST_EXPRESSION)
    for options in (linear, bounded):
        try:
            return jsonschema_rs.validator_for(
                dict(schema), validate_formats=True, retriever=_refuse, pattern_options=options
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, RecursionError):
            continue
    return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not followed")


def _broken(validator: Any, value: Any) -> tuple[str, str]:
    """Where in the schema an answer breaks it: the keyword, and the way to it. Nothing of the answer."""
    error = next(iter(validator.iter_errors(value)))
    way = [str(each) for each in error.schema_path]
    keyword = next((each for each in reversed(way) if not each.isdigit()), "schema")
    return (keyword if keyword.isascii() and keyword.isalpha() else "schema")[:40], "/" + "/".join(way)[:200]


def _json(text: str) -> tuple[Any] | None:
    """The value, in a tuple, since null is one as well."""
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return None if is_too_deep(value) else (value,)


def _calls_well(request: ChatRequest, reply: Reply) -> Checked:
    tools = {each.function.name: each.function.parameters or {} for each in request.tools or ()}
    for choice in reply.choices:
        if not choice.tool_calls and request.tool_choice == "required":
            return Checked("tools", False, "no_call", "the answer calls no tool, and the request wants a call")
        for call in choice.tool_calls:
            if (wrong := _wrong_call(tools, call.function.name, call.function.arguments)) is not None:
                return wrong
        if isinstance(request.tool_choice, NamedToolChoice) and not _calls(choice, request.tool_choice.function.name):
            return Checked("tools", False, "no_call", "the answer does not call the tool that the request names")
    return Checked("tools", True)


def _calls(choice: ReplyChoice, name: str) -> bool:
    return any(call.function.name == name for call in choice.tool_calls)


def _wrong_call(tools: Mapping[str, Mapping[str, Any]], name: str, arguments: str) -> Checked | None:
    if name not in tools:
        return Checked("tools", False, "unknown_tool", "the answer calls a tool that the request does not have")
    value = _json(arguments or "{}")
    if value is None or not isinstance(value[0], dict):
        return Checked("tools", False, "no_json", f"the arguments of a call of {name} are no JSON object")
    validator = _validator({"type": "object", **tools[name]})
    if validator is None or validator.is_valid(value[0]):
        return None
    keyword, where = _broken(validator, value[0])
    return Checked("tools", False, keyword, f"the arguments of a call of {name} do not fit its schema at {where}")


def _rests(share: float, decided: Decided, reply: Reply) -> Checked:
    """The least of all choices counts. What only calls tools says nothing that could rest on a page."""
    least, said = 1.0, ""
    if reply.choices and all(declines(each.text) and not each.tool_calls for each in reply.choices):
        return Checked("grounded", False, DECLINED, "the answer says that it does not know")
    for choice in reply.choices:
        found = support(choice.text, decided.asked.passages)
        if found.invented:
            return Checked("grounded", False, "invented", "the answer cites what it was not given")
        if found.share < least:
            least, said = found.share, f"{found.supported} of {found.claims} statements rest on the context"
    passed = least >= share
    return Checked("grounded", passed, f"{least:.2f}", "" if passed else f"only {said}; {share:g} of them must")
