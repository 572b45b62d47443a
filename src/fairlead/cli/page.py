"""Reports as one page of HTML that needs nothing else: no script, no font, no request.

Text becomes HTML in one place, `tag`, which escapes whatever is not made by `tag` itself. Names and titles may be
anything: what could turn the direction of a line, or break out of where it stands, is shown as an escape.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from msgspec import Struct

from fairlead.cli.output import one_line

MOST: Final = 400  # characters of one text: nobody reads a longer one in a table
_BAR: Final = 48  # width of a bar
_LONG: Final = 36  # letters of a word that may be broken anywhere
_VOID: Final = frozenset({"meta", "br", "rect", "circle"})
_MARKS: Final = {
    mark: f"\\u{mark:04x}"
    for mark in (0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF, *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC))
} | dict.fromkeys(range(917504, 917632), "")
"""Marks without a width, which `one_line` lets pass because a terminal does."""


class Markup(Struct, frozen=True):
    """HTML that `tag` has made."""

    html: str


Piece = Markup | str | None
"""What may stand in an element: text is escaped, None is nothing."""


def tag(element: str, /, *pieces: Piece, **attributes: str | int | float) -> Markup:
    """An element. A trailing `_` of an attribute's name is dropped, others become `-`: `class_`, `aria_label`. Empty
    attributes are left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(plain(str(value)))}"'
        for key, value in attributes.items()
        if value != ""
    )
    if element in _VOID:
        return Markup(f"<{element}{said}/>")
    return Markup(f"<{element}{said}>{joined(pieces).html}</{element}>")


def joined(pieces: Iterable[Piece]) -> Markup:
    """Pieces one after the other."""
    return Markup(
        "".join(
            piece.html if isinstance(piece, Markup) else escape(plain(piece)) for piece in pieces if piece is not None
        )
    )


def plain(text: str) -> str:
    """The text on one line, as far as somebody would read it, with what nobody can see made visible."""
    short = text if len(text) <= MOST else text[:MOST] + " …"
    return one_line(short).translate(_MARKS)


def name(text: str, otherwise: str = "–") -> Markup:
    """A name that somebody has chosen: its direction is its own and reaches no further."""
    said = text or otherwise
    is_long = max(map(len, said[:MOST].split()), default=0) > _LONG
    return tag("bdi", said, class_="long" if is_long else "")


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[Piece]], *, numbers: Sequence[str] = ()
) -> Markup:
    """A table with a caption for those who cannot see it. The first cell of a row is its heading."""
    head = tag("tr", *(tag("th", column, scope="col", class_="n" if column in numbers else "") for column in columns))
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            *(
                tag("td", cell, class_="n" if column in numbers else "")
                for column, cell in zip(columns[1:], row[1:], strict=True)
            ),
        )
        for row in rows
    ]
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    return tag("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def bar(part: int, whole: int, words: str) -> Markup:
    """How much of something there is, as a picture and in words."""
    share = part / whole if whole else 0.0
    kind = "good" if part == whole else "some" if part else "none"
    drawn = tag(
        "svg",
        tag("rect", class_="track", width=_BAR, height=8, rx=4),
        tag("rect", class_=kind, width=round(_BAR * share, 1), height=8, rx=4),
        viewBox=f"0 0 {_BAR} 8",
        width=_BAR,
        height=8,
        aria_hidden="true",
    )
    return tag("span", drawn, tag("span", words, class_="words"), class_="bar")


def ring(percent: int, words: str) -> Markup:
    """One share, large."""
    around = 2 * 3.14159 * 52
    return tag(
        "svg",
        tag("circle", class_="track", cx=60, cy=60, r=52),
        tag(
            "circle",
            class_=grade(percent),
            cx=60,
            cy=60,
            r=52,
            stroke_dasharray=f"{around * percent / 100:.1f} {around:.1f}",
            transform="rotate(-90 60 60)",
        ),
        tag("text", f"{percent}%", x=60, y=70, text_anchor="middle"),
        class_="ring",
        viewBox="0 0 120 120",
        width=132,
        height=132,
        role="img",
        aria_label=words,
    )


def grade(percent: int) -> str:
    """How a share is coloured."""
    return "good" if percent >= 80 else "some" if percent >= 40 else "none"


def figures(found: Iterable[tuple[str, str]]) -> Markup:
    """Numbers that say it at a glance."""
    return tag("dl", *(tag("div", tag("dt", words), tag("dd", number)) for number, words in found), class_="figures")


def page(title: str, organisation: str, intro: Sequence[Piece], *sections: Markup) -> str:
    """The whole page as text."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("title", f"{title}: {organisation}"),
        Markup(f"<style>{_style()}</style>"),
    )
    top = tag("header", tag("p", name(organisation), class_="over"), tag("h1", title), *intro)
    return f'<!doctype html>\n<html lang="en">{head.html}{tag("body", top, tag("main", *sections)).html}</html>\n'


@cache
def _style() -> str:
    return files(__package__).joinpath("page.css").read_text("utf-8")
