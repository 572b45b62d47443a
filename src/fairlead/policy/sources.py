"""Reading Cedar: files become single statements with an id, a reason, and the line on which they stand."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import PurePosixPath
from typing import Any, Final

import cedarpy
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.policy.settings import FactSetting

MODES: Final = ("shadow", "warn", "enforce")
_CEDAR_TYPE = {"decimal": "decimal", "text": "String", "bool": "Bool"}


_OF_NO_TOOL: Final = frozenset(
    ("call_model", "read_context", "release_reply", "release_result", "start_workflow", "give_feedback")
)
_FACTS = {".": {"left": {"Var": "context"}, "attr": "facts"}}


class Statement(Struct, frozen=True):
    """One policy. `tree` is Cedar's own JSON form of it, `redact` the categories whose removal lifts a forbid.

    One whose `mode` is not "enforce" decides nothing: that it applied is noted.
    """

    id: str
    text: str
    where: str  # file:line
    effect: str
    tree: dict[str, Any]
    reason: str
    redact: frozenset[str]
    mode: str = "enforce"
    approval: str = ""  # the role that may let pass what this forbids
    pseudonymise: frozenset[str] = frozenset()  # those of `redact` that leave a pseudonym

    @property
    def actions(self) -> frozenset[str] | None:
        """The actions in its scope; None for every action."""
        scope = self.tree["action"]
        if scope["op"] == "All":
            return None
        entities = scope.get("entities") or [scope["entity"]]
        return frozenset(entity["id"] for entity in entities)


def statements(files: Mapping[str, str], facts: Iterable[FactSetting], tools: str = "") -> tuple[Statement, ...]:
    """All policies of the files, in order, each valid under the schema, to which `tools` adds the workspace's tools.

    Raises BadInput naming file and line where a policy does not parse, does not fit the schema, is a template, or has
    an id that another one has.
    """
    facts = tuple(facts)
    declared = frozenset(fact.name for fact in facts)
    schema = schema_text(facts, tools)
    found: dict[str, Statement] = {}
    for file, text in files.items():
        for number, (line, source) in enumerate(_split(file, text), 1):
            statement = _read(file, line, number, source, schema)
            of_replies = statement.actions is None or "release_reply" in statement.actions
            if of_replies and (unknown := sorted(_facts(statement.tree["conditions"]) - declared)):
                raise BadInput(
                    f"{statement.where}: no rule declares the fact {unknown[0]!r}",
                    why="a test of a fact that never occurs would never hold",
                    mend="declare it under `facts:` in rules/*.yaml, or correct its name",
                )
            if (other := found.get(statement.id)) is not None:
                raise BadInput(
                    f"{statement.where}: policy id {statement.id!r} is taken",
                    why=f"{other.where} has it",
                    mend='give each policy an @id("…") of its own',
                )
            found[statement.id] = statement
    return tuple(found.values())


@functools.lru_cache(maxsize=4)
def _parsed_schema(text: str) -> cedarpy.Schema:
    return cedarpy.Schema.from_str(text)


@functools.cache
def _packaged_schema() -> str:
    return resources.files("fairlead.policy").joinpath("schema.cedarschema").read_text("utf-8")


def schema_text(facts: Iterable[FactSetting] = (), tools: str = "") -> str:
    """The Cedar schema, with a workspace's facts and tools."""
    declared = ", ".join(f'"{fact.name}"?: {_CEDAR_TYPE[fact.type]}' for fact in facts)
    return _packaged_schema().replace("/* facts */", declared).replace("/* tools */\n", tools)


@functools.lru_cache(maxsize=1024)
def _read(file: str, line: int, number: int, source: str, schema: str) -> Statement:
    """A statement, read once: from one revision to the next most of them stay as they are, under the same schema."""
    where = f"{file}:{line}"
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(source))
    except ValueError as error:
        raise BadInput(
            f"{where}: this is not a Cedar policy: {error}",
            mend="write permit(…) or forbid(…), with when {…} or unless {…}, ended by a semicolon",
        ) from None
    if parsed["templates"]:
        raise BadInput(
            f"{where}: templates (?principal, ?resource) are not supported",
            mend='name the principal, or write principal in Group::"…"',
        )
    (tree,) = parsed["staticPolicies"].values()
    checked = cedarpy.validate_policies(source, _parsed_schema(schema))
    if not checked.validation_passed:
        raise BadInput(
            f"{where}: " + "; ".join(error.error.replace("for policy `policy0`, ", "") for error in checked.errors),
            why="policies are checked against the schema, so that none fails while it decides",
            mend="correct the name or the type, test optional attributes with `has`; see `fairlead policy schema`",
        )
    notes = tree.get("annotations", {})
    named = _pseudonymised(where, tree)
    redact = _listed(notes.get("redact")) | named
    if redact and tree["effect"] != "forbid":
        raise BadInput(f"{where}: @redact belongs to forbid, not to permit", mend="put it on the forbid that it lifts")
    name = notes.get("id") or f"{PurePosixPath(file).stem}-{number}"
    said = notes.get("reason") or f"{'permitted' if tree['effect'] == 'permit' else 'forbidden'} by {name} ({where})"
    return Statement(
        name, source, where, tree["effect"], tree, said, redact, _mode(where, tree), _approval(where, tree), named
    )


