"""What may be told of groups of people: reckoned from rows about each of them, without what would tell of one alone.

Pure: rows, a rule and a draw give a table. The rows stay where they are.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.labels import DataClass
from fairlead.policy.declassify_settings import AggregateSetting, ValueSetting
from fairlead.policy.suppression import Draw, Group, Why, left_out

_encode = msgspec.json.Encoder(order="sorted").encode
_THIRDS: Final = ("low", "middle", "high")
_DECIDES: Final = (
    "source", "arguments", "subject", "by", "values", "at_least", "dominance", "totals", "period",
)  # fmt: skip
_MOST_GROUPS: Final = 2000
_TOO_MANY_DIGITS: Final = 18
_PLACES: Final = Decimal("0.000001")


class Aggregate(Struct, frozen=True, kw_only=True):
    """A rule in force. `digest` is of all that decides what is told: the source's own text too."""

    setting: AggregateSetting
    tool: str  # as callers know it: `system.name`
    digest: str

    @property
    def to(self) -> DataClass:
        """The class of what is told, lower than that of its source."""
        return DataClass[self.setting.to]


class Released(Struct, frozen=True, kw_only=True):
    """What is told: columns and rows. `groups` are told of, `suppressed` are not; `nameless` rows told of nobody."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    groups: int
    suppressed: int
    nameless: int = 0


class Judged(Struct, frozen=True):
    """A group that is left out, and why."""

    group: Group
    why: Why


class _Member(Struct):
    """What one subject has in a group, by value."""

    has: dict[str, Decimal]


Members = Mapping[Group, Mapping[str, _Member]]


def digest_of(setting: AggregateSetting, source: Any) -> str:
    """The hash of what decides which groups are told and how: another one may be compared with what was told."""
    decides = {name: getattr(setting, name) for name in _DECIDES}
    return hashlib.sha256(_encode((decides, source))).hexdigest()[:32]


def gathered(setting: AggregateSetting, rows: Iterable[Mapping[str, Any]]) -> tuple[Members, int]:
    """The rows by group and subject, and how many told of nobody. Raises `BadInput` for rows that are not as the rule
    says."""
    found: dict[Group, dict[str, _Member]] = {}
    nameless = 0
    for row in rows:
        if lacking := [name for name in (setting.subject, *setting.by, *setting.values) if name not in row]:
            raise BadInput(
                f"declassify.{setting.name}: {setting.source} gives no column {lacking[0]!r}",
                mend="name the columns as the query does",
            )
        if row[setting.subject] is None:
            nameless += 1
            continue
        group = tuple(_shown(row[name]) for name in setting.by)
        member = found.setdefault(group, {}).setdefault(_person(row[setting.subject]), _Member({}))
        for name in setting.values:
            member.has[name] = member.has.get(name, Decimal(0)) + _number(setting, name, row[name])
    if len(found) > _MOST_GROUPS:
        raise BadInput(
            f"declassify.{setting.name}: {setting.source} gives {len(found)} groups",
            why=f"{_MOST_GROUPS} are the most, and many small ones would be left out",
            mend="group by something coarser",
        )
    return found, nameless


def judged(setting: AggregateSetting, members: Members, draw: Draw) -> list[Judged]:
    """The groups that are not told of, with the reason of each."""
    unfit: dict[Group, Why] = {}
    for group, subjects in members.items():
        if len(subjects) < setting.at_least:
            unfit[group] = "few"
        elif any(_dominated(setting, name, bounds, subjects) for name, bounds in setting.values.items()):
            unfit[group] = "dominated"
    hidden = left_out(members.keys(), unfit.keys(), draw)
    return [Judged(group, unfit.get(group, "protects")) for group in sorted(hidden)]


def released(setting: AggregateSetting, rows: Iterable[Mapping[str, Any]], draw: Draw) -> Released:
    """The table that may be told. Raises `BadInput`."""
    members, nameless = gathered(setting, rows)
    hidden = {each.group for each in judged(setting, members, draw)}
    told = [(*group, *_told(setting, members[group])) for group in sorted(members) if group not in hidden]
    if setting.totals and told and not hidden:
        whole: dict[str, _Member] = {}
        for subjects in members.values():
            for subject, member in subjects.items():
                every = whole.setdefault(subject, _Member({}))
                for name, value in member.has.items():
                    every.has[name] = every.has.get(name, Decimal(0)) + value
        if not any(_dominated(setting, name, bounds, whole) for name, bounds in setting.values.items()):
            told.append((*(None for _ in setting.by), *_told(setting, whole)))
    return Released(
        columns=(*setting.by, *columns_of(setting)),
        rows=tuple(told),
        groups=len(members) - len(hidden),
        suppressed=len(hidden),
        nameless=nameless,
    )


def columns_of(setting: AggregateSetting) -> tuple[str, ...]:
    """What is told of each group, by name."""
    return (
        "subjects",
        *(
            f"{name}_{each}"
            for name, value in setting.values.items()
            for gives in value.gives
            for each in (_THIRDS if gives == "thirds" else (gives,))
        ),
    )


def _told(setting: AggregateSetting, subjects: Mapping[str, _Member]) -> list[Any]:
    told: list[Any] = [len(subjects)]
    for name, value in setting.values.items():
        has = sorted(_within(value, each.has[name]) for each in subjects.values())
        whole = sum(has, Decimal(0))
        for each in value.gives:
            if each == "thirds":
                told += _thirds(setting, has)
            else:
                told.append(_plain(whole if each == "sum" else whole / len(has)))
    return told


def _thirds(setting: AggregateSetting, has: Sequence[Decimal]) -> list[float | int | None]:
    """The means of three parts that share nobody: from what overlaps, single values could be reckoned."""
    size, rest = divmod(len(has), 3)
    ends = (0, size, size * 2 + rest, len(has))
    parts = [has[start:end] for start, end in pairwise(ends)]
    if size < setting.at_least or any(_leans(setting, part) for part in parts):
        return [None, None, None]
    return [_plain(sum(part, Decimal(0)) / len(part)) for part in parts]


def _dominated(setting: AggregateSetting, name: str, value: ValueSetting, subjects: Mapping[str, _Member]) -> bool:
    return _leans(setting, [_within(value, each.has[name]) for each in subjects.values()])


def _leans(setting: AggregateSetting, has: Sequence[Decimal]) -> bool:
    """Whether one subject has more of a value than may be: then whoever knows the group knows that one."""
    sizes = [abs(each) for each in has]
    return max(sizes) > sum(sizes, Decimal(0)) * Decimal(str(setting.dominance))


def _within(value: ValueSetting, has: Decimal) -> Decimal:
    low, high = (Decimal(str(bound)) for bound in value.within)
    return min(max(has, low), high)


def _number(setting: AggregateSetting, name: str, value: Any) -> Decimal:
    """A value as databases give it: decimals come as text. Nothing is none."""
    if value is None:
        return Decimal(0)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number.adjusted() >= _TOO_MANY_DIGITS:
        raise BadInput(
            f"declassify.{setting.name}: {name!r} of {setting.source} holds what is no number, or none to reckon with",
            mend="reckon with a column of numbers, or leave such rows out in the query",
        )
    return number


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else _encode(value).decode()


def _person(value: Any) -> str:
    """Who a subject is: `7`, `7.0` and `"7"` are one, since to count somebody twice would pass off one for two."""
    return _shown(int(value) if isinstance(value, float) and value.is_integer() else value)


def _plain(number: Decimal) -> float | int:
    rounded = number.quantize(_PLACES) if number.adjusted() < _TOO_MANY_DIGITS else number
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
