"""Pages for people: plain HTML that runs nothing, loads nothing and stands in no frame. What is shown is text."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.execution import Fairlead
from fairlead.server.door import broken
from fairlead.server.http import Gone, Headers, read_body

log = logging.getLogger("fairlead.doors")

Form = Mapping[str, str]
_MOST: Final = 16_384  # bytes of a form
_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-robots-tag", b"noindex"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
)


class Page(Struct, frozen=True):
    """What a browser gets. `body` is HTML; with `location` it goes on there."""

    title: str
    body: str = ""
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    location: str = ""


def moved(location: str, headers: Headers | None = None) -> Page:
    """To another page, by a GET."""
    return Page("", status=303, headers=tuple(headers or ()), location=location)


async def told(fairlead: Fairlead, send: Any, door: str, page: Callable[[], Awaitable[Page]]) -> None:
    """Send the page; every error of it is a page too, with its mend."""
    try:
        made = await page()
    except Gone:
        return
    except FairleadError as error:
        await fairlead.refusals.record(door, error)
        made = failed(error)
    except Exception:
        log.exception("a page of %s broke", door)
        made = failed(broken())
    await send_page(send, made)


def failed(error: FairleadError) -> Page:
    """An error as a page: what failed, why, and what mends it."""
    lines = "".join(f"<p>{escape(visible(each))}</p>" for each in (error.why, error.mend) if each)
    return Page("Fairlead", f"<h1>{escape(visible(error.message))}</h1>{lines}", error.status)


async def send_page(send: Any, page: Page) -> None:
    """The response itself."""
    title = escape(page.title)
    whole = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>{page.body}</html>'.encode()
    headers = [*_HEADERS, *page.headers, (b"content-length", str(len(whole)).encode())]
    if page.location:
        headers.append((b"location", page.location.encode("ascii")))
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": whole})


async def read_form(receive: Any) -> Form:
    """The fields of a form, the last of each name. Raises `TooLarge`, `Gone`."""
    sent = parse_qs((await read_body(receive, _MOST)).decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in sent.items()}


def table(values: Mapping[str, Any], remark: Callable[[str], str] | None = None) -> str:
    """Names and values as text, with what `remark` says of a name: nothing of them is markup, and what cannot be seen
    is shown as its code."""
    lines = []
    for name, value in values.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        cells = [name, text]
        if remark is not None:
            cells.append(remark(name))
        lines.append("<tr>" + "".join(f"<td>{escape(visible(each))}</td>" for each in cells) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def visible(text: str) -> str:
    """What cannot be seen, such as marks that turn the direction of writing, as its escape; line breaks stay."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def at(moment: int) -> str:
    """A moment, in milliseconds since 1970, for people."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