def _listed(note: str | None) -> frozenset[str]:
    return frozenset(filter(None, (each.strip() for each in (note or "").split(","))))


def _pseudonymised(where: str, tree: Mapping[str, Any]) -> frozenset[str]:
    """The categories that `@pseudonymise` names."""
    notes, scope = tree.get("annotations", {}), tree["action"]
    named = _listed(notes.get("pseudonymise"))
    ids = [each["id"] for each in scope.get("entities") or [scope["entity"]]] if scope["op"] != "All" else []
    if named and (ids != ["call_model"] or tree["effect"] != "forbid"):
        raise BadInput(
            f"{where}: @pseudonymise belongs to a forbid of call_model",
            why="what stands for a value is put back in the reply; in a reply or a result it would stand for ever",
            mend='write it before forbid(principal, action == Action::"call_model", …), or use @redact',
        )
    if both := sorted(named & _listed(notes.get("redact"))):
        raise BadInput(f"{where}: {both[0]!r} stands in @redact and in @pseudonymise", mend="take it from one of them")
    return named


def _approval(where: str, tree: Mapping[str, Any]) -> str:
    """The role that `@approval` names."""
    notes = tree.get("annotations", {})
    if "approval" not in notes:
        return ""
    role = (notes["approval"] or "").strip()
    if not role or tree["effect"] != "forbid":
        raise BadInput(
            f"{where}: @approval names a role, and belongs to forbid",
            why="who has the role may let pass what the policy forbids",
            mend='write @approval("finance-lead") before a forbid',
        )
    scope = tree["action"]
    named = [each["id"] for each in scope.get("entities") or [scope["entity"]]] if scope["op"] != "All" else []
    if not named or _OF_NO_TOOL & set(named):
        raise BadInput(
            f"{where}: @approval belongs to policies about tools",
            why="only the call of a tool can wait for a person",
            mend='scope it to action in Action::"call_tool", or to the action of one tool',
        )
    return role


def _mode(where: str, tree: Mapping[str, Any]) -> str:
    mode = tree.get("annotations", {}).get("mode", "enforce")
    if mode not in MODES:
        raise BadInput(f"{where}: @mode is {mode!r}", mend=f"write one of {', '.join(MODES)}")
    if mode != "enforce" and tree["effect"] != "forbid":
        raise BadInput(
            f"{where}: @mode belongs to forbid, not to permit",
            why="a permit that only watched would permit nothing, and nothing would be seen of it",
            mend="put it on a forbid, or leave it out",
        )
    if mode != "enforce" and tree["action"].get("entity", {}).get("id") == "read_context":
        raise BadInput(
            f"{where}: @mode does not belong to read_context",
            why="every item of context is asked about, and nobody counts for how many a rule would have held",
            mend="leave it out; `fairlead policy explain` and policies/tests.yaml show what such a policy decides",
        )
    return str(mode)


def models_compared(statement: Statement) -> frozenset[str]:
    """The models that a policy compares with by name, and not by `in`."""
    return frozenset(_compared(statement.tree))


def _compared(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_compared, node))
    if not isinstance(node, dict) or node.get("op") == "in":
        return set()
    if node.get("type") == "Model" and "id" in node:
        return {str(node["id"])}
    return set().union(*(_compared(each) for name, each in node.items() if name != "in"))


def _facts(node: Any) -> set[str]:
    """The facts that a policy mentions, `context.facts.NAME` or `context.facts has NAME`."""
    if isinstance(node, list):
        return set().union(*map(_facts, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_facts, node.values()))
    for operator in (".", "has"):
        inner = node.get(operator)
        if isinstance(inner, dict) and inner.get("left") == _FACTS:
            found.add(str(inner["attr"]))
    return found


def _split(file: str, text: str) -> Iterator[tuple[int, str]]:
    """The statements of a file with the line on which each begins. Cedar's errors carry no lines of their own."""
    begin, line, started_on, at = None, 1, 1, 0
    while at < len(text):
        character = text[at]
        if text.startswith("//", at):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        if begin is None and not character.isspace():
            begin, started_on = at, line
        if character == '"':
            closed = _string_end(text, at)
            line += text.count("\n", at, closed)
            at = closed
            continue
        line += character == "\n"
        at += 1
        if character == ";" and begin is not None:
            yield started_on, text[begin:at]
            begin = None
    if begin is not None:
        raise BadInput(f"{file}:{started_on}: this policy has no end", mend="end it with a semicolon")


def _string_end(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def single(expression: str) -> bool:
    """Whether a text is one Cedar expression and nothing beside it, so that it can stand in a policy's braces."""
    probe = f"permit(principal, action, resource) when {{ {expression}\n}};"
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(probe))
    except ValueError:
        return False
    found = list(parsed["staticPolicies"].values())
    return len(found) == 1 and len(found[0]["conditions"]) == 1 and not parsed["templates"]


def quoted(name: str) -> str:
    """A Cedar string literal that holds exactly this text, whatever it is."""
    return (
        '"'
        + "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in name)
        + '"'
    )
