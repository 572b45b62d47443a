"""What is said, put and read, as steps of a flow. Pure: `flow_path` keeps them."""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from fairlead.context import Pack
from fairlead.execution.extraction import fitting
from fairlead.execution.flow_step import Step, given_as, step_of
from fairlead.labels import Labels
from fairlead.models.types import Message, TextPart
from fairlead.policy.tool_rights import UNKNOWN, Sources, ToolAsked
from fairlead.tools.nesting import is_too_deep
from fairlead.tools.types import Link, Resource, Text, ToolResult

NOWHERE: Final[Sources] = frozenset()
_USER: Final = frozenset({"user"})
_MESSAGE: Final = frozenset({"message:tool"})
_ATTACHED: Final = frozenset({"message:document"})
_OUTSIDERS: Final = "message:document"  # what outsiders wrote, whoever published it
_LONGEST: Final = 32 << 10  # letters; what is longer is something that was passed on, and nobody's words
_canonical = msgspec.json.Encoder(order="sorted").encode


def put_step(asked: ToolAsked, trusts: Callable[[str], bool]) -> Step | None:
    """What a call puts into a system that is not trusted: it comes back from there as what it is now."""
    if asked.tool.definition.effect == "read":
        return None
    given = [
        given_as(value, asked.sources[name])
        for name, value in asked.arguments.items()
        if not all(map(trusts, asked.sources[name]))
    ]
    given += [given_as(asked.answers, UNKNOWN)] if asked.answers else []
    return step_of("put", NOWHERE, None, asked.labels, given) if given else None


def read_step(id_: str, asked: ToolAsked, result: ToolResult, labels: Labels, schema: Mapping[str, Any] = {}) -> Step:
    """What a call has read: its data, texts that are data as such, and the addresses of links. Where its data fit a
    declared schema, what leaves no room for words in them comes from there; what was only kept for later still comes
    from where it came from."""
    given = [given_as(value, asked.sources[name]) for name, value in asked.arguments.items()]
    given += [given_as(each.value, each.sources) for each in result.origins]
    texts = [each.text for each in result.pieces if isinstance(each, Text | Resource) and each.text]
    values = [] if result.structured is None else [result.structured]
    if not result.origins:  # else the text is made of the data, and proves nothing beside it
        values += [data for data in map(as_data, texts) if data not in values]
    values += [text for each in result.pieces if isinstance(each, Link) for text in (each.uri, each.name) if text]
    values += [each.uri for each in result.pieces if isinstance(each, Resource)]
    marks = {_mark(each) for each in (*texts, "\n".join(texts), "".join(texts))}
    if result.structured is not None:
        marks.add(_mark_of(result.structured))
    source = frozenset({f"tool:{asked.tool.name}"})
    if schema and values and (parts := fitting(asked.tool.name, schema, values[0])) is not None:
        given.append(given_as([*parts.open, *values[1:]], source))
        source = frozenset({f"schema:{asked.tool.name}"})
    value = values[0] if len(values) == 1 else values
    return step_of(id_, source, value, labels, given, sorted(marks))


def packed(pack: Pack, *, all_of_it: bool) -> list[Step]:
    """The pieces of a pack as what was read: a live one came from the tool that read it."""
    tools = {each.citation: each.tool for each in pack.live}
    steps = []
    for passage, citation in zip(pack.passages, pack.citations, strict=False):
        tool = tools.get(passage.citation)
        if not (all_of_it or tool or not citation.trusted):
            continue
        source = f"tool:{tool}" if tool else f"document:{passage.citation.partition('@')[0]}"
        if not tool and not citation.trusted:
            source = _OUTSIDERS
        value: Any = [passage.text, *_values(passage.text)] if tool else passage.text
        mark = _mark(f"{passage.citation} {passage.text}", b"page")
        steps.append(step_of("page", frozenset({source}), value, pack.labels, (), (mark,)))
    return steps


def _values(text: str) -> list[str]:
    """The values of a live piece one by one, as they were before it was made a text."""
    parts = (part for line in text.splitlines() for part in line.removeprefix("- ").split("; "))
    return [value for part in parts if (value := part.partition(": ")[2] or part)]


def unknown(known: "tuple[Step, ...]", told: list[Step]) -> list[Step]:
    """What was not kept before: clients send the whole conversation each time."""
    marks = {mark for each in known for mark in each.marks}
    new = []
    for each in told:
        if marks.isdisjoint(each.marks):
            marks.update(each.marks)
            new.append(each)
    return new


def told_by(message: Message) -> Iterator[Step]:
    """What a message of a conversation tells: a tool's result, a person's words, or a document that is attached."""
    if message.role == "tool":
        text = _text(message)
        yield step_of("message", _MESSAGE, as_data(text), marks=[_mark(text)])
    elif message.role == "user":
        content = message.content
        parts = [TextPart(content)] if isinstance(content, str) else [
            each for each in content or () if isinstance(each, TextPart)
        ]  # fmt: skip
        for part in parts:
            yield (
                words_of(part.text)
                if part.title is None
                else step_of("message", _ATTACHED, part.text, marks=[_mark(part.text, b"attached")])
            )


def words_of(text: str) -> Step:
    """What a person says, as theirs: unless it is so long that they pass it on."""
    mark = _mark(text, b"said")
    if len(text) > _LONGEST:
        return step_of("message", _ATTACHED, text, marks=[mark])
    return Step(id="said", sources=_USER, value=text, marks=(mark,))


def _text(message: Message) -> str:
    """What a tool's message says. Some clients put the blocks that they got into it, as JSON."""
    content = message.content
    text = content if isinstance(content, str) else "".join(
        each.text for each in content or () if isinstance(each, TextPart)
    )  # fmt: skip
    blocks = as_data(text)
    if isinstance(blocks, list) and blocks and all(
        isinstance(each, Mapping) and each.get("type") == "text" and isinstance(each.get("text"), str)
        for each in blocks
    ):  # fmt: skip
        return "\n".join(each["text"] for each in blocks)
    return text


def as_data(text: str) -> Any:
    """A text that is data, as data."""
    if text[:1] not in ("{", "["):
        return text
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return text
    return text if is_too_deep(data) else data


def _mark(text: str, kind: bytes = b"result") -> bytes:
    """By what it is known again: the same data whoever wrote it, the same text but for its spaces."""
    data = as_data(text)
    if data is not text:
        return _mark_of(data, kind)
    return _digest(kind, " ".join(text.split()))


def _mark_of(data: Any, kind: bytes = b"result") -> bytes:
    try:
        return _digest(kind, _canonical(data).decode())
    except (TypeError, ValueError, OverflowError, RecursionError):
        return _digest(kind, repr(data))


def _digest(kind: bytes, of: str) -> bytes:
    return sha256(kind + b"\x00" + of.encode("utf-8", "surrogatepass")).digest()[:16]
