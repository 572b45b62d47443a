"""Lists that come in pages, gathered into one result, as `pages:` of a system declares."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.net.target import Target, target_of
from fairlead.tools.failures import SystemFailed
from fairlead.tools.openapi_parameters import is_folder
from fairlead.tools.settings import PagesSettings
from fairlead.tools.types import SystemCall, Text, ToolResult

_LINK: Final = re.compile(r'<([^<>"]*)>((?:\s*;\s*[A-Za-z*]+\s*=\s*(?:"[^"]*"|[^\s",;]*))*)')
_NEXT: Final = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next)\s*(?=;|$)', re.IGNORECASE)


class Page(Struct, frozen=True):
    """One answer of several: what came, and the header that tells of the next."""

    result: ToolResult
    link: str


def next_arguments(pages: PagesSettings, page: Page, call: SystemCall, name: str) -> Mapping[str, Any] | None:
    """The arguments that ask for the next page, None after the last. Raises `SystemFailed` for a mark that is none."""
    mark = taken(page.result.structured, pages.cursor)
    if mark is None or mark is False or mark == "":
        return None
    if not isinstance(mark, str | int) or mark is True:
        raise SystemFailed(
            f"the mark of the next page of {name} is neither a text nor a number",
            mend=f"look at `cursor` under `systems.{name}.pages`",
            subject=name,
            retryable=False,
        )
    return {**call.arguments, pages.argument: mark}


def next_path(page: Page, base: str, url: str, name: str) -> str | None:
    """The path of the next page by the header `Link` (RFC 8288), None after the last. Raises `SystemFailed` where it
    is not at the service itself: the credential goes nowhere else."""
    link = next((found[1] for found in _LINK.finditer(page.link) if _NEXT.search(found[2])), None)
    if link is None:
        return None
    home = target_of(base)
    root = home.path.rstrip("/")
    target = _target(urljoin(url, link))
    if target is None or target.server != home.server or not _is_within(target.path, root):
        raise SystemFailed(
            f"the next page of {name} is said to be elsewhere",
            why="a credential goes only where the workspace sends it",
            mend="ask for one page: leave the tool out of `pages:`",
            subject=name,
            retryable=False,
        )
    return target.path[len(root) :]


def _target(url: str) -> Target | None:
    try:
        return target_of(url)
    except BadInput:
        return None


def _is_within(path: str, root: str) -> bool:
    bare = path.partition("?")[0]
    return bare.startswith(f"{root}/") and not any(is_folder(each) for each in bare.split("/"))


def gathered(pages: PagesSettings, found: list[Page], *, has_more: bool) -> ToolResult:
    """The items of all pages in the place of the first's, with the mark of the last where there is one."""
    first, last = found[0].result, found[-1].result
    items = [item for page in found for item in _items(pages, page.result)]
    whole = _with(first.structured, pages.items, items)
    pieces = first.pieces
    if pages.cursor:
        whole = _with(whole, pages.cursor, taken(last.structured, pages.cursor))
    if has_more:
        pieces = (*pieces, Text(text=f"There are more: these are the first {len(found)} pages."))
    return ToolResult(pieces=pieces, structured=whole)


def _items(pages: PagesSettings, result: ToolResult) -> list[Any]:
    items = taken(result.structured, pages.items)
    return items if isinstance(items, list) else []


def taken(data: Any, path: str) -> Any:
    """What stands at a path such as `meta.next`, None if nothing does."""
    for step in filter(None, path.split(".")):
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def _with(data: Any, path: str, value: Any) -> Any:
    step, _, rest = path.partition(".")
    if not step:
        return value
    if not isinstance(data, Mapping):
        return data
    return {**data, step: _with(data.get(step), rest, value) if rest else value}
