"""Live sources: what the workspace says of them, and what they are asked with for one question. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import re2
from msgspec import Meta, Struct

from fairlead.errors import BadInput, closest

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_ARGUMENT: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_MEMORY: Final = 8 << 20  # bytes of one automaton
_LONGEST: Final = 20_000  # characters of a message that are looked through
_EARLIER: Final = 6  # messages before the last that may hold what a follow-up is about
_GIVEN: Final = ("question", "person", "department")


class LiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read by a tool while a task is stitched, under its caller's own rights."""

    tool: Annotated[str, Meta(description="The tool that reads it: `system.tool`. It must be one that only reads.")]
    arguments: Annotated[
        dict[str, Any],
        Meta(
            description="Its arguments. `$question`, `$person` and `$department` stand for what they say, `$name` for "
            "the group of that name in `match`; an argument whose group did not take part is left out."
        ),
    ] = {}
    match: Annotated[
        str,
        Meta(description="An RE2 pattern that must be found in what the person wrote, else the source is not asked."),
    ] = ""
    take: Annotated[str, Meta(description="Where in the result it stands, as in `order.status`. Default: all.")] = ""
    title: Annotated[str, Meta(max_length=200, description="Its title for models and people. Default: its name.")] = ""
    fresh: Annotated[
        float,
        Meta(
            ge=0, le=86_400, description="Seconds that an answer may be used again, for the same person and question."
        ),
    ] = 0
    as_of: Annotated[
        str, Meta(description="Where in the result it stands for what time it holds. Default: the time of the call.")
    ] = ""
    oldest: (
        Annotated[float, Meta(gt=0, description="Seconds after which it counts as stale. Needs `as_of`.")] | None
    ) = None
    most: Annotated[int, Meta(ge=100, le=1 << 20, description="The most bytes that are taken of it.")] = 6000
    within: Annotated[float, Meta(gt=0, le=60, description="Seconds after which it is gone on without.")] = 3.0
    required: Annotated[
        bool, Meta(description="Whether nothing is answered where it was asked for and is not to be had.")
    ] = False


class LiveSource(Struct, frozen=True, kw_only=True):
    """A live source, checked. `pattern` is compiled by RE2, None where it is asked whatever the question is."""

    name: str
    settings: LiveSettings
    pattern: Any = None

    @property
    def title(self) -> str:
        """What people are told: its declared title, or its name in words."""
        return self.settings.title or self.name.replace("-", " ").replace("_", " ").capitalize()


class Asked(Struct, frozen=True):
    """What a source is asked with. `words` are the arguments that come from what the person wrote."""

    arguments: Mapping[str, Any]
    words: frozenset[str]


def compile_live(settings: Mapping[str, LiveSettings]) -> Mapping[str, LiveSource]:
    """The live sources. Raises `BadInput` naming the key, which begins with `live.`."""
    return {name: _one(name, each) for name, each in settings.items()}


def asked_with(source: LiveSource, said: Sequence[str], given: Mapping[str, str]) -> Asked | None:
    """What the source is asked with, None where what was said does not concern it. `said` is what the person wrote, the
    latest first: the question itself is looked through before what came earlier."""
    question = said[0] if said else ""
    groups: Mapping[str, str | None] = {}
    if source.pattern is not None:
        found = next(filter(None, (source.pattern.search(_whole(each)) for each in said[: 1 + _EARLIER])), None)
        if found is None:
            return None
        groups = found.groupdict()
    known = {**given, "question": question, **groups}
    words = frozenset(("question", *groups))
    arguments = {
        key: _filled(value, known) for key, value in source.settings.arguments.items() if not _is_absent(value, known)
    }
    from_words = (key for key in arguments if words.intersection(_names(source.settings.arguments[key])))
    return Asked(arguments, frozenset(from_words))


def as_schema(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with numbers where the tool wants numbers: a pattern finds texts only."""
    types = {name: each.get("type") for name, each in schema.get("properties", {}).items() if isinstance(each, Mapping)}
    return {name: _typed(value, types.get(name)) for name, value in arguments.items()}


def _typed(value: Any, wanted: Any) -> Any:
    if not isinstance(value, str):
        return value
    if wanted == "integer" and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if wanted == "number" and re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value):
        return float(value)
    return value


def _whole(text: str) -> str:
    """Of whole characters, which is all that RE2 reads."""
    text = text[:_LONGEST]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _names(value: Any) -> list[str]:
    return _ARGUMENT.findall(value) if isinstance(value, str) else []


def _is_absent(value: Any, known: Mapping[str, str | None]) -> bool:
    whole = _ARGUMENT.fullmatch(value) if isinstance(value, str) else None
    return whole is not None and known.get(whole[1]) is None


def _filled(value: Any, known: Mapping[str, str | None]) -> Any:
    return _ARGUMENT.sub(lambda found: known.get(found[1]) or "", value) if isinstance(value, str) else value


def _one(name: str, settings: LiveSettings) -> LiveSource:
    key = f"live.{name}"
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{key} is not a name for a live source",
            why="its pieces are cited by it",
            mend="use up to 41 small letters, digits, - and _, beginning with a letter",
        )
    if not settings.title.isprintable():
        raise BadInput(f"{key}.title holds more than one line of text", mend="write one line")
    if settings.oldest is not None and not settings.as_of:
        raise BadInput(
            f"{key}.oldest needs {key}.as_of",
            why="what is read just now is never old, unless the result says for what time it holds",
            mend="say under `as_of` where in the result that time stands, or leave out `oldest`",
        )
    pattern = _pattern(key, settings.match) if settings.match else None
    groups: Iterable[str] = pattern.groupindex if pattern is not None else ()
    known = {*_GIVEN, *groups}
    for argument, value in settings.arguments.items():
        for word in _names(value):
            if word not in known:
                raise BadInput(f"{key}.arguments.{argument}: nothing is named ${word}", mend=closest(word, known))
    return LiveSource(name=name, settings=settings, pattern=pattern)


def _pattern(key: str, text: str) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BadInput(
            f"{key}.match is no pattern: {said}",
            why="it is read by RE2, which knows neither look-around nor references to groups",
            mend="correct it, as in (?i)order\\s+#?(?P<number>[0-9]+)",
        ) from None
