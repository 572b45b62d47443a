"""A system of a workspace, ready to be opened: its settings with `systems/NAME.yaml`, the meaning of its tools, and
`systems/NAME.pins.json`, the definitions that a person accepted."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.labels import DataClass
from fairlead.net.addresses import checked_address
from fairlead.tools.cards import SystemCard, ToolCard
from fairlead.tools.grant_settings import check_grant
from fairlead.tools.settings import AnySystem, DecidedSettings, McpSettings, MemorySystemSettings, SystemSettings
from fairlead.tools.types import Definition, Tool

log = logging.getLogger("fairlead.systems")

INHERITED: Final = ("PATH", "HOME", "LANG")
"""What a program that is started sees of this machine's environment."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class Pins(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`systems/NAME.pins.json`: what a person accepted. Written by `fairlead tools accept`."""

    tools: tuple[Definition, ...] = ()


class System(Struct, frozen=True, kw_only=True):
    """A system of a workspace, ready to be opened. `tools` are those in force, by their own name. `environment` is all
    that a program sees which is started for it: secrets of whoever runs Fairlead may stand there."""

    name: str
    settings: AnySystem | DecidedSettings | MemorySystemSettings
    tools: Mapping[str, Tool]
    card: SystemCard
    files: Mapping[str, bytes]  # of the workspace, under systems/
    environment: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"System(name={self.name!r})"

    @property
    def data_class(self) -> DataClass:
        """The class of what its tools give back."""
        return DataClass[self.settings.data_class]

    def card_of(self, tool: str) -> ToolCard:
        """What the card says of a tool, by the tool's own name; an empty card where it says nothing."""
        return self.card.tools.get(tool, ToolCard())


def compile_system(
    name: str, settings: AnySystem, card: SystemCard, offered: Iterable[Definition], files: Mapping[str, bytes]
) -> System:
    """`offered` are the accepted definitions: pins, or what the workspace's own text defines. Raises `BadInput`."""
    key = f"systems.{name}"
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{key}: {name!r} is no fit name for a system",
            why="tools are called by it, as in `crm.get_order`",
            mend="use small letters, digits, - and _",
        )
    if isinstance(settings, McpSettings):
        check_mcp(key, settings)
    if settings.credential.grant is not None:
        check_grant(f"{key}.credential.grant", settings.credential.grant, name)
    tools = {
        each.name: Tool(system=name, definition=each, digest=each.digest)
        for each in (as_declared(one, settings) for one in offered)
        if each.kind == "method" or any(fnmatchcase(each.name, pattern) for pattern in settings.only)
    }
    for part, names in (("effects", settings.effects), ("tools", card.tools)):
        if tools and (unknown := sorted(set(names) - tools.keys())):
            where = key if part == "effects" else f"systems/{name}.yaml"
            raise BadInput(
                f"{where}: {part} names {unknown[0]!r}, which is no tool of this system",
                mend=closest(unknown[0], tools) or f"accept its tools first: fairlead tools accept {name}",
            )
    return System(name=name, settings=settings, tools=tools, card=card, files=files)


def as_declared(definition: Definition, settings: SystemSettings) -> Definition:
    """The definition with what the workspace says of its effect, which counts before what the system says."""
    said = settings.effects.get(definition.name)
    return definition if said is None else msgspec.structs.replace(definition, effect=said)


def check_mcp(key: str, settings: McpSettings) -> None:
    """Raises `BadInput` where it is not clear what is to be spoken to, or what is would confuse people."""
    if bool(settings.url) == bool(settings.command):
        raise BadInput(
            f"{key} needs either `url` or `command`",
            why="a server of this protocol answers at an address, or is a program that is started",
            mend="write for example `url: https://crm.example.com/mcp`",
        )
    credential = settings.credential
    if settings.command and (credential.exchange or credential.grant or credential.login):
        raise BadInput(
            f"{key}.credential: a program that is started cannot tell people apart",
            why="one process answers for everybody, with what stands in its environment",
            mend="give the credential of an account by `env:`, or use a server with a `url`",
        )
    if settings.command and set(settings.passes) - {"progress"}:
        raise BadInput(
            f"{key}.passes: a program that is started can only tell how far it is",
            why="it answers for everybody over one connection, so nobody can tell whose call a question belongs to",
            mend="use a server with a `url`, or leave out all but `progress`",
        )
    if settings.env and not settings.command:
        raise BadInput(f"{key}.env is for a program that is started", mend="leave it out, or write `command`")
    if settings.url:
        checked_address(
            settings.url, key=f"{key}.url", at_home=settings.at_home, plain_http=settings.plain_http, of="system"
        )


def in_place(system: System, secret: "Callable[[str], str | None]") -> System:
    """The system as it is opened on this machine: a program that is started sees `PATH`, `HOME` and `LANG` of ours, and
    what was declared for it, nothing else. `secret` gives what `env:NAME` stands for. A variable that stands for none
    is left out, and the log says so: one missing secret ends no other system."""
    settings = system.settings
    if not isinstance(settings, McpSettings) or not settings.command:
        return system
    seen = {name: value for name in INHERITED if (value := secret(f"env:{name}")) is not None}
    for name, text in settings.env.items():
        value = secret(text) if text.startswith("env:") else text
        if value is None:
            log.warning("system %s: %s is not set here; its program is started without %s", system.name, text, name)
        else:
            seen[name] = value
    return msgspec.structs.replace(system, environment=seen)
