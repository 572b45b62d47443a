"""What the keys of a page's front matter may hold, and what is said of one that does not hold it.

A page's rights hang on these lines, so a key that is nearly one of ours is an error and not ignored:
`audiance: [board]` must not publish a page to everyone. Keys of other tools (`layout`, `tags`, …) are left alone.
"""

import difflib
from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct

from fairlead.context.kinds import KINDS, OF_EVERY_KIND, PAGE, PUBLISHED, STATUSES, KindField
from fairlead.context.settings import ContextSettings
from fairlead.errors import BadInput
from fairlead.labels import DataClass

KEYS = (
    *("title", "owner", "audience", "class", "verified", "review_by"),
    *("kind", "status", "topics", "expires", "trusted", "source", "origin", "changed"),
)
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
    "draft": "status",
    "published": "status",
    "valid_until": "expires",
    "reviewed": "verified",
}
_HARMLESS = (("draft", "false"), ("published", "true"))  # as other tools write what is meant here anyway
_LONGEST_TEXT = 2_000


class Value(Struct, frozen=True):
    """A scalar, a list of scalars or a mapping of scalars, with the line that its key stands on. None: what is none of
    these."""

    line: int
    value: str | list[str] | dict[str, str] | None


class FrontMatter(Struct, frozen=True, kw_only=True):
    """The resolved keys of a page. `title` is "" where the page's own text gives it."""

    title: str = ""
    owner: str
    audience: frozenset[str]
    data_class: DataClass
    verified: str = ""
    verified_by: str = ""
    review_by: str = ""
    kind: str = PAGE
    status: str = PUBLISHED
    topics: frozenset[str] = frozenset()
    expires: str = ""
    trusted: bool = True
    source: str = ""
    origin: str = ""
    changed: str = ""
    fields: Mapping[str, tuple[str, ...]] = {}


def bad(path: str, line: int, message: str, *, why: str = "", mend: str = "") -> BadInput:
    """What is wrong with one line of a page."""
    mend = mend or "mend the lines between the two `---` at the top of the page"
    return BadInput(f"{path}:{line}: {message}", why=why, mend=mend, subject=path)


def resolve(path: str, values: Mapping[str, Value], defaults: ContextSettings) -> FrontMatter:
    """What the keys of a page come to. Raises `BadInput` naming the line."""
    kind = _one_of(path, "kind", values.get("kind"), KINDS, PAGE)
    fields = {**KINDS[kind], **OF_EVERY_KIND}
    _refuse_misspelt(path, values, kind, fields)
    verified, verified_by = _verified(path, values.get("verified"))
    return FrontMatter(
        title=" ".join(_text(path, "title", values.get("title")).split()),
        owner=_text(path, "owner", values.get("owner")) or defaults.owner,
        audience=_audience(path, values.get("audience")) or frozenset(defaults.audience),
        data_class=_data_class(path, values.get("class"), defaults),
        verified=verified,
        verified_by=verified_by,
        review_by=_day(path, "review_by", values.get("review_by")),
        kind=kind,
        status=_one_of(path, "status", values.get("status"), STATUSES, PUBLISHED),
        topics=frozenset(_names(path, "topics", values.get("topics"))),
        expires=_day(path, "expires", values.get("expires")),
        trusted=_one_of(path, "trusted", values.get("trusted"), ("true", "false"), "true") == "true",
        source=_text(path, "source", values.get("source")),
        origin=_text(path, "origin", values.get("origin")),
        changed=_day(path, "changed", values.get("changed")),
        fields=dict(_fields(path, values, kind, fields)),
    )


def _refuse_misspelt(path: str, values: Mapping[str, Value], kind: str, fields: Mapping[str, KindField]) -> None:
    known = (*KEYS, *fields)
    for name, value in values.items():
        if name in known or (name, value.value) in _HARMLESS:
            continue
        folded = name.lower().replace("-", "_")
        meant = _MISTAKEN.get(folded) or next(iter(difflib.get_close_matches(folded, known, 1, 0.75)), None)
        if meant:
            raise bad(
                path,
                value.line,
                f"`{name}` is not a key that Fairlead reads" + (f" in a page of kind {kind}" if KINDS[kind] else ""),
                why="a page's rights must not be lost to a slip of the pen",
                mend=f"write `{meant}:` if that is meant; the keys are {', '.join(known)}",
            )


