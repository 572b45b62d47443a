"""Packs to begin an organisation's context with: what each function's agents must know, as pages of questions."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any, Final, Literal

import msgspec
import yaml
from msgspec import Struct
from msgspec.structs import replace

from fairlead.context.questions import UNANSWERED
from fairlead.errors import BadInput, NotFound, closest
from fairlead.labels import ClassName

FUNCTIONS: Final = ("company", "sales", "finance", "hr", "marketing", "legal")

Rhythm = Literal["weekly", "monthly", "quarterly", "as needed"]
RHYTHMS: Final[Mapping[Rhythm, int]] = {"weekly": 7, "monthly": 31, "quarterly": 92, "as needed": 365}
"""Days after which a page is looked at again."""

_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROPOSED: Final = f"  # {UNANSWERED.lower().rstrip('.')}"  # after a value that somebody has to confirm
_TODAY: Final = "$today"
_OWNER: Final = "$owner"


class StarterItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page of a pack. `owner`, `audience` and `class_` are the pack's where they are not given; `lives` says where
    such knowledge usually lies before somebody writes it down."""

    name: str
    title: str
    kind: str
    topics: tuple[str, ...]
    review: Rhythm
    lives: str
    why: str
    ask: tuple[str, ...]
    owner: str = ""
    audience: tuple[str, ...] = ()
    class_: ClassName | Literal[""] = msgspec.field(name="class", default="")
    fields: Mapping[str, str | int | tuple[str, ...]] = {}


class Starter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pack of one function, and what holds for its pages."""

    title: str
    about: str
    audience: tuple[str, ...]
    class_: ClassName = msgspec.field(name="class")
    owner: str
    items: tuple[StarterItem, ...]


@cache
def starter(function: str) -> Starter:
    """The pack of a function, every page complete. Raises `NotFound`."""
    if function not in FUNCTIONS:
        raise NotFound(
            f"there is no starter pack {function!r}",
            why=f"there are {', '.join(FUNCTIONS)}",
            mend=closest(function, FUNCTIONS) or "fairlead context start --list",
        )
    pack = msgspec.convert(_data(f"{function}.yaml"), Starter)
    items = (
        replace(
            item,
            owner=item.owner or pack.owner,
            audience=item.audience or pack.audience,
            class_=item.class_ or pack.class_,
        )
        for item in pack.items
    )
    return replace(pack, items=tuple(items))


def _data(name: str) -> Any:
    return yaml.load(_text(name), Loader=_Loader)  # noqa: S506 this package's own text, and a safe loader


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


def starter_files(
    functions: tuple[str, ...],
    *,
    today: date,
    into: str = "",
    owners: Mapping[str, str] = {},
    audiences: Mapping[str, tuple[str, ...]] = {},
    with_tasks: bool = True,
) -> dict[str, bytes]:
    """The files of these packs by their path in a workspace: draft pages below `context/`, task types beside them.

    `owners` names who answers for a function's pages, or for what one of its roles would; `audiences` who may read a
    function's own pages. Raises `NotFound`, and `BadInput` for names that no pack has.
    """
    packs = {function: starter(function) for function in functions}
    _require_known("--owner", owners, {*packs, *(item.owner for pack in packs.values() for item in pack.items)})
    _require_known("--audience", audiences, packs)
    found: dict[str, bytes] = {}
    for function, pack in packs.items():
        for item in pack.items:
            path = PurePosixPath("context", into, function, f"{item.name}.md").as_posix()
            mine = item.audience == pack.audience and function in audiences
            given = replace(
                item,
                owner=_owner(item.owner, function, pack, owners),
                audience=audiences[function] if mine else item.audience,
            )
            found[path] = page_of(given, today).encode()
        if with_tasks:
            found[f"tasks/{function}-questions.yaml"] = _task(function, pack, owners).encode()
    return found


def _require_known(option: str, given: Mapping[str, object], known: "set[str] | Mapping[str, object]") -> None:
    for name in given:
        if name not in known:
            raise BadInput(
                f"{option} names {name!r}, and nothing that is written has it",
                why="there are " + ", ".join(sorted(known)),
                mend=closest(name, known) or f"{option} {min(known)}=NAME",
            )


def _owner(role: str, function: str, pack: Starter, owners: Mapping[str, str]) -> str:
    """Who answers: for the function whose page it is, unless another one's role stands in the pack."""
    if role == pack.owner and function in owners:
        return owners[function]
    return owners.get(role, role)


def _task(function: str, pack: Starter, owners: Mapping[str, str]) -> str:
    """The task type of a function as its pack has it, with the owners filled in."""
    lines = _text(f"{function}.task.yaml").split("\n")
    mark = "    owner: "
    return "\n".join(
        mark + _scalar(_owner(line.removeprefix(mark), function, pack, owners)) if line.startswith(mark) else line
        for line in lines
    )


def page_of(item: StarterItem, today: date) -> str:
    """The page as a draft. What people have to know while they write it stands in comments of the front matter, so that
    no model ever reads it."""
    return "\n".join(
        (
            "---",
            f"# Why agents need this: {item.why}",
            f"# Where it usually lies: {item.lives}. Looked at again: {item.review}.",
            "# Write each answer in place of its last line; where `# not answered yet` stands, put in what is right.",
            *_front(item, today),
            "---",
            f"# {item.title}",
            *(f"\n## {question}\n\n*{UNANSWERED}*" for question in item.ask),
            "",
        )
    )


def _front(item: StarterItem, today: date) -> Iterator[str]:
    yield f"title: {_scalar(item.title)}"
    yield "status: draft"
    yield f"kind: {item.kind}"
    yield f"topics: {_list(item.topics)}"
    yield f"owner: {_scalar(item.owner)}"
    yield f"audience: {_list(item.audience)}"
    yield f"class: {item.class_}"
    for name, value in item.fields.items():
        yield f"{name}: {_value(value, item, today)}{_PROPOSED}"
    yield f"review_by: {today + timedelta(days=RHYTHMS[item.review])}"


def _value(value: str | int | tuple[str, ...], item: StarterItem, today: date) -> str:
    if isinstance(value, tuple):
        return _list(tuple(item.owner if each == _OWNER else each for each in value))
    if isinstance(value, int):
        return str(value)
    return today.isoformat() if value == _TODAY else _scalar(value)


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(value: str) -> str:
    """The text as YAML reads it back, plain where that is safe: JSON strings are YAML."""
    plain = value.replace("-", "").replace(" ", "").isalnum() and value[0].isalpha() and value.strip() == value
    risky = value.lower() in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
    return value if plain and value.isascii() and not risky else json.dumps(value, ensure_ascii=False)
