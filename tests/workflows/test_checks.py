"""Each thing that can be wrong with a definition is told, with its place and its mend."""

from typing import Any

import msgspec
import pytest

from fairlead.workflows.checks import faults_of
from fairlead.workflows.definition import Definition
from fairlead.workflows.known import Known, KnownFunction, KnownTool, functions_in

_ORDER = {"type": "object", "properties": {"total": {"type": "number"}}}
_KNOWN = Known(
    tasks=frozenset({"extract"}),
    models=frozenset({"small"}),
    tools={
        "erp.get": KnownTool(
            input={"properties": {"id": {"type": "string"}}, "required": ["id"]}, output=_ORDER, writes=False
        ),
        "erp.post": KnownTool(input={"properties": {}}, asks=frozenset({"clerk"})),
    },
    opening=frozenset({"crm"}),
    roles=frozenset({"clerk"}),
    functions={"totals": {"of_lines": KnownFunction(frozenset({"lines"}), frozenset({"lines", "tax"}))}},
    workflows={
        "inner": msgspec.convert({"steps": [{"id": "x", "subflow": {"workflow": "main"}}]}, Definition),
        "asks": msgspec.convert({"steps": [{"id": "b", "approval": {"role": "clerk", "ask": "?"}}]}, Definition),
        "quiet": msgspec.convert({"secrecy": "memory", "steps": [{"id": "b", "transform": "x"}]}, Definition),
    },
)
_GET = {"call": "erp.get", "arguments": {"id": "x"}}
_ASK = {"prompt": "p"}
_DIFFER = {"branches": {"x": [{"id": "b", "tool": _GET}]}, "agree": {"compare": "value"}}
_INPUT = {"properties": {"n": {"type": "number"}, "maybe": {"type": "string"}}, "required": ["n"]}


def _faults(steps: list[Any], **more: Any) -> list[tuple[str, str]]:
    definition = msgspec.convert({"input": _INPUT, "steps": steps, **more}, Definition)
    found = faults_of("main", definition, _KNOWN)
    assert all(fault.message for fault in found)
    return [(".".join(map(str, fault.path)), fault.message) for fault in found]


def _text(expression: str) -> dict[str, Any]:
    return {"id": "a", "transform": f"${{{expression}}}"}


