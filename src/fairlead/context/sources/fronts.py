"""What stands at the top of a page that was brought in: what the piece says itself, what its source says of it, and
what people wrote here since, which goes before both."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.context.sources.head import digest, line
from fairlead.context.sources.memory import Known
from fairlead.context.sources.names import top_folder
from fairlead.context.sources.reading import Said
from fairlead.context.sources.settings import GitSource, SourceSettings
from fairlead.context.sources.types import Entry

_FORM: Final = 1  # changes when the same facts come to other lines
OURS: Final = ("source", "origin", "changed", "gone")


def facts_of(settings: SourceSettings, entry: Entry) -> str:
    """A digest of all that makes the top of a page beside the piece itself."""
    said = [
        *(_FORM, settings.owner, settings.audience, settings.class_, settings.topics, settings.kind),
        *(settings.trusted, settings.from_folders, settings.encoding),
        *(entry.owner, entry.changed, entry.origin),
    ]
    return digest(json.dumps(said))


def made_keys(name: str, settings: SourceSettings, entry: Entry, said: Said) -> dict[str, str]:
    """The lines that a sync writes, by key, in their order."""
    own = {key: text for key, text in said.keys.items() if key not in OURS}
    usual = dict(usual_keys(settings, entry))
    found = {key: own.pop(key, "") or usual.get(key, "") for key in ("title", "owner", "audience", "class", "kind")}
    found["topics"] = own.pop("topics", "") or usual.get("topics", "")
    if not settings.trusted:
        own["trusted"] = "trusted: false"  # whatever the piece says of itself
    found |= own
    found |= {"source": line("source", name), "origin": line("origin", entry.origin or entry.path)}
    changed = entry.changed or said.changed
    found["changed"] = line("changed", changed) if changed else ""
    return {key: text for key, text in found.items() if text}


def usual_keys(settings: SourceSettings, entry: Entry) -> Iterator[tuple[str, str]]:
    """The lines for what a page does not say itself, by key."""
    folder = top_folder(entry.name or entry.path, "")
    told = settings.from_folders if folder else ()
    owner = entry.owner or (folder if "owner" in told else "") or settings.owner
    if not owner and isinstance(settings, GitSource):
        owner = folder
    if owner:
        yield "owner", line("owner", owner)
    audience = [folder] if "audience" in told else []
    audience += [f"department:{folder}"] if "department" in told else []
    if audience or settings.audience:
        yield "audience", line("audience", audience or settings.audience)
    if settings.class_:
        yield "class", line("class", settings.class_)
    if settings.kind:
        yield "kind", line("kind", settings.kind)
    if settings.topics:
        yield "topics", line("topics", settings.topics)


def peoples(there: Mapping[str, str], known: Known | None, made: Mapping[str, str]) -> dict[str, str]:
    """Those lines of a page that people wrote: that are not what the last sync wrote, nor what is to be written."""
    heads = (known.head, known.was_head) if known is not None else ()
    return {
        key: said
        for key, said in there.items()
        if key not in OURS and said != made.get(key) and not any(digest(said) == head.get(key) for head in heads)
    }


def joined(made: Mapping[str, str], people: Mapping[str, str]) -> dict[str, str]:
    """The lines of a page: ours in their order, people's in their places or before where it comes from."""
    first = {key: people.get(key, said) for key, said in made.items() if key not in OURS}
    more = {key: said for key, said in people.items() if key not in made}
    comments = {"": more.pop("")} if "" in more else {}
    return comments | first | more | {key: said for key, said in made.items() if key in OURS}


def without_gone(there: Mapping[str, str], day: str, is_ours: bool) -> dict[str, str]:
    """The lines of a page whose piece is gone: marked so, and due for a look where nobody has set a day for one."""
    kept = {key: said for key, said in there.items() if key != "gone"}
    if is_ours or "review_by" not in kept:
        kept["review_by"] = line("review_by", day)
    ours = {key: kept.pop(key) for key in OURS if key in kept}
    return kept | ours | {"gone": line("gone", day)}
