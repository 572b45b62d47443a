"""An OpenAPI description as a bounded tree of data, and the references within it. It sends nobody anywhere."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from fairlead.errors import BadInput

_MOST_BYTES: Final = 16 << 20
_DEEPEST: Final = 32  # references to references

Node = dict[str, Any]


class Document:
    """A description. `file` is what it is called in errors."""

    def __init__(self, text: bytes, file: str) -> None:
        """Raises `BadInput` for what is no OpenAPI description of 3.0 or 3.1."""
        self.file = file
        if len(text) > _MOST_BYTES:
            raise self.bad(f"it is larger than {_MOST_BYTES >> 20} MiB", "leave out what is not needed")
        root = self._read(text)
        if not isinstance(root, dict) or not isinstance(root.get("paths", {}), dict):
            raise self.bad("it is not an object with `paths`", "give the description itself, as JSON or YAML")
        self.root: Node = root
        self.version = str(root.get("openapi", ""))
        if not self.version.startswith(("3.0", "3.1")):
            found = f"openapi: {self.version}" if self.version else f"swagger: {root.get('swagger', 'nothing')}"
            raise self.bad(f"Fairlead reads OpenAPI 3.0 and 3.1, and this says {found}", "convert it to 3.1")

    @property
    def is_old(self) -> bool:
        """Whether its schemas are in the dialect of 3.0, which is not JSON Schema."""
        return self.version.startswith("3.0")

    def bad(self, why: str, mend: str = "") -> BadInput:
        """For a description that cannot be used, with its file."""
        return BadInput(f"{self.file} is no description that can be used", why=why, mend=mend)

    def fields(self, node: Node, key: str) -> Node:
        """The object under a key, empty if there is none. Raises `BadInput` for anything else."""
        value = node.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.bad(f"{key} must be an object")
        return value or {}

    def items(self, node: Node, key: str) -> list[Any]:
        """The list under a key, empty if there is none. Raises `BadInput` for anything else."""
        value = node.get(key)
        if value is not None and not isinstance(value, list):
            raise self.bad(f"{key} must be a list")
        return value or []

    def resolved(self, node: Any, where: str) -> Node:
        """The object itself, where `node` may be a reference to it. Raises `BadInput`."""
        for _ in range(_DEEPEST):
            if not isinstance(node, dict):
                raise self.bad(f"{where} is not an object")
            reference = node.get("$ref")
            if reference is None:
                return node
            node = self.at(reference, where)
        raise self.bad(f"{where}: its references go in a circle")

    def at(self, reference: Any, where: str) -> Any:
        """What a reference such as `#/components/schemas/Order` points at. Raises `BadInput` if it is not here."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise self.bad(
                f"{where} refers to {str(reference)[:200]!r}, and references outside of the file are not followed",
                "bundle the description into one file",
            )
        node: Any = self.root
        for token in reference[2:].split("/"):
            name = unquote(token).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            else:
                raise self.bad(f"{where} refers to {reference[:200]!r}, which is not there")
        return node

    def paths(self) -> Iterator[tuple[str, Node]]:
        """Each path with its item, references resolved."""
        for path, item in self.root.get("paths", {}).items():
            yield path, self.resolved(item, f"paths.{path}")

    def _read(self, text: bytes) -> Any:
        try:
            return msgspec.json.decode(text)
        except ValueError as error:
            if text.lstrip()[:1] in (b"{", b"["):
                raise self.bad(f"it is no JSON: {error}") from error
        except RecursionError:
            raise self.bad("it is nested too deeply") from None
        return self._yaml(text)

    def _yaml(self, text: bytes) -> Any:
        import yaml

        from fairlead.tools.plain_yaml import Nested, read_plain

        try:
            return read_plain(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            at = f" (line {mark.line + 1})" if mark is not None else ""
            raise self.bad(f"it is neither JSON nor YAML{at}: {getattr(error, 'problem', None) or error}") from error
        except Nested:
            raise self.bad("it is nested too deeply") from None
