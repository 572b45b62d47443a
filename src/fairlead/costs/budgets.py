"""Budgets: which caps an action is held against. Compiled once from `budgets:`, asked on every request."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import UNSET, Struct

from fairlead.costs.settings import BudgetSettings, BudgetsSettings
from fairlead.costs.units import Unit, unit_of
from fairlead.errors import BadInput, closest
from fairlead.identity.types import Caller
from fairlead.storage.types import ScopeLimit

DAY_MS = 86_400_000
REMEMBERED = 10_000  # callers' limits kept at hand; beyond that, all are worked out anew
EACH = "*"
PERSON: Final = "person/"
"""What the scope of one person begins with."""

PERIODS: Final = ("daily", "weekly", "monthly", "total")
SCOPES: Final = ("department", "person", "task", "workflow")
_MOST: Final = 2**62
_SPELLED: Final = re.compile("%([0-9A-F]+);")


class Ask(Struct, frozen=True):
    """Who is asked at the cap, and by how much the budget is raised for the period then."""

    role: str
    amount: int


class Rollover(Struct, frozen=True):
    """How much of what is left goes on to the next period: a share, in hundredths, and at most so much."""

    share: int = 100
    most: int = _MOST

    def of(self, left: int) -> int:
        """What of so much that is left (nano-units) goes on into the next period."""
        return min(max(0, left) * self.share // 100, self.most)


class Cap(Struct, frozen=True):
    """One cap: on what `kind` of period, how much, at which shares it warns, and what becomes of what is left of it and
    of a call that does not fit. `key` is its place in the workspace."""

    key: str
    kind: str
    cap: int
    shares: tuple[int, ...] = ()
    rollover: Rollover | None = None
    at_cap: Literal["refuse", "cheaper", "ask"] = "refuse"
    ask: Ask | None = None


_Caps = tuple[Cap, ...]


class Budgets:
    """The caps of one revision. Not for use by several threads at once, but for `caps_of`."""

    def __init__(self, unit: Unit, organisation: _Caps, others: Mapping[str, Mapping[str, _Caps]]) -> None:
        """`others` are those of departments, persons, tasks and workflows, by kind and name."""
        self.unit = unit
        self._organisation = organisation
        self._others = others
        self._named = {
            scope_name(kind, name): caps
            for kind, named in others.items()
            for name, caps in named.items()
            if name != EACH
        }
        every = [*organisation, *(cap for named in others.values() for caps in named.values() for cap in caps)]
        self.only_refuses = all(cap.at_cap == "refuse" for cap in every)
        self.rolls_over = any(cap.rollover is not None for cap in every)
        self._day = -1
        self._periods: dict[str, str] = {}
        self._known: dict[tuple[str, str, str, str], tuple[ScopeLimit, ...]] = {}

    def limits_for(self, caller: Caller, task: str, now: int, workflow: str = "") -> tuple[ScopeLimit, ...]:
        """Every cap that an action of `caller` for `task` counts against at `now` (milliseconds since 1970, UTC).
        `workflow` is that of the run that it is a step of, "" for what is none."""
        day = now // DAY_MS
        if day != self._day:
            self._day, self._periods, self._known = day, periods_of(now), {}
        key = (caller.department, caller.person, task, workflow)
        limits = self._known.get(key)
        if limits is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            limits = self._known[key] = self._limits(*key)
        return limits

    def caps_of(self, scope: str) -> _Caps:
        """The caps on one scope, as `scope_name` spells it."""
        if scope == "organisation":
            return self._organisation
        found = self._named.get(scope)
        return self._others.get(scope.partition("/")[0], {}).get(EACH, ()) if found is None else found

    def cap_on(self, scope: str, period: str) -> Cap | None:
        """The cap on one scope in one period, None where there is none."""
        return next((cap for cap in self.caps_of(scope) if cap.kind == kind_of(period)), None)

    @property
    def declared(self) -> tuple[str, ...]:
        """Every scope that is declared; "*" stands for all others of a kind."""
        return ("organisation", *(scope_name(kind, name) for kind, named in self._others.items() for name in named))

    @property
    def named(self) -> tuple[str, ...]:
        """The scopes that are declared by name: of these a budget is there before anything is spent."""
        return ("organisation", *self._named)

    def _limits(self, department: str, person: str, task: str, workflow: str) -> tuple[ScopeLimit, ...]:
        scopes = ["organisation", *map(scope_name, SCOPES, (department, person, task))]
        if workflow:
            scopes.append(scope_name("workflow", workflow))
        return tuple(
            ScopeLimit(scope, self._periods[cap.kind], cap.cap, cap.shares)
            for scope in scopes
            for cap in self.caps_of(scope)
        )


def compile_budgets(settings: BudgetsSettings, alarms: Collection[str] = ()) -> Budgets:
    """Raises `BadInput` naming the key. Whether there are such departments, tasks and workflows is for the caller to
    check. `alarms` are those that are declared."""
    for name in settings.alarms:
        if name not in alarms:
            raise BadInput(
                f"budgets.alarms: there is no alarm {name!r}",
                mend=closest(name, alarms) or "declare it under `alarms:`",
            )
    unit = unit_of(settings.currency, settings.credits)
    every = {
        "department": settings.departments,
        "person": settings.persons,
        "task": settings.tasks,
        "workflow": settings.workflows,
    }
    others = {
        kind: {name: _compiled(f"budgets.{kind}s.{name}", caps, unit) for name, caps in named.items()}
        for kind, named in every.items()
    }
    return Budgets(unit, _compiled("budgets.organisation", settings.organisation, unit), others)


def periods_of(now: int) -> dict[str, str]:
    """The periods that `now` lies in, by the setting that names them: day, ISO 8601 week, month, and all time."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    year, week, _ = moment.isocalendar()
    return {
        "daily": f"{moment:%Y-%m-%d}",
        "weekly": f"{year:04d}-W{week:02d}",
        "monthly": f"{moment:%Y-%m}",
        "total": "all",
    }


