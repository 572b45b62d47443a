"""What a compilation finds: the files of a workspace as they were read, and all that is wrong with them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from fairlead.errors import BadInput
from fairlead.workspace.places import placed
from fairlead.workspace.problems import Problem
from fairlead.workspace.text import ENTRY, WorkspaceText
from fairlead.workspace.typed import read
from fairlead.workspace.yaml_lines import Document, Node, Path, parse_yaml

_Part = TypeVar("_Part")
_File = TypeVar("_File", bound=msgspec.Struct)
_NO_ENTRY: Final = Document(ENTRY, Node({}, 1, 1))


class Findings:
    """Of one text. Problems gather, each at its place, so that what is sound goes on being checked."""

    def __init__(self, text: WorkspaceText) -> None:
        self.text = text
        self.documents: dict[str, Document] = {}
        self.problems: list[Problem] = []

    def read(self, path: str, kind: type[_File]) -> _File | None:
        """The settings in one YAML file, None if anything is wrong with it."""
        document = parse_yaml(path, self.text.files.get(path, b""))
        if isinstance(document, Problem):
            self.problems.append(document)
            return None
        self.documents[path] = document
        return read(document, kind, self.problems)

    def below(self, folder: str, kind: type[_File]) -> dict[str, _File | None]:
        """The settings in each YAML file of a folder."""
        return {path: self.read(path, kind) for path, _ in self.text.below(folder, ".yaml")}

    def tried(
        self, make: Callable[[], _Part], base: Path = (), *, folder: str = "", others: Iterable[str] = ()
    ) -> _Part | None:
        """What `make` gives, None if it raises `BadInput`. That error is about fairlead.yaml, or one of `others`."""
        try:
            return make()
        except BadInput as error:
            entry = self.documents.get(ENTRY, _NO_ENTRY)
            documents = {path: self.documents[path] for path in others}
            self.problems.append(placed(error, entry, base, folder=folder, others=documents))
            return None

    def each(self, make: Callable[[Mapping[str, Any]], _Part], entries: Mapping[str, Any], base: Path) -> _Part | None:
        """What `make` gives for all entries. Packages stop at the first fault: asked one by one, they tell them all."""
        before = len(self.problems)
        for name, entry in entries.items():
            self.tried(partial(make, {name: entry}), (*base, name))
        return self.tried(partial(make, entries), base) if len(self.problems) == before else None

    def checked(self, path: str, check: Callable[[], object]) -> None:
        """Note what it raises at its place in that file."""
        try:
            check()
        except BadInput as error:
            self.problems.append(placed(error, self.documents[path]))
