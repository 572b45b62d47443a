"""Reads the few lines of YAML at the top of a page: who owns it, for whom it is, and how far it may travel.

A page's rights hang on these lines, so a key that is nearly one of ours is an error and not ignored:
`audiance: [board]` must not publish a page to everyone. Keys of other tools (`layout`, `tags`, …) are left alone.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import date

import yaml
from msgspec import Struct

from fairlead.context.settings import ContextSettings
from fairlead.errors import BadInput
from fairlead.labels import DataClass

_MOST_LINES = 200
_MOST_CHARACTERS = 16_384
_KEYS = ("title", "owner", "audience", "class", "verified", "review_by")
# Words that other systems use for the same things: whoever writes them expects them to protect the page.
_MISTAKEN = {
    "access": "audience",
    "allow": "audience",
    "allowed": "audience",
    "groups": "audience",
    "permissions": "audience",
    "private": "audience",
    "readers": "audience",
    "restricted": "audience",
    "visibility": "audience",
    "visible_to": "audience",
    "classification": "class",
    "confidential": "class",
    "confidentiality": "class",
    "sensitivity": "class",
    "data_class": "class",
    "expires": "review_by",
    "reviewed": "verified",
}


_UNSEEN = " \t\u00a0\u200b\ufeff"
_FENCE = re.compile(r"-{3,}|\+{3,}")
_COMMENT = re.compile(r"<!--.*")
_RIGHTS = re.compile(r"[\"']?(?:audience|class)[\"']?[ \t]*[:=]")


class FrontMatter(Struct, frozen=True, kw_only=True):
    """The resolved keys of a page. `title` is "" where the page's own text gives it."""

    title: str = ""
    owner: str
    audience: frozenset[str]
    data_class: DataClass
    verified: str = ""
    verified_by: str = ""
    review_by: str = ""


class _Value(Struct, frozen=True):
    """A scalar, a list of scalars or a mapping of scalars, with the line that its key stands on."""

    line: int
    value: str | list[str] | dict[str, str] | None


def read_front_matter(path: str, text: str, defaults: ContextSettings) -> tuple[FrontMatter, str]:
    """The front matter of a page, and the text below it. `text` has `\\n` line ends. Raises `BadInput`."""
    lines = text.split("\n", _MOST_LINES)
    if lines[0].rstrip() != "---":
        _refuse_misplaced(path, lines)
        return _resolve(path, {}, defaults), text
    end = next((at for at, line in enumerate(lines[1:_MOST_LINES], 1) if line.rstrip() in ("---", "...")), 0)
    if not end:
        raise _bad(
            path,
            1,
            "the front matter is not closed",
            why=f"no line `---` follows within {_MOST_LINES} lines",
            mend="close it with a line `---`, or begin the page with a blank line if this is a horizontal rule",
        )
    block = "\n".join(lines[1:end]) + "\n"
    if len(block) > _MOST_CHARACTERS:
        raise _bad(path, 1, "the front matter is too long", why=f"it has more than {_MOST_CHARACTERS} characters")
    return _resolve(path, _parse(path, block), defaults), "\n".join(lines[end + 1 :])


def _refuse_misplaced(path: str, lines: list[str]) -> None:
    """Raises `BadInput` where a page names its rights in a block that would not be read: it counts only when it opens
    with `---` on the first line."""
    opened = 0
    for number, line in enumerate(lines[:_MOST_LINES], 1):
        bare = line.strip(_UNSEEN)
        if not opened:
            if _FENCE.fullmatch(bare):
                opened = number
            elif bare and not _COMMENT.fullmatch(bare):
                return
        elif _FENCE.fullmatch(bare):
            return
        elif _RIGHTS.match(bare):
            raise _bad(
                path,
                number,
                f"`{bare}` stands where it is not read",
                why=f"it looks like front matter, but that opens with a line `---` at the very top (see line {opened})",
                mend="move the block to the first line, between two lines `---`; or put words before the line",
            )


def _bad(path: str, line: int, message: str, *, why: str = "", mend: str = "") -> BadInput:
    mend = mend or "mend the lines between the two `---` at the top of the page"
    return BadInput(f"{path}:{line}: {message}", why=why, mend=mend, subject=path)


