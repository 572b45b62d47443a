"""Files that are brought into a run's input: a document whole, with its name and digest, or the text of one."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from fairlead.errors import BadInput

LARGEST: Final = 7 << 20
"""Bytes of one file: it travels with its run, sealed, and requests have ten million by default."""


def with_files(
    given: Mapping[str, Any], files: Mapping[str, str], texts: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    """The input with what lies in files. Each of `files` becomes `{name, base64, sha256}`. Raises `BadInput`."""
    brought = {key: _document(folder / path) for key, path in files.items()}
    return {**given, **brought, **{key: _text(folder / path) for key, path in texts.items()}}


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """`KEY=PATH`, as an option has them. Raises `BadInput`."""
    found = {}
    for each in given:
        key, mark, path = each.partition("=")
        if not (key and mark and path):
            raise BadInput(
                f"{option} is {each!r}",
                why="it is a key of the input, = and a file",
                mend=f"{option} document=scan.pdf",
            )
        found[key] = path
    return found


def _document(path: Path) -> dict[str, str]:
    content = _read(path)
    encoded = base64.b64encode(content).decode()
    return {"name": path.name, "base64": encoded, "sha256": hashlib.sha256(content).hexdigest()}


def _text(path: Path) -> str:
    try:
        return _read(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} is no UTF-8 text", mend="save it as UTF-8, or bring it with --file") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read", why=error.strerror or str(error), mend="check its name") from None
    if len(content) > LARGEST:
        raise BadInput(f"{path} has more than {LARGEST >> 20} MiB", why="it travels with the run", mend="split it")
    return content
