"""The visitor's own models: what the template names and this environment has a key for, and a local Ollama."""

import json
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from fairlead.cli.demonstration.company import OWN
from fairlead.cli.place import secrets
from fairlead.models.settings import compile_models
from fairlead.workspace.templates import template_text
from fairlead.workspace.text import ENTRY
from fairlead.workspace.yaml_lines import Document, parse_yaml

_OLLAMA: Final = ("127.0.0.1", 11434)
_PATIENCE: Final = 0.5  # seconds
_MOST_OF_AN_ANSWER: Final = 1 << 20


def own_models() -> dict[str, str]:
    """What each is, by the name that the demonstration gives it. Nothing is asked of any vendor to find out."""
    document = parse_yaml(ENTRY, template_text("retail", {"organisation": ""}).files[ENTRY])
    declared: Mapping[str, str] = document.data["models"] if isinstance(document, Document) else {}
    missing = compile_models(declared, secrets(Path())).unavailable
    found = {f"{OWN}{name}": use for name, use in declared.items() if name != "local" and name not in missing}
    pulled = _pulled()
    return found | ({f"{OWN}ollama": f"ollama/{pulled}"} if pulled else {})


def _pulled() -> str:
    """The first model that an Ollama on this machine has, "" where none answers."""
    with closing(HTTPConnection(*_OLLAMA, timeout=_PATIENCE)) as connection:
        try:
            connection.request("GET", "/api/tags")
            listed = json.loads(connection.getresponse().read(_MOST_OF_AN_ANSWER))["models"]
            return str(listed[0]["name"]) if listed else ""
        except (OSError, HTTPException, ValueError, LookupError, TypeError):
            return ""