def _fields(
    path: str, values: Mapping[str, Value], kind: str, fields: Mapping[str, KindField]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    for name, field in fields.items():
        given = values.get(name)
        if given is None:
            if field.needed:
                line = values["kind"].line
                raise bad(
                    path,
                    line,
                    f"a page of kind {kind} needs `{name}`",
                    why=f"it says {field.says}",
                    mend=f"add a line `{name}: {_example(field)}`",
                )
            continue
        if field.form == "names":
            yield name, _names(path, name, given)
        elif field.form == "day":
            yield name, (_day(path, name, given),)
        elif field.form == "count":
            yield name, (_count(path, name, given),)
        else:
            yield name, (_text(path, name, given),)


def _example(field: KindField) -> str:
    return {"names": "[…, …]", "day": "2026-01-31", "count": "2", "name": "…"}[field.form]


def _text(path: str, key: str, given: Value | None) -> str:
    if given is None:
        return ""
    if not isinstance(given.value, str) or not given.value.strip():
        raise bad(path, given.line, f"`{key}` must be a text", mend=f"write `{key}: …`, or leave the line out")
    if len(given.value) > _LONGEST_TEXT:
        raise bad(path, given.line, f"`{key}` is too long", why=f"it has more than {_LONGEST_TEXT:,} characters")
    return given.value.strip()


def _one_of(path: str, key: str, given: Value | None, known: Iterable[str], otherwise: str) -> str:
    if given is None:
        return otherwise
    known = tuple(known)
    if not isinstance(given.value, str) or given.value not in known:
        raise bad(path, given.line, f"`{key}` must be one of {', '.join(known)}", why=f"it is {given.value!r}")
    return given.value


def _names(path: str, key: str, given: Value | None) -> tuple[str, ...]:
    """One name or a list of them, each once, in their order."""
    if given is None:
        return ()
    names = [given.value] if isinstance(given.value, str) else given.value
    if not isinstance(names, list) or not all(name.strip() and len(name) <= _LONGEST_TEXT for name in names):
        raise bad(path, given.line, f"`{key}` must be a list of names", mend=f"write `{key}: […, …]`")
    return tuple(dict.fromkeys(" ".join(name.split()) for name in names))


def _audience(path: str, given: Value | None) -> frozenset[str]:
    if given is None:
        return frozenset()
    names = [given.value] if isinstance(given.value, str) else given.value
    if not isinstance(names, list) or not names or not all(name.strip() for name in names):
        raise bad(
            path,
            given.line,
            "`audience` must name at least one group",
            mend="write `audience: [sales, support]`, or leave the line out for the workspace's default",
        )
    return frozenset(name.strip() for name in names)


def _data_class(path: str, given: Value | None, defaults: ContextSettings) -> DataClass:
    if given is None:
        return defaults.data_class
    if not isinstance(given.value, str) or given.value not in DataClass.__members__:
        raise bad(
            path, given.line, f"`class` must be one of {', '.join(DataClass.__members__)}", why=f"it is {given.value!r}"
        )
    return DataClass[given.value]


def _verified(path: str, given: Value | None) -> tuple[str, str]:
    if given is None or not isinstance(given.value, dict):
        return _day(path, "verified", given), ""
    by, at = given.value.get("by", ""), given.value.get("at", "")
    if set(given.value) - {"by", "at"} or not at:
        raise bad(
            path,
            given.line,
            "`verified` must be a date, or `by` and `at`",
            mend="write `verified: {by: …, at: 2026-01-31}`",
        )
    return _day(path, "verified.at", Value(given.line, at)), by.strip()


def _day(path: str, key: str, given: Value | None) -> str:
    if given is None:
        return ""
    try:
        return date.fromisoformat(given.value.strip()).isoformat()  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        raise bad(
            path,
            given.line,
            f"`{key}` must be a day",
            why=f"it is {given.value!r}",
            mend=f"write it as `{key}: 2026-01-31`",
        ) from None


def _count(path: str, key: str, given: Value) -> str:
    text = given.value if isinstance(given.value, str) else ""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 10):
        raise bad(path, given.line, f"`{key}` must be a number from 1 to 10", why=f"it is {given.value!r}")
    return str(int(text))
