"""The cases of `attribution_unseen.yaml`, as `evals.attribution --unseen` runs them.

Short forms: an `agent` or `model` step says what it is asked, who is asked (`model_name`, or `task: advised` with
pages) and what it `gives` (`name: type, ...`); `tool` with `with`; `keep` is a transform; `rules` are what must hold.
`says` has the replies of each step in turn: `give` as JSON, `call` of a tool, `text`, `status`. `instead` takes their
place. Tables have what a tool answers, by its arguments with `|` between them.
"""

import json
from pathlib import Path
from typing import Any, Final

import yaml

from evals.attribution_cases import Case, Expected
from evals.attribution_stage import Said

SIGNATURES: Final = {
    "yard.weight": "parcel: str, unit: str",
    "hotel.free": "hotel: str, day: str",
    "fx.rate": "pair: str, day: str",
    "buying.order": "id: str, amount: int",
    "plants.buy": "id: str, amount: int",
    "desk.rate": "day: str",
    "qstays.free": "hotel: str, day: str",
}
"""What tools are asked with, where it is not one `id`."""
WRITES: Final = ("buying.order", "plants.buy")
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "strings": {"type": "array", "items": {"type": "string"}},
    "numbers": {"type": "array", "items": {"type": "number"}},
}
_FILE: Final = '''
"""Records."""
from typing import Any
from evals.attribution_stage import TABLES

READS = {reads}
'''
_TOOL: Final = '''

def {tool}({signature}) -> {gives}:
    """What is known of it."""
    return TABLES["{name}"]["|".join(map(str, [{names}]))]
'''


def schema(short: str) -> dict[str, Any]:
    """`name: type, ...` as a JSON Schema."""
    pairs = [each.strip().partition(": ")[::2] for each in short.split(",")]
    properties = {name: _TYPES.get(kind, {"type": kind}) for name, kind in pairs}
    return {"type": "object", "properties": properties, "required": list(properties)}


def plain_step(said: dict[str, Any]) -> dict[str, Any]:
    """A step of a definition, but for what it asks a model or an agent."""
    step: dict[str, Any] = {"id": said["id"]}
    for kind in ("wait", "approval"):
        if kind in said:
            step[kind] = said[kind]
    if "tool" in said:
        step["tool"] = {"call": said["tool"], "arguments": said["with"]}
    if "keep" in said:
        step["transform"] = said["keep"]
    if "rules" in said:
        step["check"] = {
            "rules": [{"that": each, "otherwise": "it is not as it ought to be"} for each in said["rules"]]
        }
    return step


def _step(said: dict[str, Any]) -> dict[str, Any]:
    """A step of a definition."""
    step = plain_step(said)
    for kind, asked in (("agent", "goal"), ("model", "prompt")):
        if kind in said:
            who = {"task": said["task"]} if "task" in said else {"model": said.get("model_name", _of(kind))}
            step[kind] = {asked: f"Task {said['id']}. {said[kind]}", **who, "gives": schema(said["gives"])}
    if "agent" in said:
        step["agent"] |= {"tools": said["tools"], "at_most": 4}
    return step


def _of(kind: str) -> str:
    return "gamma" if kind == "agent" else "delta"


def reply(said: dict[str, Any]) -> Said:
    """What a model says."""
    of = said.get("of", "")
    if "give" in said:
        return Said(text=json.dumps(said["give"]), of=of)
    if "call" in said:
        return Said(calls=[(said["call"].replace(".", "__"), said["with"])], of=of)
    return Said(**said)


def _replies(said: dict[str, Any]) -> dict[str, list[Said]]:
    return {step: [reply(each) for each in replies] for step, replies in said.items()}


def page(name: str, text: str) -> str:
    """A page of the context, with its front matter."""
    title = name.replace("-", " ").capitalize()
    front, _, body = text.removeprefix("---\n").rpartition("---\n")
    return f"---\ntitle: {title}\n{front}---\n# {title}\n{body}\n"


def _case(number: int, said: dict[str, Any]) -> Case:
    properties = {
        name: {"type": "integer" if isinstance(value, int) else "string"} for name, value in said["input"].items()
    }
    definition = {"input": {"properties": properties}, "steps": [_step(each) for each in said["steps"]]}
    tables = said["tables"]
    replies = _replies(said["says"] | said.get("instead", {}))
    case = Case(
        kind=said["kind"], mode=said["name"], number=number, shape="", definition=definition, subflows={},
        results=said.get("results", {}), input=said["input"], tables=tables, replies=replies,
        pages={name: page(name, text) for name, text in said.get("pages", {}).items()},
        expected=Expected(**said["expected"]) if said["expected"] else None,
        later_pages={name: text and page(name, text) for name, text in said.get("later_pages", {}).items()},
        policies={f"policies/{name}.cedar": text for name, text in said.get("policies", {}).items()},
        later_policies={f"policies/{name}.cedar": text for name, text in said.get("later_policies", {}).items()},
        ends=said.get("ends", "failed"), approves=said.get("approves", True),
    )  # fmt: skip
    before = said.get("earlier")
    if before:
        sound = Case(
            kind="", mode="earlier", number=number, shape="", definition=definition, subflows={}, results={},
            input=said["input"], tables=tables | before["tables"], replies=_replies(said["says"] | before["says"]),
            pages={}, expected=None, ends="done",
        )  # fmt: skip
        case.earlier = [sound] * before["count"]
    return case


def unseen() -> list[Case]:
    """All of them, in the order of the file."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return [_case(number, each) for number, each in enumerate(yaml.safe_load(text))]


def systems(cases: list[Case]) -> tuple[dict[str, str], dict[str, Any]]:
    """The files of the systems that these cases ask, and what fairlead.yaml says of them."""
    tools: dict[str, list[str]] = {}
    everything = [*cases, *(each for case in cases for each in case.earlier)]
    for name in sorted({name for case in everything for name in case.tables}):
        tools.setdefault(name.partition(".")[0], []).append(name)
    files = {}
    for system, names in tools.items():
        reads = [name.partition(".")[2] for name in names if name not in WRITES]
        text = _FILE.format(reads=set(reads) or "set()")
        for name in names:
            signature = SIGNATURES.get(name, "id: str")
            asked = ", ".join(each.partition(":")[0].strip() for each in signature.split(","))
            text += _TOOL.format(
                tool=name.partition(".")[2], signature=signature, gives="dict[str, Any]", name=name, names=asked
            )
        files[f"systems/{system}.py"] = text
    return files, {name: {"use": "python", "file": f"systems/{name}.py", "trusted": True} for name in tools}
