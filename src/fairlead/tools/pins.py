"""What a system offers now, held against what a person accepted. A tool that differs is quarantined until it is
accepted anew: whoever runs a system could otherwise change what a tool does, or tell models something else, behind a
name that policies trust."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.tools.systems import System, as_declared
from fairlead.tools.types import Definition

FindingKind = Literal["same", "changed", "new", "gone"]


class FieldChange(Struct, frozen=True, kw_only=True):
    """One field that differs. `field` is its path in the definition, as in `input.properties.amount.type`.

    `before` and `after` are for people's eyes: texts as they are, all else as JSON, what cannot be seen escaped; None
    where the field was not there.
    """

    field: str
    before: str | None
    after: str | None


class Finding(Struct, frozen=True, kw_only=True):
    """How one tool of a system stands. `accepted` and `offered` are digests, "" where there is no such tool."""

    name: str
    kind: FindingKind
    accepted: str = ""
    offered: str = ""
    changes: tuple[FieldChange, ...] = ()

    @property
    def in_force(self) -> bool:
        """Whether it may be called."""
        return self.kind == "same"


def compare(accepted: Iterable[Definition], offered: Iterable[Definition]) -> tuple[Finding, ...]:
    """A finding for each tool that either side knows, by name. Raises `BadInput` if a side knows a name twice."""
    before, after = _by_name(accepted, "accepted"), _by_name(offered, "offered")
    return tuple(_finding(name, before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys()))


def findings(system: System, offered: Iterable[Definition]) -> Mapping[str, Finding]:
    """How the tools of a compiled system stand, by their own name, once the workspace's word on what they do is laid
    over what the system says of them. Tools that `only` leaves out are not looked at."""
    settings = system.settings
    wanted = (each for each in offered if any(fnmatchcase(each.name, pattern) for pattern in settings.only))
    # What the protocol itself defines is no word of the system's, and nobody accepts it.
    in_force = (tool.definition for tool in system.tools.values() if tool.definition.kind == "tool")
    return {each.name: each for each in compare(in_force, (as_declared(one, settings) for one in wanted))}


def readable(finding: Finding) -> list[str]:
    """A finding in lines for a terminal: what was with `-`, what is with `+`."""
    lines = [f"{finding.kind:8} {_visible(finding.name)}"]
    for change in finding.changes:
        lines.append(f"  {change.field}")
        lines += [f"    {line}" for line in _diff(change)]
    return lines


def _by_name(definitions: Iterable[Definition], side: str) -> dict[str, Definition]:
    named: dict[str, Definition] = {}
    for each in definitions:
        if each.name in named:
            raise BadInput(
                f"the tool {each.name!r} is {side} twice",
                why="a name must mean one tool",
                mend="leave it out by `only:`, and tell whoever runs the system",
            )
        named[each.name] = each
    return named


def _finding(name: str, accepted: Definition | None, offered: Definition | None) -> Finding:
    if accepted is None:
        assert offered is not None
        return Finding(name=name, kind="new", offered=offered.digest, changes=_changes(None, offered))
    if offered is None:
        return Finding(name=name, kind="gone", accepted=accepted.digest)
    before, after = accepted.digest, offered.digest
    if before == after:
        return Finding(name=name, kind="same", accepted=before, offered=after)
    return Finding(name=name, kind="changed", accepted=before, offered=after, changes=_changes(accepted, offered))


def _changes(accepted: Definition | None, offered: Definition) -> tuple[FieldChange, ...]:
    before = {} if accepted is None else _plain(accepted)
    return tuple(_walk("", before, {key: value for key, value in _plain(offered).items() if key != "name"}))


def _plain(definition: Definition) -> dict[str, Any]:
    """All fields, those at their default as well: a change to it is one too."""
    fields = msgspec.structs.asdict(definition)
    return {key: value for key, value in fields.items() if key != "name" and value not in ("", None)}


_ABSENT: Final = object()


def _walk(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """What differs below `path`, the deepest field that says it, in the order of paths."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _walk(_below(path, key), before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and _holds_more(before) and _holds_more(after):
        for place in range(max(len(before), len(after))):
            one, other = (side[place] if place < len(side) else _ABSENT for side in (before, after))
            yield from _walk(f"{path}[{place}]", one, other)
    elif _differ(before, after):
        yield FieldChange(field=path, before=_said(before), after=_said(after))


def _below(path: str, key: str) -> str:
    plain = key.isidentifier() or key.replace("-", "").replace("$", "").isalnum()
    shown = key if plain and key.isascii() else _visible(json.dumps(key, ensure_ascii=False))
    return f"{path}.{shown}" if path else shown


def _holds_more(values: list[Any]) -> bool:
    return any(isinstance(each, dict | list) for each in values)


def _differ(before: Any, after: Any) -> bool:
    """Whether JSON says it differently. To Python, True is 1 and 1 is 1.0."""
    if before is _ABSENT or after is _ABSENT:
        return before is not after
    return _json(before) != _json(after)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _said(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return _visible(value if isinstance(value, str) else _json(value))


def _visible(text: str) -> str:
    """Characters that cannot be seen, or that turn what is seen around, as escapes: nobody accepts what they cannot
    read. Line breaks stay."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def _diff(change: FieldChange) -> Iterator[str]:
    before, after = ((text or "").split("\n") if text is not None else [] for text in (change.before, change.after))
    if len(before) < 2 or len(after) < 2:
        yield from (f"- {line}" for line in before)
        yield from (f"+ {line}" for line in after)
        return
    for line in difflib.unified_diff(before, after, lineterm="", n=1):
        if not line.startswith(("---", "+++")) and not line.startswith("@@"):
            yield f"{line[:1]} {line[1:]}"
