"""Reads the few lines of YAML at the top of a page: who owns it, for whom it is, and how far it may travel."""

import re
from collections.abc import Iterator

import yaml

from fairlead.context.front_keys import FrontMatter, Value, bad, resolve
from fairlead.context.settings import ContextSettings

_MOST_LINES = 200
_MOST_CHARACTERS = 16_384
_UNSEEN = " \t\u00a0\u200b\ufeff"
_FENCE = re.compile(r"-{3,}|\+{3,}")
_COMMENT = re.compile(r"<!--.*")
_RIGHTS = re.compile(r"[\"']?(?:audience|class|status|trusted|expires)[\"']?[ \t]*[:=]")


def read_front_matter(path: str, text: str, defaults: ContextSettings) -> tuple[FrontMatter, str]:
    """The front matter of a page, and the text below it. `text` has `\\n` line ends. Raises `BadInput`."""
    lines = text.split("\n", _MOST_LINES)
    end = _closing(path, lines)
    if not end:
        _refuse_misplaced(path, lines)
        return resolve(path, {}, defaults), text
    block = _block(path, lines, end)
    return resolve(path, _parse(path, block), defaults), "\n".join(lines[end + 1 :])


def key_lines(path: str, text: str) -> tuple[dict[str, tuple[int, int]], int]:
    """For each key of a page's front matter its first line and the one behind its last, and the line that closes the
    front matter, 0 where there is none. Lines count from 1."""
    lines = text.split("\n", _MOST_LINES)
    end = _closing(path, lines)
    if not end:
        _refuse_misplaced(path, lines)
        return {}, 0
    starts = {name: value.line for name, value in _parse(path, _block(path, lines, end)).items()}
    spans = {}
    for name, first in starts.items():
        after = min((line for line in starts.values() if line > first), default=end + 1)
        while after > first + 1 and (not lines[after - 2].strip() or lines[after - 2].lstrip().startswith("#")):
            after -= 1
        spans[name] = (first, after)
    return spans, end + 1


def _closing(path: str, lines: list[str]) -> int:
    """The index of the line that closes the front matter, 0 where a page has none."""
    if lines[0].rstrip() != "---":
        return 0
    end = next((at for at, line in enumerate(lines[1:_MOST_LINES], 1) if line.rstrip() in ("---", "...")), 0)
    if not end:
        raise bad(
            path,
            1,
            "the front matter is not closed",
            why=f"no line `---` follows within {_MOST_LINES} lines",
            mend="close it with a line `---`, or begin the page with a blank line if this is a horizontal rule",
        )
    return end


def _block(path: str, lines: list[str], end: int) -> str:
    block = "\n".join(lines[1:end]) + "\n"
    if len(block) > _MOST_CHARACTERS:
        raise bad(path, 1, "the front matter is too long", why=f"it has more than {_MOST_CHARACTERS} characters")
    return block


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
            raise bad(
                path,
                number,
                f"`{bare}` stands where it is not read",
                why=f"it looks like front matter, but that opens with a line `---` at the very top (see line {opened})",
                mend="move the block to the first line, between two lines `---`; or put words before the line",
            )


def _parse(path: str, block: str) -> dict[str, Value]:
    """The top-level keys of the block.

    Reads events and builds no tree: the tree builder recurses in C, and deeply nested input would kill the process.
    Values of keys that are not ours are skipped, whatever they hold.
    """
    values: dict[str, Value] = {}
    try:
        events = iter([event for event in yaml.parse(block, Loader=_Loader) if not isinstance(event, _FRAME)])
        first = next(events, None)
        if first is None or (isinstance(first, yaml.ScalarEvent) and not first.value):
            return values
        if not isinstance(first, yaml.MappingStartEvent):
            raise bad(path, 2, "the front matter is not a list of `key: value` lines")
        for key in events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            name, line = _key(path, key), _line(key)
            if name in values:
                raise bad(path, line, f"`{name}` is given twice", mend="keep one of the two lines")
            values[name] = Value(line, _value(next(events), events))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error)
        raise bad(path, line, f"the front matter is not valid YAML: {problem}") from None
    return values


_FRAME = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 2 if event.start_mark else 1


def _key(path: str, event: yaml.Event) -> str:
    line = _line(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise bad(path, line, "a key of the front matter must be a single word")
    return str(event.value)


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
