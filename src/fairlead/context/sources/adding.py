"""Copies of files as pages of `context/`: how a handbook that is there already comes in for the first time.

What is there stays: no page is ever written over. Lines at the top of a page stay too, those of other tools as well;
what it does not say itself is added.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct

from fairlead.context.items import read_item
from fairlead.context.sources.files import read_file, walk
from fairlead.context.sources.fronts import usual_keys
from fairlead.context.sources.head import line, write_page
from fairlead.context.sources.links import relinked, renamed
from fairlead.context.sources.memory import FILE as MEMORY
from fairlead.context.sources.names import Names, safe_part, shared_folder
from fairlead.context.sources.pages import Pages, pages_of
from fairlead.context.sources.reading import Said, kind_of, most_bytes, read_piece, too_large
from fairlead.context.sources.report import Outcome, Work
from fairlead.context.sources.settings import FolderSource
from fairlead.context.sources.types import Entry, Failure
from fairlead.errors import BadInput, NotFound

_MOST_PARTS: Final = 12


class Added(Struct, frozen=True, kw_only=True):
    """What came of the files below one path. `left_out` counts files of kinds that hold no pages, by their ending;
    `unchanged` are pages that were there with the same words."""

    into: str
    outcomes: tuple[Outcome, ...] = ()
    unchanged: int = 0
    left_out: Mapping[str, int] = {}

    @property
    def is_whole(self) -> bool:
        """Whether every file became a page, or was one already."""
        return not any(each.what in ("broken", "kept") for each in self.outcomes)


def place_for(path: Path, into: str, *, is_one: bool) -> str:
    """The folder of context/ that the pages of a file or folder go to. Raises `BadInput`."""
    parts = [each for each in into.replace("\\", "/").split("/") if each]
    if (
        into.startswith("/")
        or len(parts) > _MOST_PARTS
        or any(safe_part(each) != each or each in (".", "..") for each in parts)
    ):
        raise BadInput(
            f"--into {into!r} is no folder of context/",
            why="it must lie in there, and be named as pages can be",
            mend="such as --into handbook",
        )
    if path.is_dir() and not (parts and is_one):
        parts.append(safe_part(path.resolve().name or "handbook"))
    return "/".join(parts)


def add(path: Path, into: str, settings: FolderSource, work: Work) -> Added:
    """Copy a file, or all files below a folder. `settings` say what holds for pages that do not say it. Raises
    `BadInput` where the place belongs to a source."""
    if not path.exists():
        raise NotFound(f"there is no {path}", mend="name a folder, a Markdown file, a PDF or a DOCX file")
    first = into.partition("/")[0]
    if first and (work.context / first / MEMORY).exists():
        raise BadInput(
            f"context/{first} is written by the source {first}",
            why="what is added there would be in its way",
            mend=f"fairlead context sync {first}; or add to another folder: --into NAME",
        )
    with pages_of(work.context, into, dry_run=work.dry_run) as pages:
        adding = _Adding(path, into, settings, work, pages)
        adding.run()
    return Added(
        into=into,
        outcomes=tuple(adding.found),
        unchanged=adding.unchanged,
        left_out=dict(adding.left_out.most_common()),
    )


class _Adding:
    """One run through one path."""

    def __init__(self, path: Path, into: str, settings: FolderSource, work: Work, pages: Pages) -> None:
        self._root = path if path.is_dir() else path.parent
        self._only = "" if path.is_dir() else path.name
        self._into = into
        self._settings = settings
        self._work = work
        self._pages = pages
        self.found: list[Outcome] = []
        self.left_out: Counter[str] = Counter()
        self.unchanged = 0
        self._renamed: frozenset[str] = frozenset()

    def run(self) -> None:
        files = list(self._files())
        names = Names({})
        pages = {path: names.of(path) for path in files}
        self._renamed = renamed(pages)
        shared = shared_folder(files)
        for done, (path, page) in enumerate(pages.items(), 1):
            self._take(path, page, pages, shared)
            self._work.progress(done, len(pages))

    def _files(self) -> Iterator[str]:
        """Those that can be pages. Of what cannot be read, and of other kinds, it is noted that they were met."""
        listed = walk(self._root) if not self._only else ((self._only, (self._root / self._only).stat()),)
        for path, found in listed:
            kind = kind_of(path)
            if isinstance(found, Failure):
                self._break(path, found)
            elif not kind and self._only:
                self._break(path, Failure(why="it is no page", mend="Markdown, PDF and DOCX files can be added"))
            elif not kind:
                self.left_out[PurePosixPath(path).suffix.lower() or "no ending"] += 1
            elif found.st_size > most_bytes(kind):
                self._break(path, too_large(found.st_size, kind))
            else:
                yield path

    def _take(self, path: str, page: str, pages: Mapping[str, str], shared: str) -> None:
        kind = kind_of(path)
        data = read_file(self._root / path, most_bytes(kind))
        if isinstance(data, Failure):
            self._break(path, data)
            return
        said = read_piece(path, data, kind, self._work.documents, self._settings.encoding)
        if isinstance(said, Failure):
            self._break(path, said)
            return
        text = self._text(path, said, kind, pages, shared)
        name = f"{self._into}/{page}" if self._into else page
        try:
            read_item(name, text.encode("utf-8", "replace"), self._work.defaults)
        except BadInput as error:
            self._break(path, Failure(why=error.message.removeprefix(name).lstrip(": "), mend=error.mend or error.why))
            return
        there = self._pages.read(page)
        if there is not None and there == text:
            self.unchanged += 1
        elif there is not None:
            mend = f"delete context/{name} first, or add to another folder: --into NAME"
            self.found.append(
                Outcome(what="kept", path=path, page=name, why="another page stands there already", mend=mend)
            )
        else:
            self.found.append(Outcome(what="added", path=path, page=name))
            if not self._work.dry_run:
                self._pages.write(page, text.encode("utf-8", "replace"))

    def _text(self, path: str, said: Said, kind: str, pages: Mapping[str, str], shared: str) -> str:
        below = path.removeprefix(f"{shared}/") if shared else path
        keys = dict(said.keys)
        for key, text in usual_keys(self._settings, Entry(path=below, mark="")):
            keys.setdefault(key, text)
        if kind != ".md":
            keys["origin"] = line("origin", path)
            if said.changed:
                keys["changed"] = line("changed", said.changed)
        comments = {"": said.rest[""]} if "" in said.rest else {}
        body = relinked(said.body, path, pages, self._renamed)
        return write_page(comments | keys | dict(said.rest), body)

    def _break(self, path: str, failure: Failure) -> None:
        self.found.append(Outcome(what="broken", path=path, why=failure.why, mend=failure.mend))