def kind_of(period: str) -> str:
    """The setting that names such periods."""
    return {10: "daily", 8: "weekly", 7: "monthly"}.get(len(period), "total")


def begin_of(period: str) -> int:
    """When a period begins, in milliseconds since 1970. Raises `ValueError` for what is none, or has no beginning."""
    forms = {"daily": "%Y-%m-%d", "weekly": "%G-W%V-%u", "monthly": "%Y-%m-%d"}
    kind = kind_of(period)
    text = period if kind == "daily" else f"{period}-1"
    return int(datetime.strptime(text, forms[kind]).replace(tzinfo=UTC).timestamp() * 1000)


def next_period(period: str) -> str:
    """The period after it. Raises `ValueError` for one that never ends."""
    kind = kind_of(period)
    ahead = {"daily": 1, "weekly": 7, "monthly": 31}
    if kind == "total":
        raise ValueError(period)
    return periods_of(begin_of(period) + ahead[kind] * DAY_MS)[kind]


def scope_name(kind: str, name: str) -> str:
    """`kind/NAME`, with what a database or a terminal could choke on (control characters, lone surrogates) as `%XX;`.

    Two different names never get the same scope, because "%" itself is written as `%25;`.
    """
    if name.isprintable() and "%" not in name:
        return f"{kind}/{name}"
    return f"{kind}/" + "".join(char if char.isprintable() and char != "%" else f"%{ord(char):02X};" for char in name)


def named_in(scope: str) -> str:
    """The name in a scope that `scope_name` has spelled, "" for the organisation's."""
    return _SPELLED.sub(lambda found: chr(int(found[1], 16)), scope.partition("/")[2])


def scope_told(scope: str, pseudonym: Callable[[str], str]) -> str:
    """A scope as records and alarms tell it: a person's has a pseudonym in place of the name."""
    return PERSON + pseudonym(named_in(scope)) if scope.startswith(PERSON) else scope


def _compiled(key: str, settings: BudgetSettings, unit: Unit) -> _Caps:
    shares, rollover = _shares(key, settings), _rollover(key, settings, unit)
    ask = None
    if settings.at_cap == "ask":
        if settings.ask is None:
            raise BadInput(
                f"{key}.ask is missing", why="`at_cap: ask` asks somebody", mend="add ask: {role: ROLE, raise_by: 50}"
            )
        amount = unit.parse(settings.ask.raise_by, f"{key}.ask.raise_by")
        if not amount:
            raise BadInput(f"{key}.ask.raise_by is nothing", mend="write by how much the budget is raised")
        ask = Ask(settings.ask.role, amount)
    elif settings.ask is not None:
        raise BadInput(f"{key}.ask asks nobody", why=f"at_cap is {settings.at_cap}", mend="add `at_cap: ask`")
    return tuple(
        Cap(
            key=f"{key}.{kind}",
            kind=kind,
            cap=unit.parse(written, f"{key}.{kind}"),
            shares=shares,
            rollover=rollover if kind != "total" else None,
            at_cap=settings.at_cap,
            ask=ask,
        )
        for kind in PERIODS
        if (written := getattr(settings, kind)) is not UNSET
    )


def _shares(key: str, settings: BudgetSettings) -> tuple[int, ...]:
    if settings.warn is None:
        return ()
    written = [settings.warn] if isinstance(settings.warn, str) else settings.warn
    return tuple(sorted({_hundredths(f"{key}.warn", each) for each in written}))


def _rollover(key: str, settings: BudgetSettings, unit: Unit) -> Rollover | None:
    said = settings.rollover
    if isinstance(said, bool):
        return Rollover() if said else None
    if said.startswith("at most "):
        return Rollover(most=unit.parse(said.removeprefix("at most "), f"{key}.rollover"))
    return Rollover(share=_hundredths(f"{key}.rollover", said))


def _hundredths(key: str, said: str) -> int:
    percent = said.removesuffix("%")
    if percent == said or not (percent.isascii() and percent.isdigit()) or not 1 <= int(percent) <= 100:
        raise BadInput(f"{key} is {said!r}", why="it is a share of the whole", mend="write 1% to 100%, such as 80%")
    return int(percent)