_WRONG: list[tuple[str, list[Any], dict[str, Any], str, str]] = [
    ("no kind", [{"id": "a"}], {}, "steps.0", "does nothing"),
    ("two kinds", [{"id": "a", "tool": _GET, "transform": "x"}], {}, "steps.0.transform", "has `tool` and"),
    ("twice", [{"id": "a", "tool": _GET}, {"id": "a", "tool": _GET}], {}, "steps.1.id", "stands twice"),
    ("retry of a wait", [{"id": "a", "wait": {"for": "1h"}, "retry": {}}], {}, "steps.0.retry", "not tried again"),
    (
        "a circle",
        [{"id": "a", "after": ["b"], "tool": _GET}, {"id": "b", "tool": _GET}],
        {},
        "steps.0",
        "wait for each other: a → b → a",
    ),
    (
        "a loop without end",
        [{"id": "a", "loop": {"until": "input.n > 3.0", "at_most": 9, "steps": [{"id": "b", "tool": _GET}]}}],
        {},
        "steps.0.loop.until",
        "first turn or never",
    ),
    ("unknown queue", [{"id": "a", "tool": _GET}], {"queue": "erp"}, "queue", "no queue `erp`"),
    ("unknown after", [{"id": "a", "after": ["z"], "tool": _GET}], {}, "steps.0.after.0", "not in the same list"),
    ("unknown tool", [{"id": "a", "tool": {"call": "erp.gett"}}], {}, "steps.0.tool.call", "no tool `erp.gett`"),
    ("missing argument", [{"id": "a", "tool": {"call": "erp.get"}}], {}, "steps.0.tool.arguments", "needs `id`"),
    ("unknown task", [{"id": "a", "model": {"prompt": "p", "task": "x"}}], {}, "steps.0.model.task", "no task type"),
    ("unknown model", [{"id": "a", "model": {"prompt": "p", "model": "x"}}], {}, "steps.0.model.model", "no model"),
    ("unknown role", [{"id": "a", "approval": {"role": "x", "ask": "?"}}], {}, "steps.0.approval.role", "role `x`"),
    ("unknown workflow", [{"id": "a", "subflow": {"workflow": "x"}}], {}, "steps.0.subflow.workflow", "no workflow"),
    ("uses itself", [{"id": "a", "subflow": {"workflow": "inner"}}], {}, "steps.0.subflow.workflow", "uses itself"),
    ("no function", [{"id": "a", "python": {"function": "totals:x"}}], {}, "steps.0.python.function", "no func"),
    ("no file", [{"id": "a", "python": {"function": "nope:x"}}], {}, "steps.0.python.function", "workflows/nope.py"),
    (
        "nothing to undo",
        [{"id": "a", "tool": _GET, "compensate": {"tool": {"call": "erp.post"}}}],
        {},
        "steps.0.compensate",
        "changes nothing",
    ),
    ("nobody undoes", [{"id": "a", "tool": {"call": "erp.post"}, "compensate": {}}], {}, "steps.0.compensate", "cle"),
    ("no schema", [{"id": "a", "model": _ASK | {"gives": {"type": "x"}}}], {}, "steps.0.model.gives", "JSON Schema"),
    ("waits too long", [{"id": "a", "wait": {"for": "3d"}}], {"timeout": "1d"}, "steps.0.wait.for", "over before"),
    ("waits for nothing", [{"id": "a", "wait": {}}], {}, "steps.0.wait", "what is waited for"),
    ("never comes", [{"id": "a", "approval": {"role": "clerk", "ask": "?", "unanswered": "deny"}}], {},
     "steps.0.approval.unanswered", "never comes about"),
    ("unknown step", [_text("steps.z.value")], {}, "steps.0.transform", "no step `z`"),
    ("later step", [_text("steps.b.value"), {"id": "b", "tool": _GET}], {}, "steps.0.transform", "not sure to be over"),
    (
        "left out",
        [{"id": "b", "when": "input.n > 1", "tool": _GET}, _text("steps.b.value")],
        {},
        "steps.1.transform",
        "may have been left out",
    ),
    (
        "at the same time",
        [{"id": "b", "tool": _GET}, {"id": "a", "after": [], "transform": "${steps.b.text}"}],
        {},
        "steps.1.transform",
        "not sure to be over",
    ),
    ("unknown key", [_text("input.m")], {}, "steps.0.transform", "no `input.m`"),
    ("no such key", [{"id": "b", "tool": _GET}, _text("steps.b.value.tota")], {}, "steps.1.transform", "tota"),
    ("missing key", [_text("input.maybe")], {}, "steps.0.transform", "may be missing"),
    ("a keyword of no schema", [{"id": "a", "model": _ASK | {"gives": {"propertis": {}}}}], {},
     "steps.0.model.gives.propertis", "no keyword"),
    ("a place in a schema", [{"id": "a", "model": _ASK | {"gives": {"properties": {"n": {"type": "numbr"}}}}}], {},
     "steps.0.model.gives", "`gives` is no JSON Schema: properties.n.type"),
    ("no item", [_text("item")], {}, "steps.0.transform", "no `item`"),
    ("mixed numbers", [_text("input.n * 2")], {}, "steps.0.transform", "does not take double and int"),
    ("no condition", [{"id": "a", "when": "input.n", "tool": _GET}], {}, "steps.0.when", "must be true or false"),
    ("no list", [{"id": "a", "map": {"over": "input.n", "at_most": 2, "steps": [{"id": "b", "tool": _GET}]}}], {},
     "steps.0.map.over", "must be a list"),
    ("no end", [{"id": "a", "transform": "${input.n"}], {}, "steps.0.transform", "does not end"),
    ("nobody decides", [{"id": "a", "parallel": _DIFFER}], {}, "steps.0.parallel.agree", "is to decide"),
    ("unknown key of the schedule", [{"id": "a", "tool": _GET}], {"schedule": [{"cron": "0 1 * * *", "key": "k"}]},
     "schedule.0.key", "no key"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "more", "path", "said"), [each[1:] for each in _WRONG], ids=[each[0] for each in _WRONG]
)
def test_it_is_told_where_and_what(steps: list[Any], more: dict[str, Any], path: str, said: str) -> None:
    assert any(at == path and said in message for at, message in _faults(steps, **more))


