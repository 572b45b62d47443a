"""Which page a piece of a source becomes: a name that every system can hold, and never outside of `context/SOURCE/`."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final

_LONGEST_PART: Final = 150  # bytes; file systems take 255
_LONGEST: Final = 400
_DEEPEST: Final = 30
# What items may not be called, what Windows does not take, and what a shell or a link would stumble over.
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\[\]@\\:*?\"<>|#%]+")
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")
_ENDINGS: Final = (".md", ".markdown", ".mdown", ".mdx", ".pdf", ".docx", ".txt")


class Names:
    """Gives pages their paths. One that a piece has already stays its own; two pieces never share one, not even where
    capitals do not count."""

    def __init__(self, known: Mapping[str, str], others: Iterable[str] = ()) -> None:
        self._known = dict(known)
        self._taken = {_folded(page) for page in (*known.values(), *others)}

    def get(self, path: str) -> str | None:
        """The page of a piece that has one."""
        return self._known.get(path)

    def of(self, path: str, name: str = "") -> str:
        """The page of the piece with this path, called as nearly as can be by `name`, else by the path."""
        if path in self._known:
            return self._known[path]
        page = safe_name(name or path)
        if _folded(page) in self._taken:
            page = f"{page.removesuffix('.md')}-{hashlib.sha256(path.encode()).hexdigest()[:6]}.md"
        self._taken.add(_folded(page))
        self._known[path] = page
        return page


def safe_name(path: str) -> str:
    """A relative path that ends in `.md`, whatever `path` is."""
    parts = [safe_part(part) for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")][-_DEEPEST:]
    last = parts.pop() if parts else "page"
    ending = next((each for each in _ENDINGS if last.lower().endswith(each) and len(last) > len(each)), "")
    name = "/".join((*parts, last[: len(last) - len(ending)] or "page"))
    if len(name.encode()) > _LONGEST:
        name = f"{name[:200]}-{hashlib.sha256(path.encode()).hexdigest()[:12]}".replace("/-", "-")
    return name + ".md"


def safe_part(part: str) -> str:
    """One name of a path, such as it may be anywhere."""
    text = unicodedata.normalize("NFC", part.encode("utf-8", "replace").decode())
    text = "".join(each if each.isprintable() else "-" for each in _UNSAFE.sub("-", text))
    text = text.strip(" ").rstrip(".").strip(" ") or "page"
    text = "_" + text.lstrip(".") if text.startswith(".") else text
    text = "_" + text if _RESERVED.match(text) else text
    if len(text.encode()) > _LONGEST_PART:
        stem, dot, ending = text.rpartition(".")
        stem, ending = (stem, dot + ending) if dot and len(ending) <= 8 else (text, "")
        kept = stem.encode()[: _LONGEST_PART - 30].decode("utf-8", "ignore")
        text = f"{kept}-{hashlib.sha256(part.encode('utf-8', 'replace')).hexdigest()[:12]}{ending}"
    return text


def _folded(page: str) -> str:
    return unicodedata.normalize("NFC", page).casefold()


def top_folder(path: str, shared: str) -> str:
    """The outermost folder of a path below the folders that all pages share, "" where it lies in none."""
    inner = PurePosixPath(path).relative_to(shared) if shared else PurePosixPath(path)
    return inner.parts[0] if len(inner.parts) > 1 else ""


def shared_folder(paths: Iterable[str]) -> str:
    """The deepest folder that all of these lie below, "" for the top."""
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    if not folders:
        return ""
    first, last = min(folders), max(folders)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return "/".join(first[:same])
