"""What systems offer as the protocol lists it: tools by their accepted definition, with what their system's card says
they mean here; and the names of resources and prompts."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fairlead.tools.cards import ArgumentCard, ToolCard
from fairlead.tools.offered import Systems
from fairlead.tools.settings import McpSettings
from fairlead.tools.talk import Passing
from fairlead.tools.types import Tool

_LONGEST: Final = 64  # what models' own tool calls take
_SCHEME: Final = "fairlead://"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


class Listing:
    """What a deployment's systems offer, as one endpoint names it; tools are encoded once.

    Of all systems together, a tool is `system__tool`, because the models of several vendors take no dot in a name; a
    prompt is named in the same way, and a resource has its system before its own address. At the endpoint of one system
    everything has the name that the system gives it.
    """

    def __init__(self, systems: Systems, only: str = "") -> None:
        self.only = only
        here = [each.settings for name, each in systems.systems.items() if only in ("", name)]
        self._passes = frozenset(what for each in here if isinstance(each, McpSettings) for what in each.passes)
        self._mirrored: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self._encoded: dict[str, msgspec.Raw] = {}
        mine = {name: tool for name, tool in systems.tools.items() if only in ("", tool.system)}
        self.tools = tuple(tool for tool in mine.values() if tool.definition.kind == "tool")
        self._methods = {name: tool for name, tool in mine.items() if tool.definition.kind == "method"}
        for tool in sorted(self.tools, key=lambda each: each.name):
            listed = tool.definition.name if only else _listed(tool.name, self._names)
            self._names[listed] = tool.name
            if mirrored := _mirrored(tool.definition.input):
                self._mirrored[tool.name] = mirrored
            card = systems.systems[tool.system].card_of(tool.definition.name)
            self._encoded[tool.name] = msgspec.Raw(msgspec.json.encode(_described(listed, tool, card)))
        self._names |= {} if only else {tool.name: tool.name for tool in self.tools}

    def passes(self, what: Passing) -> bool:
        """Whether a system here may do this during a call."""
        return what in self._passes

    def encoded(self, tools: Iterable[Tool]) -> list[msgspec.Raw]:
        """These tools as they are listed, in their order. Each must be one of the listing's."""
        return [self._encoded[each.name] for each in tools]

    def tool(self, listed: str) -> str | None:
        """The name of a tool, by that which it is listed by."""
        return self._names.get(listed)

    def mirrored(self, tool: str) -> Mapping[str, str]:
        """Which arguments of a tool headers repeat, by the header's name."""
        return self._mirrored.get(tool, {})

    def methods(self, name: str) -> tuple[Tool, ...]:
        """That method of each system here which offers it."""
        return tuple(tool for tool in self._methods.values() if tool.definition.name == name)

    def method(self, system: str, name: str) -> str | None:
        """Its full name, None where the system does not offer it here."""
        full = f"{system}.{name}"
        return full if full in self._methods else None

    def outer_uri(self, system: str, uri: str) -> str:
        """The address by which a resource of a system is known at this endpoint."""
        return uri if self.only else f"{_SCHEME}{system}/{uri}"

    def inner_uri(self, uri: str) -> tuple[str, str]:
        """The system and its own address of a resource; "" for one that is not ours."""
        if self.only:
            return self.only, uri
        system, _, own = uri.removeprefix(_SCHEME).partition("/")
        return (system, own) if uri.startswith(_SCHEME) and own else ("", uri)

    def outer_prompt(self, system: str, name: str) -> str:
        """The name by which a prompt of a system is known at this endpoint."""
        return name if self.only else f"{system}__{name}"

    def inner_prompt(self, name: str) -> tuple[str, str]:
        """The system and its own name of a prompt; "" for one that is not ours."""
        if self.only:
            return self.only, name
        system, _, own = name.partition("__")
        return (system, own) if own else ("", name)


def _mirrored(schema: Mapping[str, Any]) -> dict[str, str]:
    properties = schema.get("properties", {})
    return {
        its["x-mcp-header"].lower(): name
        for name, its in properties.items()
        if isinstance(its, Mapping) and isinstance(its.get("x-mcp-header"), str)
    }


def _listed(name: str, taken: Mapping[str, str]) -> str:
    listed = plain = _UNFIT.sub("_", name.replace(".", "__", 1))
    mark = name
    while len(listed) > _LONGEST or listed in taken:  # a system may have given a name that looks like one of these
        mark = hashlib.sha256(mark.encode()).hexdigest()
        listed = f"{plain[: _LONGEST - 9]}_{mark[:8]}"
    return listed


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
