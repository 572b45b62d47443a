"""What detectors of a revision look for, and the texts of a request that they looked at, as far as they were kept."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fairlead.costs.payload import Payload
from fairlead.workspace.text import WorkspaceText
from fairlead.workspace.yaml_lines import Document, parse_yaml

_DETECTING: Final = ("detectors", "names", "classes", "without", "also")


def said_in(payload: Payload | None) -> str | None:
    """All texts of a request as it came; None where it was kept otherwise."""
    try:
        body = msgspec.json.decode(payload.body) if payload is not None else None
    except msgspec.MsgspecError:
        return None
    return "\n".join(_texts(body)) if isinstance(body, dict) else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def detecting(text: WorkspaceText) -> tuple[Any, ...]:
    """All of a workspace's text that says what detectors find."""
    files = [document.data for path, content in text.below("rules", ".yaml")
             if isinstance(document := parse_yaml(path, content), Document)]  # fmt: skip
    said = [msgspec.json.encode({key: each.get(key) for key in _DETECTING if isinstance(each, dict)}) for each in files]
    lists = [(path, content) for suffix in (".csv", ".txt") for path, content in text.below("rules", suffix)]
    empty = msgspec.json.encode(dict.fromkeys(_DETECTING))
    return (*sorted(each for each in said if each != empty), *lists)
