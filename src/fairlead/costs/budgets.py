"""Budgets: which caps an action is held against. Compiled once from `budgets:`, asked on every request."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from fairlead.costs.money import parse_money
from fairlead.costs.settings import BudgetSettings, BudgetsSettings
from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.storage.types import ScopeLimit

DAY_MS = 86_400_000
REMEMBERED = 10_000  # callers' limits kept at hand; beyond that, all are worked out anew
EACH = "*"


class _Cap(NamedTuple):
    """One cap: on what `kind` of period, how much, and the spending that warns."""

    kind: str
    cap: int
    warn: int | None


_Caps = Mapping[str, tuple[_Cap, ...]]


class Budgets:
    """The caps of one revision. Not for use by several threads at once."""

    def __init__(self, organisation: tuple[_Cap, ...], departments: _Caps, persons: _Caps, tasks: _Caps) -> None:
        self._organisation = organisation
        self._departments = departments
        self._persons = persons
        self._tasks = tasks
        self._day = -1
        self._periods: dict[str, str] = {}
        self._known: dict[tuple[str, str, str], tuple[ScopeLimit, ...]] = {}

    def limits_for(self, caller: Caller, task: str, now: int) -> tuple[ScopeLimit, ...]:
        """Every cap that an action of `caller` for `task` counts against at `now` (milliseconds since 1970, UTC)."""
        day = now // DAY_MS
        if day != self._day:
            self._day, self._periods, self._known = day, periods_of(now), {}
        key = (caller.department, caller.person, task)
        limits = self._known.get(key)
        if limits is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            limits = self._known[key] = self._limits(*key)
        return limits

    def _limits(self, department: str, person: str, task: str) -> tuple[ScopeLimit, ...]:
        scopes = (
            ("organisation", self._organisation),
            (scope_name("department", department), _caps_of(self._departments, department)),
            (scope_name("person", person), _caps_of(self._persons, person)),
            (scope_name("task", task), _caps_of(self._tasks, task)),
        )
        return tuple(
            ScopeLimit(scope, self._periods[cap.kind], cap.cap, cap.warn) for scope, caps in scopes for cap in caps
        )


def compile_budgets(settings: BudgetsSettings) -> Budgets:
    """Raises `BadInput` naming the key. Whether there are such departments and tasks is for the caller to check."""
    return Budgets(
        _compiled("budgets.organisation", settings.organisation),
        {name: _compiled(f"budgets.departments.{name}", caps) for name, caps in settings.departments.items()},
        {name: _compiled(f"budgets.persons.{name}", caps) for name, caps in settings.persons.items()},
        {name: _compiled(f"budgets.tasks.{name}", caps) for name, caps in settings.tasks.items()},
    )


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


def scope_name(kind: str, name: str) -> str:
    """`kind/NAME`, with what a database or a terminal could choke on (control characters, lone surrogates) as `%XX;`.

    Two different names never get the same scope, because "%" itself is written as `%25;`.
    """
    if name.isprintable() and "%" not in name:
        return f"{kind}/{name}"
    return f"{kind}/" + "".join(char if char.isprintable() and char != "%" else f"%{ord(char):02X};" for char in name)


def _caps_of(caps: _Caps, name: str) -> tuple[_Cap, ...]:
    found = caps.get(name) if name != EACH else None
    return caps.get(EACH, ()) if found is None else found


def _compiled(key: str, settings: BudgetSettings) -> tuple[_Cap, ...]:
    share = _share(key, settings.warn)
    caps = []
    for kind in ("daily", "weekly", "monthly", "total"):
        written = getattr(settings, kind)
        if isinstance(written, int | float | str):
            cap = parse_money(written, f"{key}.{kind}")
            caps.append(_Cap(kind, cap, cap * share // 100 if share and cap else None))
    return tuple(caps)


def _share(key: str, warn: str | None) -> int:
    if warn is None:
        return 0
    percent = warn.removesuffix("%")
    if percent == warn or not (percent.isascii() and percent.isdigit()) or not 1 <= int(percent) <= 100:
        raise BadInput(f"{key}.warn is {warn!r}", why="it is a share of the cap", mend="write 1% to 100%, such as 80%")
    return int(percent)