@pytest.mark.parametrize(
    ("step", "more", "path", "said"),
    [
        ({"approval": {"role": "clerk", "ask": "?"}}, {}, "steps.0.approval", "waits for people"),
        ({"wait": {"signal": "s"}}, {}, "steps.0.wait.signal", "waits for somebody"),
        ({"wait": {"for": "6m"}}, {}, "steps.0.wait.for", "longer than 5 minutes"),
        ({"model": {"prompt": "p", "expert": {"role": "clerk"}}}, {}, "steps.0.model.expert", "an expert"),
        ({"tool": _GET, "retry": {"attempts": 20, "wait": "1m"}}, {}, "steps.0.retry", "before another attempt"),
        ({"tool": {"call": "declassify.press"}}, {}, "steps.0.tool.call", "always waits for an approval"),
        ({"tool": {"call": "memory.remember"}}, {}, "steps.0.tool", "in a memory"),
        ({"tool": _GET}, {"at_once": 3}, "at_once", "begun by whoever waits"),
        ({"subflow": {"workflow": "asks"}}, {}, "steps.0.subflow.workflow", "`b`, in the subflow `asks` waits for"),
        ({"agent": {"goal": "g", "at_most": 3, "tools": ["erp.post"]}}, {}, "steps.0.agent", "may ask clerk"),
        ({"wait": {"for": "5m"}}, {}, "", ""),
    ],
)
def test_what_is_in_memory_only_can_wait_for_nobody(
    step: dict[str, Any], more: dict[str, Any], path: str, said: str
) -> None:
    found = _faults([{"id": "a", **step}], secrecy="memory", **more)
    if path:
        assert any(at == path and said in message for at, message in found)
    else:
        assert not any("memory" in message for _, message in found)
    assert not any("secrecy" in message for _, message in _faults([{"id": "a", **step}], **more))


def test_what_is_in_memory_only_is_no_part_of_what_is_kept() -> None:
    step = {"id": "a", "subflow": {"workflow": "quiet"}}
    assert [at for at, _ in _faults([step])] == ["steps.0.subflow.workflow"]
    assert _faults([step], secrecy="memory") == []


def test_what_is_tested_may_be_used_and_what_is_sound_is_told_nothing() -> None:
    steps = [
        {
            "id": "b",
            "when": "input.n > 1 && has(input.maybe)",
            "tool": {"call": "erp.get", "arguments": {"id": "${input.maybe}"}},
        },
        {"id": "c", "transform": "${has(steps.b) && steps.b.value.total > 3 ? steps.b.value.total * 2.0 : input.n}"},
        {"id": "d", "when": "has(steps.b)", "transform": {"t": "${steps.b.value.total}"}},
        {
            "id": "e",
            "switch": {
                "cases": [{"when": "!has(steps.b)", "steps": [{"id": "f", "transform": "none"}]}],
                "otherwise": [{"id": "g", "transform": "${steps.b.text}"}],
            },
        },
        {"id": "h", "tool": {"call": "crm.anything"}, "otherwise": [{"id": "i", "transform": "${error.message}"}]},
    ]
    said = [message for _, message in _faults(steps, output="${steps.e.value} ${steps.h.value}")]
    assert said == ["`steps.b.value.total` may be missing: its schema does not require it"] * 2


def test_functions_are_read_and_not_executed() -> None:
    found = functions_in("raise SystemExit\ndef f(a, b=1, *, c, d=2): ...\nasync def g(**more): ...\n", "w.py")
    assert found["f"].needs == {"a", "c"}
    assert found["g"].anything
