"""From the bytes of a piece to the text of a page: Markdown, as other tools write it too, and documents."""

import re
import tomllib
from collections.abc import Mapping
from itertools import chain
from typing import Final, Protocol

from msgspec import Struct

from fairlead.context.front_keys import KEYS, bad
from fairlead.context.front_matter import key_lines, read_front_matter
from fairlead.context.items import MOST_BYTES
from fairlead.context.kinds import KINDS, OF_EVERY_KIND, PAGE
from fairlead.context.settings import ContextSettings
from fairlead.context.sources.head import KEY, line, read_head
from fairlead.context.sources.types import Failure
from fairlead.errors import BadInput

MARKDOWN: Final = (".md", ".markdown", ".mdown", ".mdx", ".txt")
DOCUMENTS: Final = (".pdf", ".docx")
MOST_DOCUMENT_BYTES: Final = 50_000_000
_TOML: Final = re.compile(r"\A\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_IMPORT: Final = re.compile(r"\A(?:(?:import|export)\b[^\n]*(?:\n|\Z)|[ \t]*\n)+")
_BREAKS: Final = frozenset("\x85\u2028\u2029")  # where YAML sees the end of a line, and nobody else does
_OURS: Final = frozenset((*KEYS, *OF_EVERY_KIND, *chain.from_iterable(KINDS.values())))
_LFS: Final = b"version https://git-lfs.github.com/spec/"


class Said(Struct, frozen=True, kw_only=True):
    """What a piece says: the lines of its own that Fairlead reads, by key, and its text. `rest`: its other lines, as
    other tools write them. `changed` is the day that stands in the document itself."""

    keys: Mapping[str, str]
    body: str
    rest: Mapping[str, str] = {}
    changed: str = ""


class Documents(Protocol):
    """Turns a PDF or DOCX file into Markdown."""

    def read(self, kind: str, data: bytes) -> Said | Failure:
        """What a document says; a `Failure` where it is damaged. `kind` is `.pdf` or `.docx`."""


def kind_of(path: str, media: str = "") -> str:
    """`.md`, `.pdf` or `.docx`; "" for what cannot be read."""
    if media:
        plain = media.partition(";")[0].strip().lower()
        return _MEDIA.get(plain, "")
    lower = path.lower()
    if lower.endswith(MARKDOWN):
        return ".md"
    return next((each for each in DOCUMENTS if lower.endswith(each)), "")


_MEDIA: Final[Mapping[str, str]] = {
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/plain": ".md",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}


def most_bytes(kind: str) -> int:
    """How large a piece of this kind may be."""
    return MOST_BYTES if kind == ".md" else MOST_DOCUMENT_BYTES


def read_piece(path: str, data: bytes, kind: str, documents: Documents, encoding: str) -> Said | Failure:
    """What the piece says, or why that cannot be told."""
    if data.startswith(_LFS):
        return Failure(
            why="it is a pointer of Git LFS and not the file", mend="run `git lfs pull` there, or leave it out"
        )
    if len(data) > most_bytes(kind):
        return too_large(len(data), kind)
    if kind != ".md":
        return documents.read(kind, data)
    text = decoded(data, encoding)
    if isinstance(text, Failure):
        return text
    try:
        return _markdown(path, text)
    except BadInput as error:
        said = error.message.removeprefix(path).lstrip(":")
        return Failure(why=f"line {said}" if said[:1].isdigit() else said.strip(), mend=error.mend or error.why)


def too_large(size: int, kind: str) -> Failure:
    """Of a file that nobody has to read in order to refuse it."""
    most = most_bytes(kind)
    return Failure(
        why=f"it has {size:,} bytes, and a {'page' if kind == '.md' else 'document'} may have {most:,}",
        mend="split it, or leave it out",
    )


def decoded(data: bytes, encoding: str) -> str | Failure:
    """Text with `\\n` line ends. UTF-16 says so itself; any other encoding has to be named."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return _lines(data.decode("utf-16"))
        except UnicodeDecodeError:
            return Failure(why="it begins as UTF-16 and is not", mend="save it as UTF-8")
    if b"\0" in data:
        at = data.count(b"\n", 0, data.index(b"\0")) + 1
        return Failure(why=f"line {at} holds a NUL byte: it is no text", mend="leave it out, or save it as text")
    try:
        return _lines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        if encoding:
            return _lines(data.decode(encoding, "replace"))
        at = data.count(b"\n", 0, error.start) + 1
        return Failure(
            why=f"line {at} is not UTF-8 (byte 0x{data[error.start]:02x})",
            mend="save it as UTF-8; or, if it comes from an old Windows program, name its encoding: cp1252",
        )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _markdown(path: str, text: str) -> Said:
    if found := _TOML.match(text):
        return _with_toml(path, found[1], text[found.end() :])
    head = read_head(text)
    keys = dict(head.keys)
    _refuse_unclear(path, text, keys)
    if _states(keys, "draft", "true") or _states(keys, "published", "false"):  # as other tools say it
        keys = {
            "status": "status: draft",
            **{k: v for k, v in keys.items() if k not in ("draft", "published", "status")},
        }
        text = "---\n" + "\n".join(keys.values()) + "\n---\n" + head.body
    front, body = read_front_matter(path, text, ContextSettings())
    ours = {*KEYS, *KINDS.get(front.kind, KINDS[PAGE])}
    if path.lower().endswith(".mdx"):
        body = _IMPORT.sub("", body)
    own = {key: said for key, said in keys.items() if key in ours}
    return Said(keys=own, body=body, rest={key: said for key, said in keys.items() if key not in ours})


def _refuse_unclear(path: str, text: str, keys: Mapping[str, str]) -> None:
    """Raises `BadInput` where lines are not what YAML takes them for. They are put among others by line: a value that
    goes on over lines like keys could swallow those that say for whom the page is."""
    spans, end = key_lines(path, text)
    starts = {first for first, _ in spans.values()}
    mend = "write each key on a line of its own, and indent what goes on below it"
    for number, each in enumerate(text.split("\n", end)[1 : max(end - 1, 0)], 2):
        if (KEY.match(each) and number not in starts) or _BREAKS & set(each):
            raise bad(path, number, "it is not clear where a value ends", mend=mend)
    for key in spans.keys() & _OURS - keys.keys():
        raise bad(path, spans[key][0], f"`{key}` is not written at the beginning of a line", mend=mend)


def _states(keys: Mapping[str, str], key: str, value: str) -> bool:
    return keys.get(key, "").partition(":")[2].strip().lower() == value


def _with_toml(path: str, block: str, body: str) -> Said:
    """Front matter as some site generators write it. Only its title and whether it is a draft are taken: rights are
    said in our own way or not at all."""
    try:
        values = tomllib.loads(block)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(
            f"{path}:1: its front matter is not valid TOML: {error}", mend="mend the lines between `+++`"
        ) from None
    for key in KEYS:
        if key in values and key not in ("title", "status"):
            raise BadInput(
                f"{path}:1: `{key}` stands in TOML, where it is not read",
                mend="write the front matter as YAML, between two lines `---`",
            )
    keys = {}
    if isinstance(values.get("title"), str) and values["title"].strip():
        keys["title"] = line("title", " ".join(values["title"].split()))
    if values.get("draft") is True:
        keys["status"] = "status: draft"
    return Said(keys=keys, body=body)
