"""The systems of a workspace: what it says of them in fairlead.yaml, in their cards, and in what was accepted."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from fairlead.errors import BadInput, closest
from fairlead.identity.addresses import check_url
from fairlead.identity.certificates import check_certificates
from fairlead.tools.cards import NO_CARD, SystemCard
from fairlead.tools.registry import defined
from fairlead.tools.settings import AnySystem, SqlSettings
from fairlead.tools.systems import Pins, System, compile_system

FOLDER: Final = "systems"


def card_path(name: str) -> str:
    """Where a system's card lies in the workspace."""
    return f"{FOLDER}/{name}.yaml"


def pins_path(name: str) -> str:
    """Where it is kept which tools of a system were accepted."""
    return f"{FOLDER}/{name}.pins.json"


def files_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that systems may speak of, by their path in the workspace."""
    return {path: content for path, content in files.items() if path.startswith(f"{FOLDER}/")}


def one_system(name: str, settings: AnySystem, card: SystemCard | None, files: Mapping[str, bytes]) -> System:
    """One system, with the definitions that are in force. Raises `BadInput`."""
    exchange = settings.credential.exchange
    if exchange is not None:
        check_url(f"systems.{name}.credential.exchange.token_url", exchange.token_url)
    if settings.credential.certificate is not None:
        _check_certificate(f"systems.{name}", settings)
    path = pins_path(name)
    try:
        pins = msgspec.json.decode(files[path], type=Pins) if path in files else None
    except msgspec.DecodeError as error:
        raise BadInput(
            f"{path}: {error}", why="it is written by a command", mend=f"write it anew: fairlead tools accept {name}"
        ) from None
    return compile_system(name, settings, card or NO_CARD, defined(name, settings, pins, files), files)


def _check_certificate(key: str, settings: AnySystem) -> None:
    ways = settings.credential
    assert ways.certificate is not None
    if not isinstance(settings, SqlSettings) or settings.url.startswith("sqlite:"):
        raise BadInput(
            f"{key}.credential.certificate is for a PostgreSQL database",
            why="no other system here takes people by a certificate",
            mend="give it another kind of credential, such as `exchange`",
        )
    if ways.login is not None or ways.service is not None:
        raise BadInput(
            f"{key}.credential has another way beside `certificate`",
            why="a certificate is issued for everybody, so that the other would never be taken",
            mend="leave out `login` and `service`, or `certificate`",
        )
    check_certificates(f"{key}.credential.certificate", ways.certificate)


def crossings(systems: Mapping[str, System]) -> Iterator[BadInput]:
    """What the card of one system says of the tools of others, where it cannot be."""
    tools = {tool.name: tool for system in systems.values() for tool in system.tools.values()}
    needs: dict[str, set[str]] = {}
    for system in systems.values():
        for tool, card in system.card.tools.items():
            for fact, each in card.facts.items():
                where = f"{card_path(system.name)}: tools.{tool}.facts.{fact}.tool"
                other = tools.get(each.tool)
                if other is None:
                    yield BadInput(f"{where}: there is no tool {each.tool!r}", mend=closest(each.tool, tools))
                elif other.definition.effect != "read":
                    yield BadInput(
                        f"{where}: {each.tool} may change something",
                        why="facts are read before anybody has decided",
                        mend="name a tool that only reads, or say so under `effects:` of its system",
                    )
                needs.setdefault(f"{system.name}.{tool}", set()).add(each.tool)
    for name in sorted(needs):
        if _reaches(name, name, needs, set()):
            yield BadInput(
                f"the facts of {name} need {name} itself",
                why="no decision about it would ever end",
                mend="take the fact from another tool",
            )


def refuse_unreadable(key: str, name: str, systems: Mapping[str, System]) -> None:
    """Raises `BadInput` unless `name` is a tool that only reads. `key` is who names it."""
    tools = {tool.name: tool for system in systems.values() for tool in system.tools.values()}
    tool = tools.get(name)
    if tool is None:
        raise BadInput(
            f"{key}.tool: there is no tool {name!r}",
            why="no system of this workspace offers it, or nobody has accepted it yet",
            mend=closest(name, tools) or "declare a system under `systems:` in fairlead.yaml",
        )
    if tool.definition.effect != "read":
        raise BadInput(
            f"{key}.tool: {name} may change something",
            why="it would be called whenever somebody asks a question",
            mend="name a tool that only reads, or say so under `effects:` of its system",
        )


def _reaches(start: str, goal: str, needs: Mapping[str, set[str]], seen: set[str]) -> bool:
    for each in needs.get(start, ()):
        if each == goal or (each not in seen and not seen.add(each) and _reaches(each, goal, needs, seen)):  # type: ignore[func-returns-value]
            return True
    return False
