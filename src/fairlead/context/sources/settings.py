"""`context/sources.yaml`: from where pages are brought in, and what holds for those that do not say it themselves."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from fairlead.context.sources.live import LiveSettings
from fairlead.errors import BadInput, closest
from fairlead.labels import ClassName

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_BRANCH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_HOST: Final = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9.:\[\]_-]*")
_KIND: Final = re.compile(r"[a-z]{1,20}")
_SCHEMES: Final = ("https", "ssh", "file")

Glob = Annotated[str, Meta(min_length=1, max_length=400)]
Told = Literal["owner", "audience", "department"]


class SourceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every source may say. What a page says itself at its top goes before these."""

    owner: Annotated[str, Meta(description="Who answers for pages that name nobody, whatever folder they are in.")] = ""
    audience: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(description="Whom pages are for that do not say so. Default: the workspace's."),
    ] = ()
    class_: Annotated[
        ClassName | Literal[""], Meta(description="How far text of pages may travel that do not say so.")
    ] = msgspec.field(default="", name="class")
    topics: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...], Meta(description="Words by which task types ask for its pages.")
    ] = ()
    kind: Annotated[str, Meta(description="What its pages are: page, process, policy, … Default: page.")] = ""
    trusted: Annotated[
        bool,
        Meta(description="false: its words are outsiders', and are shown to models as such. No page can lift that."),
    ] = True
    include: Annotated[
        tuple[Glob, ...],
        Meta(
            description="Which files are taken, such as `handbook/**/*.md`. Default: what this kind of source can read."
        ),
    ] = ()
    exclude: Annotated[tuple[Glob, ...], Meta(description="Which of them are left out.")] = ()
    from_folders: Annotated[
        tuple[Told, ...],
        Meta(
            description="What the name of a page's outermost folder says: who is its `owner`; which group is its "
            "`audience`; which `department` is."
        ),
    ] = ()
    encoding: Annotated[
        Literal["", "latin-1", "cp1252"],
        Meta(description="How texts are read that are not UTF-8. Default: not at all."),
    ] = ""


class FolderSource(
    SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="from", tag="folder"
):
    """A folder of Markdown on this machine. With `include` it may hold PDF and DOCX files as well."""

    path: Annotated[str, Meta(min_length=1, description="The folder; a relative path counts from the workspace.")]


class DocumentsSource(
    SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="from", tag="documents"
):
    """A folder of PDF and DOCX files on this machine. Needs `fairlead[documents]`."""

    path: Annotated[str, Meta(min_length=1, description="The folder; a relative path counts from the workspace.")]


class GitSource(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="from", tag="git"):
    """A branch of a git repository. Who owns a page comes from CODEOWNERS, else from `owner`, else from its folder."""

    url: Annotated[
        str, Meta(min_length=1, description="https://, ssh:// or file:// address, or the path of a repository here.")
    ]
    branch: Annotated[str, Meta(description="Which branch. Default: the repository's own.")] = ""
    folder: Annotated[str, Meta(description="Only what lies below this folder of the repository.")] = ""
    codeowners: Annotated[bool, Meta(description="false: CODEOWNERS is not looked at.")] = True


class McpSource(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="from", tag="mcp"):
    """Resources of a system of the workspace that speaks MCP. They are listed and read by governed calls: whoever runs
    the sync must be permitted `SYSTEM.resources/list` and `SYSTEM.resources/read`."""

    system: Annotated[str, Meta(min_length=1, description="The system, as `systems:` of fairlead.yaml names it.")]


AnySource = FolderSource | DocumentsSource | GitSource | McpSource


class SourcesFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """context/sources.yaml: where pages of the context are brought in from, and what is read live."""

    sources: Annotated[
        dict[str, AnySource],
        Meta(description="Synced sources. The name is the folder below context/ that their pages are written to."),
    ] = {}
    live: Annotated[
        dict[str, LiveSettings],
        Meta(description="Live sources: read by a tool for each task whose type names them, and never stored."),
    ] = {}


def compile_sources(file: SourcesFile, systems: Mapping[str, bool]) -> Mapping[str, AnySource]:
    """The sources, checked. `systems` are those of the workspace, by name: does it offer resources? Raises `BadInput`
    naming the key."""
    for name, source in file.sources.items():
        key = f"sources.{name}"
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"{key} is not a name for a source",
                why="it becomes a folder of context/",
                mend="use lower-case letters, digits, - and _",
            )
        if source.kind and not _KIND.fullmatch(source.kind):
            raise BadInput(f"{key}.kind: {source.kind!r} is no kind of page", mend="leave it out for `page`")
        if isinstance(source, GitSource):
            _check_git(key, source)
        elif isinstance(source, McpSource):
            _check_system(key, source, systems)
    return file.sources


def is_address(url: str) -> bool:
    """Whether it is an address rather than a path of this machine."""
    return "://" in url


def _check_git(key: str, source: GitSource) -> None:
    if is_address(source.url):
        _check_address(key, source.url)
    elif source.url.startswith("-") or "::" in source.url or re.match(r"[^/]+@[^/]+:", source.url):
        raise BadInput(
            f"{key}.url is neither an address nor a path",
            why=f"it is {source.url!r}",
            mend="write ssh://git@HOST/PATH, https://HOST/PATH, or the path of a repository on this machine",
        )
    if source.branch and (not _BRANCH.fullmatch(source.branch) or ".." in source.branch):
        raise BadInput(f"{key}.branch: {source.branch!r} is no name of a branch", mend="such as `main`")
    parts = PurePosixPath(source.folder).parts
    if ".." in parts or source.folder.startswith("/"):
        raise BadInput(
            f"{key}.folder leads out of the repository", mend="write it as it is seen from the top of the repository"
        )


def _check_address(key: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, password = parts.netloc.rpartition("@")[2], parts.password
    except ValueError as error:
        raise BadInput(f"{key}.url: {error}", mend="write https://HOST/PATH") from None
    if parts.scheme not in _SCHEMES or (parts.scheme != "file" and not _HOST.fullmatch(host)):
        raise BadInput(
            f"{key}.url: {url.partition('://')[0]}:// is not taken",
            why="git can run programs for some kinds of addresses",
            mend="use https://HOST/PATH, ssh://git@HOST/PATH or file:///PATH",
        )
    if password is not None or (parts.scheme == "https" and parts.username):
        raise BadInput(
            f"{key}.url holds a credential",
            why="the workspace's text is for everybody who works on it",
            mend="leave it out: git's credential helpers and ssh keys of this machine are used",
        )


def _check_system(key: str, source: McpSource, systems: Mapping[str, bool]) -> None:
    if source.system not in systems:
        raise BadInput(
            f"{key}.system: there is no system {source.system!r}",
            why=closest(source.system, systems),
            mend="declare it under `systems:` of fairlead.yaml",
        )
    if not systems[source.system]:
        raise BadInput(
            f"{key}.system: {source.system} offers no resources here",
            why="only a system with `use: mcp` can, and only where the workspace wants it",
            mend=f"write `offers: [resources]` under `systems.{source.system}`",
        )
