"""Resources of a system that speaks MCP, listed and read by governed calls that are handed in: this module never meets
the system."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from fairlead.context.sources.files import too_many
from fairlead.context.sources.globs import chosen
from fairlead.context.sources.reading import kind_of, most_bytes, too_large
from fairlead.context.sources.settings import McpSource
from fairlead.context.sources.types import MOST_ENTRIES, Entry, Failure, Listing, Reach, Seen

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)")


class SystemResources:
    """One system. A resource is named by its address; where the server tells when it changed last, that is its mark."""

    def __init__(self, name: str, settings: McpSource, reach: Reach) -> None:
        self._key = f"sources.{name}"
        self._settings = settings
        self._resources = reach.resources

    def listing(self, seen: Seen) -> Listing:
        """What the system lists, without what has no fit type (this is skipped) and without addresses that came before.
        Raises `BadInput` for too many."""
        takes = chosen(self._settings.include or ("**",), self._settings.exclude)
        entries: dict[str, Entry] = {}
        skipped: dict[str, Failure] = {}
        for each in self._resources.list(self._settings.system):
            uri = each.get("uri")
            if not isinstance(uri, str) or not uri or uri in entries or not takes(path_of(uri)):
                continue
            entry = _entry(uri, each)
            size = each.get("size")
            kind = kind_of(path_of(uri), entry.media)
            if not kind:
                skipped[uri] = Failure(
                    why=f"{entry.media or 'something without a type'} is not read", mend="exclude it"
                )
            elif isinstance(size, int) and size > most_bytes(kind):
                skipped[uri] = too_large(size, kind)
            else:
                entries[uri] = entry
            if len(entries) > MOST_ENTRIES:
                raise too_many(self._key)
        return Listing(entries=tuple(entries.values()), skipped=skipped)

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | Failure]]:
        """One governed call for each."""
        for entry in entries:
            yield entry, self._resources.read(self._settings.system, entry.origin)


def _entry(uri: str, told: Mapping[str, object]) -> Entry:
    about = told.get("annotations")
    changed = about.get("lastModified") if isinstance(about, dict) else None
    changed = changed if isinstance(changed, str) else ""
    day = _DAY.match(changed)
    media = told.get("mimeType")
    return Entry(
        path=uri,
        mark=f"{changed} {told.get('size', '')}".strip() if changed else "",
        changed=day[0] if day else "",
        origin=uri,
        name=path_of(uri),
        media=media if isinstance(media, str) else "",
    )


def path_of(uri: str) -> str:
    """An address as a path to name a page by: `wiki://teams/people/leave.md` is `teams/people/leave.md`."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    host = "" if parts.scheme in ("http", "https", "file") else parts.netloc
    query = f"-{parts.query}" if parts.query else ""
    return unquote("/".join(each for each in (host, parts.path.strip("/")) if each)) + unquote(query) or uri
