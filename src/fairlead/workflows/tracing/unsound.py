"""What a tool's result says against itself: that it is none or not all, that it is of something else, or that it does
not agree with itself. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from fairlead.workflows.tracing.matching import Atom, Path, atom_of, atoms, holds
from fairlead.workflows.tracing.units import at_odds
from fairlead.workflows.tracing.writings import is_day

_UNSOUND: Final = ("error", "errors", "exception", "fault", "failure")
"""Keys under which a result says that it is none."""
_PARTIAL: Final = ("truncated", "partial", "incomplete", "has_more", "more", "next", "next_page", "next_cursor")
"""Keys under which a result says that it is not all."""
_OF_LIST: Final = ("next", "more")
"""Those of them that say so only beside a list."""
_WHOLE: Final = ("complete", "is_complete", "final", "ok", "success", "valid")
"""Keys under which a result says that it is all, or sound: it is not where they are false."""
_OLD: Final = (
    "superseded", "superseded_by", "replaced_by", "obsolete", "outdated", "deprecated", "withdrawn", "stale", "expired"
)  # fmt: skip
"""Keys under which a result says that it holds no more."""
_ORDERED: Final = (
    ("net", "gross"), ("min", "max"), ("minimum", "maximum"), ("low", "high"), ("lower", "upper"), ("from", "to"),
    ("start", "end"), ("begin", "end"), ("used", "total"),
)  # fmt: skip
"""Keys of which the first is never more than the second."""
_HOW_MANY: Final = ("total", "count", "total_count", "total_rows", "total_items", "size", "length", "rows_total")
_CODES: Final = ("status", "status_code", "http_status")
_REMARKS: Final = ("message", "msg", "detail", "warning", "warnings", "note", "status")
"""Keys under which a result says how it came about."""
_FAILED: Final = re.compile(
    r"\btim(ed?|ing)[ -]?out\b|\b(service|temporarily|upstream|backend) (is )?(unavailable|unreachable|failed|error)\b"
    r"|\b(bad gateway|internal server error|rate limit|too many requests|connection (refused|reset|failed))\b"
    r"|\bexception\b|\b(fell|falling) back\b|^error\b",
    re.IGNORECASE,
)
_PAGE: Final = ("page", "page_number", "current_page")
_PAGES: Final = ("pages", "total_pages", "page_count", "last_page")
_LEAST_ERROR: Final = 400  # RFC 9110, 15.5 and 15.6: codes of errors
_MOST_ERROR: Final = 599
_HAS: Final = ("in_stock", "available", "is_available", "has_stock", "in_store")
_AT_HAND: Final = ("pieces", "quantity", "qty", "stock", "count", "left", "free", "units_left", "available_quantity")
"""A yes or no, and a number, that say the same."""
_PAGE_OF_ERROR: Final = re.compile(
    r"<title>[^<]*\b([45]\d\d\b|error|unavailable|bad gateway)[^<]*</title>", re.IGNORECASE
)
_SHORT: Final = 160  # characters of a remark
_HEAD: Final = 1000  # characters of a page that are looked at for its title
_DEEP: Final = 3
_SHAPE: Final = (re.compile(r"[^\W\d_]"), re.compile(r"\d"))


def of_another(given: Any, value: Any) -> str:
    """What of a result is of something else: it tells nowhere of what it was asked for, and of what is named in the
    same form. "" where that is not so."""
    told = [each for _, each in atoms(value)] if isinstance(value, Mapping) else []
    for _, asked in atoms(given) if told else ():
        shape = _shape(asked)
        if not shape or holds(value, asked) is not None:
            continue
        other = next((each for each in told if _shape(each) == shape), None)
        if other is not None:
            return f"it was asked for {asked}, and tells of {other}"
    return ""


def by_itself(value: Any) -> tuple[float, str] | None:
    """What a result, or what it holds, says against itself, and how much that weighs."""
    if isinstance(value, str) and len(value) <= _SHORT and _FAILED.search(value):
        return 0.7, f"it tells of an error: {value[:120]}"
    return next((said for each in _parts(value, 0) for said in _said(each)), None)


def _parts(value: Any, depth: int) -> Iterator[Mapping[Any, Any]]:
    """A result, and what it wraps up: items of lists stand for themselves."""
    if isinstance(value, Mapping) and depth <= _DEEP:
        yield value
        for each in value.values():
            yield from _parts(each, depth + 1)


def _said(value: Mapping[Any, Any]) -> Iterator[tuple[float, str]]:
    yield from _told(value)
    yield from _of_two_minds(value)
    for key, each in value.items():
        name = str(key).casefold()
        if name in _CODES and type(each) is int and _LEAST_ERROR <= each <= _MOST_ERROR:
            yield 0.7, f"it tells of an error: {key} {each}"
        if name in _REMARKS and isinstance(each, str) and len(each) <= _SHORT and _FAILED.search(each):
            yield 0.7, f"it tells of an error: {key} {each[:120]}"
    if wrong := at_odds(value):
        yield 0.65, wrong
    page, pages = (next((value[key] for key in keys if type(value.get(key)) is int), 0) for keys in (_PAGE, _PAGES))
    if 0 < page < pages:
        yield 0.6, f"it is page {page} of {pages}"


def _of_two_minds(value: Mapping[Any, Any]) -> Iterator[tuple[float, str]]:
    for key in _HAS:
        for other in _AT_HAND:
            has, number = value.get(key), atom_of(value.get(other))
            if isinstance(has, bool) and isinstance(number, Decimal) and has != (number > 0):
                yield 0.7, f"{key} is {str(has).lower()} in it, and {other} {number}"
    for key, each in value.items():
        if isinstance(each, str) and _PAGE_OF_ERROR.search(each[:_HEAD]):
            yield 0.7, f"{key} is a page that tells of an error"


def _told(value: Mapping[Any, Any]) -> Iterator[tuple[float, str]]:
    for key, each in value.items():
        if str(key).casefold() in _UNSOUND and each:
            yield 0.9, f"it tells of an error: {str(each)[:120]}"
        of_list = str(key).casefold() not in _OF_LIST or any(isinstance(one, list) for one in value.values())
        if str(key).casefold() in _PARTIAL and each and of_list:
            yield 0.8, f"it says that it is not all: {key} {str(each)[:60]}"
        if str(key).casefold() in _WHOLE and each is False:
            yield 0.7, f"it says so itself: {key} is false"
        if str(key).casefold() in _OLD and each:
            yield 0.65, f"it says that it holds no more: {key} {str(each)[:60]}"
    for less, more in _ORDERED:
        one, other = (atom_of(value.get(key)) for key in (less, more))
        numbers = isinstance(one, Decimal) and isinstance(other, Decimal) and 0 <= other < one
        days = isinstance(one, str) and isinstance(other, str) and is_day(one) and is_day(other) and other < one
        if numbers or days:
            yield 0.75, f"{less} is {value[less]} in it, and {more} {value[more]}"
    lists = [(key, each) for key, each in value.items() if isinstance(each, list)]
    if len(lists) != 1:
        return
    name, items = lists[0]
    for key, each in value.items():
        if str(key).casefold() in _HOW_MANY and type(each) is int and each > len(items) and not _adds_up(items, each):
            yield 0.9, f"it says {key} {each}, and has {len(items)} {name}"
    rows = [each for each in items if isinstance(each, Mapping)]
    if any(each in rows[:at] for at, each in enumerate(rows)):
        yield 0.7, f"it has the same of its {name} twice"


def _shape(atom: Atom) -> str:
    """The form of a name that has letters and digits, as `aa-9999`; "" for whatever else."""
    if not isinstance(atom, str) or " " in atom or not any(each.isdigit() for each in atom):
        return ""
    return _SHAPE[1].sub("9", _SHAPE[0].sub("a", atom))


def _adds_up(items: Sequence[Any], number: int) -> bool:
    """Whether a number is the sum of one column of a list, and so no count."""
    columns: dict[Path, Decimal] = {}
    for each in items:
        for path, atom in atoms(each):
            if isinstance(atom, Decimal):
                columns[path] = columns.get(path, Decimal()) + atom
    return any(each == number for each in columns.values())