def _parse(path: str, block: str) -> dict[str, _Value]:
    """The top-level keys of the block.

    Reads events and builds no tree: the tree builder recurses in C, and deeply nested input would kill the process.
    Values of keys that are not ours are skipped, whatever they hold.
    """
    values: dict[str, _Value] = {}
    try:
        events = iter([event for event in yaml.parse(block, Loader=_Loader) if not isinstance(event, _FRAME)])
        first = next(events, None)
        if first is None or (isinstance(first, yaml.ScalarEvent) and not first.value):
            return values
        if not isinstance(first, yaml.MappingStartEvent):
            raise _bad(path, 2, "the front matter is not a list of `key: value` lines")
        for key in events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            name, line = _key(path, key), _line(key)
            if name in values:
                raise _bad(path, line, f"`{name}` is given twice", mend="keep one of the two lines")
            values[name] = _Value(line, _value(next(events), events))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error)
        raise _bad(path, line, f"the front matter is not valid YAML: {problem}") from None
    return values


_FRAME = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 2 if event.start_mark else 1


def _key(path: str, event: yaml.Event) -> str:
    line = _line(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise _bad(path, line, "a key of the front matter must be a single word")
    name = event.value
    if name not in _KEYS:
        meant = _MISTAKEN.get(name.lower().replace("-", "_")) or next(
            iter(difflib.get_close_matches(name.lower().replace("-", "_"), _KEYS, 1, 0.75)), None
        )
        if meant:
            raise _bad(
                path,
                line,
                f"`{name}` is not a key that Fairlead reads",
                why="a page's rights must not be lost to a slip of the pen",
                mend=f"write `{meant}:` if that is meant; the keys are {', '.join(_KEYS)}",
            )
    return str(name)


def _value(first: yaml.Event, events: Iterator[yaml.Event]) -> str | list[str] | dict[str, str] | None:
    """What follows a key, read up to its end. None for what is neither a scalar nor a flat list or mapping."""
    if isinstance(first, yaml.ScalarEvent):
        return str(first.value)
    if not isinstance(first, yaml.CollectionStartEvent):
        return None
    depth, flat, scalars = 1, True, list[str]()
    while depth:
        event = next(events)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent) and depth == 1:
            scalars.append(event.value)
            continue
        flat = flat and depth == 0
    if not flat:
        return None
    if isinstance(first, yaml.SequenceStartEvent):
        return scalars
    return dict(zip(scalars[::2], scalars[1::2], strict=True))


def _resolve(path: str, values: dict[str, _Value], defaults: ContextSettings) -> FrontMatter:
    audience = _audience(path, values.get("audience"))
    verified, verified_by = _verified(path, values.get("verified"))
    return FrontMatter(
        title=" ".join(_text(path, "title", values.get("title")).split()),
        owner=_text(path, "owner", values.get("owner")) or defaults.owner,
        audience=audience or frozenset(defaults.audience),
        data_class=_data_class(path, values.get("class"), defaults),
        verified=verified,
        verified_by=verified_by,
        review_by=_day(path, "review_by", values.get("review_by")),
    )


def _text(path: str, key: str, given: _Value | None) -> str:
    if given is None:
        return ""
    if not isinstance(given.value, str) or not given.value.strip():
        raise _bad(path, given.line, f"`{key}` must be a text", mend=f"write `{key}: …`, or leave the line out")
    return given.value.strip()


def _audience(path: str, given: _Value | None) -> frozenset[str]:
    if given is None:
        return frozenset()
    names = [given.value] if isinstance(given.value, str) else given.value
    if not isinstance(names, list) or not names or not all(name.strip() for name in names):
        raise _bad(
            path,
            given.line,
            "`audience` must name at least one group",
            mend="write `audience: [sales, support]`, or leave the line out for the workspace's default",
        )
    return frozenset(name.strip() for name in names)


def _data_class(path: str, given: _Value | None, defaults: ContextSettings) -> DataClass:
    if given is None:
        return defaults.data_class
    if not isinstance(given.value, str) or given.value not in DataClass.__members__:
        raise _bad(
            path, given.line, f"`class` must be one of {', '.join(DataClass.__members__)}", why=f"it is {given.value!r}"
        )
    return DataClass[given.value]


def _verified(path: str, given: _Value | None) -> tuple[str, str]:
    if given is None or not isinstance(given.value, dict):
        return _day(path, "verified", given), ""
    by, at = given.value.get("by", ""), given.value.get("at", "")
    if set(given.value) - {"by", "at"} or not at:
        raise _bad(
            path,
            given.line,
            "`verified` must be a date, or `by` and `at`",
            mend="write `verified: {by: …, at: 2026-01-31}`",
        )
    return _day(path, "verified.at", _Value(given.line, at)), by.strip()


def _day(path: str, key: str, given: _Value | None) -> str:
    if given is None:
        return ""
    try:
        return date.fromisoformat(given.value.strip()).isoformat()  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        raise _bad(
            path,
            given.line,
            f"`{key}` must be a day",
            why=f"it is {given.value!r}",
            mend=f"write it as `{key}: 2026-01-31`",
        ) from None
