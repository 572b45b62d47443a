"""One small source of each kind that tests change as its people would."""

import io
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import docx

from fairlead.context import ContextSettings
from fairlead.context.sources.converting import convert
from fairlead.context.sources.reading import Said
from fairlead.context.sources.report import Report, Work
from fairlead.context.sources.settings import AnySource, DocumentsSource, FolderSource, GitSource, McpSource
from fairlead.context.sources.sync import sync
from fairlead.context.sources.types import Failure, Reach
from fairlead.errors import Upstream

NOW = 1_795_262_400_000  # 2026-11-21, noon
GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "kim@acme.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


class World(Protocol):
    """A source that can be changed. `suffix` is the ending of its pieces."""

    suffix: str

    def settings(self, **more: object) -> AnySource: ...
    def put(self, name: str, text: str) -> None: ...
    def spoil(self, name: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def move(self, name: str, to: str) -> None: ...
    def go_down(self) -> None: ...


class InProcess:
    """Reads documents here, without the process that bounds it."""

    def read(self, kind: str, data: bytes) -> Said | Failure:
        return convert(kind, data)


class FolderWorld:
    suffix = ".md"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "there"
        self.folder.mkdir()
        self._ticks = 1_700_000_000

    def settings(self, **more: object) -> AnySource:
        return FolderSource(path=str(self.folder), **more)  # type: ignore[arg-type]

    def data(self, text: str) -> bytes:
        return text.encode()

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / (name + self.suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self._ticks += 10
        os.utime(path, (self._ticks, self._ticks))

    def put(self, name: str, text: str) -> None:
        self.write(name, self.data(text))

    def spoil(self, name: str) -> None:
        self.write(name, b"\x00\x01\xff")

    def remove(self, name: str) -> None:
        (self.folder / (name + self.suffix)).unlink()

    def move(self, name: str, to: str) -> None:
        (self.folder / (to + self.suffix)).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / (name + self.suffix)).rename(self.folder / (to + self.suffix))

    def go_down(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))


class DocumentsWorld(FolderWorld):
    suffix = ".docx"

    def settings(self, **more: object) -> AnySource:
        return DocumentsSource(path=str(self.folder), **more)  # type: ignore[arg-type]

    def data(self, text: str) -> bytes:
        return document(text)


class GitWorld(FolderWorld):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._day = 1
        self.git("init", "--quiet", "--initial-branch=main")

    def settings(self, **more: object) -> AnySource:
        return GitSource(**{"url": str(self.folder), **more})  # type: ignore[arg-type]

    def git(self, *arguments: str) -> None:
        day = f"2026-10-{self._day:02}T12:00:00Z"
        environment = {**GIT, "GIT_COMMITTER_DATE": day, "GIT_AUTHOR_DATE": day}
        subprocess.run(["git", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True)

    def commit(self) -> None:
        """What was put since is there from now on."""
        self._day += 1
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")


class McpWorld:
    suffix = ".md"

    def __init__(self, folder: Path) -> None:
        self._texts: dict[str, bytes] = {}
        self._is_down = False

    def settings(self, **more: object) -> AnySource:
        return McpSource(system="wiki", **more)  # type: ignore[arg-type]

    def list(self, system: str) -> Iterable[Mapping[str, object]]:
        if self._is_down:
            raise Upstream("wiki does not answer", mend="tell whoever runs it")
        return [{"uri": uri, "mimeType": "text/markdown"} for uri in self._texts]

    def read(self, system: str, uri: str) -> bytes | Failure:
        return self._texts[uri]

    def put(self, name: str, text: str) -> None:
        self._texts[f"file:///{name}.md"] = text.encode()

    def spoil(self, name: str) -> None:
        self._texts[f"file:///{name}.md"] = b"\x00\x01\xff"

    def remove(self, name: str) -> None:
        del self._texts[f"file:///{name}.md"]

    def move(self, name: str, to: str) -> None:
        self._texts[f"file:///{to}.md"] = self._texts.pop(f"file:///{name}.md")

    def go_down(self) -> None:
        self._is_down = True


WORLDS: Mapping[str, Callable[[Path], World]] = {
    "folder": FolderWorld,
    "git": GitWorld,
    "documents": DocumentsWorld,
    "mcp": McpWorld,
}


class Here:
    """A workspace's context, and one source that is synced into it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.context = folder / "workspace" / "context"
        self.context.mkdir(parents=True)
        self.pages = self.context / "handbook"
        self.world = world
        self._folder = folder

    def work(self, **more: object) -> Work:
        reach = Reach(
            workspace=self.context.parent,
            copies=self._folder / "copies",
            environment=GIT,
            resources=self.world,  # type: ignore[arg-type]
            now=NOW,
        )
        given = {"context": self.context, "defaults": ContextSettings(), "reach": reach, "documents": InProcess()}
        return Work(**{**given, **more})  # type: ignore[arg-type]

    def sync(self, *, dry_run: bool = False, accept_empty: bool = False, **settings: object) -> Report:
        if isinstance(self.world, GitWorld) and self.world.folder.exists():
            self.world.commit()
        work = self.work(dry_run=dry_run, accept_empty=accept_empty)
        return sync("handbook", self.world.settings(**settings), work)

    def texts(self) -> dict[str, str]:
        return {path.relative_to(self.pages).as_posix(): path.read_text() for path in sorted(self.pages.rglob("*.md"))}


def told(report: Report) -> dict[str, list[str]]:
    """The pieces of a report by what became of them; the page where there is one."""
    found: dict[str, list[str]] = {}
    for each in report.outcomes:
        found.setdefault(each.what, []).append(each.page or each.path)
    assert report.failure is None, report.failure
    return found


@cache
def document(text: str) -> bytes:
    """A DOCX file: a line beginning with `# ` is a heading."""
    made = docx.Document()
    for line in text.splitlines():
        made.add_heading(line[2:], 1) if line.startswith("# ") else made.add_paragraph(line)
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()
