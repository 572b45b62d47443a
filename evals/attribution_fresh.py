"""The cases of `attribution_fresh.yaml`, and of any file like it, as `evals.attribution --cases FILE` runs them.

Short forms beside those of `evals.attribution_unseen`: `map`, `loop` and a case of `switch` have their steps in `do`,
branches of `parallel` stand by their names, `subflow` names one of `subflows`; `plain` is a model that gives text;
`otherwise` has the steps that take a failed one's place; `of` in a reply says which item it is for. `cause` lists what
may be named as the cause: one of the five kinds, or `person` and `memory`, which are none of them. Every second case,
by its place in the file, is of the half that was not looked at while the rules were changed.
"""

from pathlib import Path
from typing import Any, Final

import yaml

from evals.attribution_cases import KINDS, Case, Expected
from evals.attribution_unseen import page, plain_step, reply, schema

HALVES: Final = ("both", "open", "kept")


def _steps(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_step(each) for each in said]


def _step(said: dict[str, Any]) -> dict[str, Any]:
    """A step of a definition."""
    instead = {"otherwise": _steps(said["otherwise"])} if "otherwise" in said else {}
    return plain_step(said) | _asked(said) | _holding(said) | instead


def _asked(said: dict[str, Any]) -> dict[str, Any]:
    """A step of a model or an agent."""
    for kind, key, default in (("agent", "goal", "gamma"), ("model", "prompt", "delta"), ("plain", "prompt", "delta")):
        if kind in said:
            who = {"task": said["task"]} if "task" in said else {"model": said.get("model_name", default)}
            asked: dict[str, Any] = {key: f"Task {said['id']}. {said[kind]}", **who}
            if "gives" in said:
                asked["gives"] = schema(said["gives"])
            if kind == "agent":
                asked |= {"tools": said["tools"], "at_most": 4}
            if "memory" in said:
                asked["memory"] = said["memory"]
            return {"agent" if kind == "agent" else "model": asked}
    return {}


def _holding(said: dict[str, Any]) -> dict[str, Any]:
    """A step that holds steps, or begins another workflow."""
    if "map" in said:
        return {"map": {"over": said["map"], "at_most": 50, "steps": _steps(said["do"])}}
    if "loop" in said:
        return {"loop": {"until": said["loop"], "at_most": said["at_most"], "steps": _steps(said["do"])}}
    if "parallel" in said:
        return {"parallel": {"branches": {name: _steps(each) for name, each in said["parallel"].items()}}}
    if "switch" in said:
        cases = [{"when": each["when"], "steps": _steps(each["do"])} for each in said["switch"]]
        return {"switch": {"cases": cases, "otherwise": _steps(said.get("else", []))}}
    if "subflow" in said:
        return {"subflow": {"workflow": said["subflow"], "input": said["input"]}}
    return {}


def _definition(said: dict[str, Any], types: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": kind} for name, kind in types.items()}
    return {"input": {"properties": properties}, "steps": _steps(said["steps"])}


def _case(number: int, said: dict[str, Any], before: bool = False) -> Case:
    types = {name: "integer" if isinstance(value, int) else "string" for name, value in said["input"].items()}
    replies = {step: [reply(each) for each in replies] for step, replies in said.get("says", {}).items()}
    causes = tuple(said.get("cause", ()))
    return Case(
        kind=next((each for each in causes if each in KINDS), "other" if causes else "none"),
        mode=said.get("name", "before"), number=number, shape="", definition=_definition(said, types),
        subflows={name: _definition(each, each["input"]) for name, each in said.get("subflows", {}).items()},
        results=said.get("results", {}), input=said["input"], tables=said.get("tables", {}), replies=replies,
        pages={name: page(name, text) for name, text in said.get("pages", {}).items()},
        expected=Expected(**said["expected"]) if "expected" in said else None,
        later_pages={name: text and page(name, text) for name, text in said.get("later_pages", {}).items()},
        policies={f"policies/{name}.cedar": text for name, text in said.get("policies", {}).items()},
        later_policies={f"policies/{name}.cedar": text for name, text in said.get("later_policies", {}).items()},
        earlier=[_case(number, each, True) for each in said.get("earlier", ())],
        ends="done" if before else said.get("ends", "failed"), approves=said.get("approves", True),
        answers=said.get("answers", {}), causes=causes,
    )  # fmt: skip


def fresh(file: Path, half: str) -> list[Case]:
    """All of them, or one half (`open`, `kept`), in the order of the file."""
    cases = yaml.safe_load(file.read_text(encoding="utf-8"))
    wanted = ((0, 1), (0,), (1,))[HALVES.index(half)]
    return [_case(number, each) for number, each in enumerate(cases) if number % 2 in wanted]
