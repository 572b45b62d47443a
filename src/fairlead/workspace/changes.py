"""What a publish would change, for people to read before they say yes."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from fairlead.workspace.text import ENTRY, POLICY_TESTS, PRICES, WorkspaceText
from fairlead.workspace.yaml_lines import Document, parse_yaml

Effect = Literal["added", "changed", "removed"]


class Change(Struct, frozen=True):
    """One thing that differs. `kind` is "file", or what it is: "model", "policy file", "budget", "task type", …"""

    effect: Effect
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.effect} {self.kind} {self.name}"


def diff(old: WorkspaceText, new: WorkspaceText) -> tuple[Change, ...]:
    """What differs from `old` to `new`: every file, then what the differing files mean."""
    files = tuple(Change(effect, "file", path) for effect, path in _compared(old.files, new.files))
    return files + tuple(_meaning(old, new))


_SECTIONS = {"models": "model", "keys": "key", "budgets": "budget", "prices": "price", "identity": "identity setting"}
_FOLDERS = {
    "policies/": "policy file",
    "rules/": "rule file",
    "tasks/": "task type",
    "controls/": "control",
    "context/": "context item",
}


def _meaning(old: WorkspaceText, new: WorkspaceText) -> Iterator[Change]:
    before, after = _sections(old), _sections(new)
    for section in sorted({*before, *after}):
        was, now = before.get(section), after.get(section)
        if was == now:
            continue
        if section in _SECTIONS and isinstance(was or {}, dict) and isinstance(now or {}, dict):
            for effect, name in _compared(was or {}, now or {}):
                yield Change(effect, _SECTIONS[section], name)
        else:
            yield Change(_effect(was, now), "setting", section)
    for effect, path in _compared(old.files, new.files):
        if path == PRICES:
            yield Change(effect, "price list", "of the vendors")
        elif path == POLICY_TESTS:
            yield Change(effect, "policy tests", path)
        else:
            for folder, kind in _FOLDERS.items():
                if path.startswith(folder):
                    yield Change(effect, kind, path.removeprefix(folder).rpartition(".")[0])


def _sections(text: WorkspaceText) -> Mapping[str, Any]:
    document = parse_yaml(ENTRY, text.files.get(ENTRY, b""))
    return document.data if isinstance(document, Document) and isinstance(document.data, dict) else {}


def _compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Effect, str]]:
    for name in sorted({*old, *new}):
        was, now = old.get(name), new.get(name)
        if was != now or (name in old) != (name in new):
            yield _effect(was if name in old else None, now if name in new else None), name


def _effect(was: object, now: object) -> Effect:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"
