"""What an answer must pass: judged by what it is, and told without a word of it."""

from typing import Any

import pytest

from fairlead.costs.told import Checked
from fairlead.execution.choices import Reply, ReplyChoice
from fairlead.execution.keeping import looked_over
from fairlead.execution.prepare import Decided, Stitched
from fairlead.labels import NO_LABELS
from fairlead.models.types import (
    ChatRequest,
    Function,
    FunctionTool,
    JsonSchemaSpec,
    Passage,
    ResponseFormat,
    Tool,
    ToolCall,
    Usage,
)
from fairlead.policy.types import Findings
from fairlead.tasks.cascades import CHECKS, Cascade
from fairlead.tasks.types import Task, TaskType

PASSAGE = Passage("expenses@0123456789ab", "Expenses", "Receipts are handed in within 30 days after the journey.")


def checked(check: str, text: str = "", *calls: tuple[str, str], extracts: Any = None, **fields: Any) -> Checked:
    request = ChatRequest(model="q", messages=[], size=0, **fields)
    asked = Stitched(request, Findings(NO_LABELS, ()), NO_LABELS, (PASSAGE,))
    task = Task(type=TaskType(name="q", extracts=extracts or {}), labels=NO_LABELS, question="")
    made = [ToolCall(str(number), Function(*call)) for number, call in enumerate(calls)]
    reply = Reply(choices=(ReplyChoice(index=0, text=text, tool_calls=tuple(made)),), usage=Usage(1, 1))
    decided: Any = Decided(asked, task, None, None, None)  # type: ignore[arg-type]
    wanted = tuple(each for each in CHECKS if each == check)
    return next(looked_over(Cascade(checks=wanted), wanted, decided, reply))


def schema(**parts: Any) -> ResponseFormat:
    return ResponseFormat(type="json_schema", json_schema=JsonSchemaSpec(name="s", schema={"type": "object", **parts}))


@pytest.mark.parametrize(
    ("text", "wanted", "word"),
    [
        ('{"a": 1}', schema(required=["a"]), ""),
        ("{}", schema(required=["a"]), "required"),
        ('{"SECRET": 1}', schema(additionalProperties=False), "additionalProperties"),
        ("SECRET", schema(), "no_json"),
        ("```json\n{}\n```", schema(), "no_json"),
        ("[" * 100_000, schema(), "no_json"),
        ("3", ResponseFormat(type="json_object"), "no_object"),
        ("{}", ResponseFormat(type="json_object"), ""),
        ('{"a": "ab"}', schema(properties={"a": {"pattern": "^(?=b)"}}), "pattern"),
        ('{"a": "' + "a" * 5000 + '!"}', schema(properties={"a": {"pattern": "^(a+)+$"}}), "pattern"),
        ("{}", schema(type="nonsense"), ""),
        ('{"a": 1}', schema(**{"$ref": "https://example.com/s.json"}), ""),
    ],
)
def test_an_answer_fits_its_schema_and_nothing_of_it_is_told(text: str, wanted: ResponseFormat, word: str) -> None:
    found = checked("schema", text, response_format=wanted)
    assert (found.word, found.passed) == (word, not word)
    assert "SECRET" not in found.said


def test_a_task_types_own_schema_holds_where_the_request_has_none() -> None:
    own = {"type": "object", "required": ["total"]}
    assert checked("schema", "{}", extracts=own).word == "required"
    assert checked("schema", "{}", extracts=own, response_format=schema()).passed


@pytest.mark.parametrize(
    ("calls", "choice", "word"),
    [
        ([("pay", '{"eur": 3}')], None, ""),
        ([], None, ""),
        ([], "required", "no_call"),
        ([("pay", '{"eur": "SECRET"}')], None, "type"),
        ([("pay", "SECRET")], None, "no_json"),
        ([("SECRET", "{}")], None, "unknown_tool"),
    ],
)
def test_calls_are_of_the_requests_tools_with_arguments_that_fit(calls: Any, choice: Any, word: str) -> None:
    tool = Tool(FunctionTool("pay", parameters={"properties": {"eur": {"type": "integer"}}}))
    found = checked("tools", "", *calls, tools=[tool], tool_choice=choice)
    assert (found.word, found.passed) == (word, not word)
    assert "SECRET" not in found.said


def test_enough_must_rest_on_the_context_and_nothing_else_be_cited() -> None:
    assert checked("grounded", PASSAGE.text).passed
    assert checked("grounded", f"{PASSAGE.text} Managers keep secret gardens behind hotels.").word == "0.50"
    assert checked("grounded", f"{PASSAGE.text} [other@0123456789ab]").word == "invented"
