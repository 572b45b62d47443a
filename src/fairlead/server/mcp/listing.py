"""Tools as the protocol lists them: their accepted definition, and what their system's card says they mean here."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fairlead.tools.cards import ArgumentCard, ToolCard
from fairlead.tools.offered import Systems
from fairlead.tools.types import Tool

_LONGEST: Final = 64  # what models' own tool calls take
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


class Listing:
    """All tools of a deployment, encoded once. `names` gives a tool's own name for the one that it is listed by.

    It is listed as `system__tool`, because the models of several vendors take no dot in a name.
    """

    def __init__(self, systems: Systems) -> None:
        self.names: dict[str, str] = {}
        self._encoded: dict[str, msgspec.Raw] = {}
        for name, tool in sorted(systems.tools.items()):
            listed = _listed(name, self.names)
            self.names[listed] = name
            card = systems.systems[tool.system].card_of(tool.definition.name)
            self._encoded[name] = msgspec.Raw(msgspec.json.encode(_described(listed, tool, card)))
        self.names |= {name: name for name in systems.tools}

    def of(self, tools: Iterable[Tool]) -> list[msgspec.Raw]:
        return [self._encoded[each.name] for each in tools]


def _listed(name: str, taken: Mapping[str, str]) -> str:
    plain = _UNFIT.sub("_", name.replace(".", "__", 1))
    if len(plain) <= _LONGEST and plain not in taken:
        return plain
    return f"{plain[: _LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _described(listed: str, tool: Tool, card: ToolCard) -> dict[str, Any]:
    definition = tool.definition
    reads = definition.effect == "read"
    described: dict[str, Any] = {
        "name": listed,
        "title": definition.title or tool.name,
        "description": _text(definition.description, card),
        "inputSchema": _with_meaning(definition.input, card.arguments),
        "annotations": {
            "readOnlyHint": reads,
            "destructiveHint": not reads,
            "idempotentHint": reads or definition.idempotent,
        },
    }
    if definition.output is not None:
        described["outputSchema"] = definition.output
    return described


def _text(description: str, card: ToolCard) -> str:
    parts = [description, card.about]
    parts += [f"Before calling: {each.instead}" for each in card.requires.values()]
    parts += [f"Example: {msgspec.json.encode(each).decode()}" for each in card.examples]
    return "\n".join(each for each in parts if each)


def _with_meaning(schema: Mapping[str, Any], meanings: Mapping[str, ArgumentCard]) -> dict[str, Any]:
    """The schema, with what each argument means in this organisation."""
    told = {"type": "object", **schema}
    properties = dict(told.get("properties", {}))
    for name, card in meanings.items():
        if isinstance(its := properties.get(name), Mapping):
            said = [str(its.get("description", "")), card.means, f"In {card.unit}." if card.unit else ""]
            properties[name] = {**its, "description": " ".join(each for each in said if each)}
            if card.example is not None:
                properties[name]["examples"] = [card.example]
    if properties:
        told["properties"] = properties
    return told
