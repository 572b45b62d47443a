"""`fairlead forecast`: what a period will come to, for whom that can be said, and when a cap is reached."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from msgspec.structs import replace

from fairlead.cli.ask import Key
from fairlead.cli.compiled import published
from fairlead.cli.drivers import drivers_of
from fairlead.cli.forecast_drawn import drawn
from fairlead.cli.foretold import HOUR, READ, Asked, Said, said_of
from fairlead.cli.later import PLAIN
from fairlead.cli.money import standings_of
from fairlead.cli.opening import balances_of, log_of, open_store
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Workspace, find
from fairlead.clock import SystemClock
from fairlead.costs.budgets import begin_of, next_period, periods_of
from fairlead.costs.forecasting import Forecast, Series, series_by_scope
from fairlead.costs.units import Unit
from fairlead.errors import BadInput, NotFound

forecast_app = typer.Typer(**PLAIN)
_KINDS: Final = {"month": "monthly", "week": "weekly", "day": "daily"}


@forecast_app.command("forecast")
def show(
    scope: Annotated[
        str, typer.Argument(help="organisation, department/NAME, person/NAME, task/NAME, model/NAME or workflow/NAME.")
    ] = "",
    period: Annotated[str, typer.Option("--period", help="month, week or day: the one that is under way.")] = "month",
    key: Key = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What will have been spent at the end of a period, with an interval, or why that cannot be said; for the whole
    organisation and its parts, or for one SCOPE. How good such forecasts were before stands beside each."""
    if period not in _KINDS:
        raise BadInput(f"--period is {period!r}", mend=f"one of {', '.join(_KINDS)}")
    place, now = find(workspace, data_folder), SystemClock().now()
    asked = _asked(_KINDS[period], now)
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        rows = (row.record for row in log_of(store).since(min(now - READ, asked.begin * HOUR)))
        series = _named(series_by_scope(rows, now), Names(place, store))
        wanted = _wanted(scope, series)
        numbers = drivers_of(place, store, compiled.settings.forecast.drivers, wanted, key)
        caps = {(each.scope, each.period): each.most for each in standings_of(compiled.budgets, balances_of(store))}
    said = [said_of(each, series[each], asked, numbers.get(each)) for each in wanted]
    said = [_capped(each, caps.get((each.scope, each.period)), asked) for each in said]
    unit = compiled.budgets.unit
    if json:
        json_data({"unit": unit.name, "period": asked.period, "forecasts": [_shown(each, unit) for each in said]})
        return
    if not said:
        say("nothing has been spent yet")
        return
    data(drawn(said[0].forecast, said[0].series, said[0].cap, unit))
    _tell(said[0], unit)
    if len(said) > 1:
        _list(said, unit)


def _asked(kind: str, now: int) -> Asked:
    period = periods_of(now)[kind]
    begin, end = begin_of(period) // HOUR, begin_of(next_period(period)) // HOUR
    return Asked(period, now // HOUR, begin, end)


def _named(series: dict[str, Series], names: Names) -> dict[str, Series]:
    """The same with persons by name, where the master key is at hand."""
    return {
        f"person/{names.of(scope.removeprefix('person/'))}" if scope.startswith("person/") else scope: of
        for scope, of in series.items()
    }


def _wanted(scope: str, series: dict[str, Series]) -> list[str]:
    if scope and scope not in series:
        raise NotFound(
            f"{scope!r} has spent nothing in the last 90 days",
            mend=f"one of: {', '.join(sorted(series)[:12]) or 'none yet'}",
        )
    if scope:
        return [scope]
    spent = sorted(series, key=lambda each: (each != "organisation", -series[each].sums[-1], each))
    return [each for each in spent if not each.startswith("person/")]  # a person is looked at by name only


def _capped(said: Said, cap: int | None, asked: Asked) -> Said:
    """When the cap is reached if spending goes on as forecast: straight from now to the end of the period."""
    made = said.forecast
    if cap is None:
        return said
    ahead = asked.end - asked.now

    def reached(end: float) -> int:
        if made.spent >= cap:
            return asked.now
        return 0 if end <= cap else asked.now + int(ahead * (cap - made.spent) / (end - made.spent))

    likely = reached(made.likely) if made.forecastable else 0
    return replace(said, cap=cap, reached=likely, earliest=reached(made.high))


def _tell(said: Said, unit: Unit) -> None:
    made = said.forecast
    spent, low, likely, high = (unit.shown(round(of)) for of in (made.spent, made.low, made.likely, made.high))
    if made.forecastable:
        say(f"{said.scope}, {said.period}: {likely} {unit.name} likely at its end; {spent} so far")
        say(f"{low} to {high} in four of five cases")
    else:
        say(f"{said.scope}, {said.period}: not forecastable, because {made.reason}")
        if made.rests_on:
            say(f"four of five such periods end between {low} and {high} {unit.name}; {spent} so far")
    if made.rests_on:
        say(f"rests on {made.history} hours: {', '.join(made.rests_on)}; {_past(made)}")
    if said.cap is not None:
        say(_cap_told(said, unit))


def _past(made: Forecast) -> str:
    past = made.accuracy
    if not past.looked:
        return "no forecast of its past can be looked at yet"
    return f"of {past.looked} earlier ones {past.within:.0%} were within 15 %, {past.covered:.0%} within their interval"


def _cap_told(said: Said, unit: Unit) -> str:
    cap = unit.shown(said.cap or 0)
    if said.earliest == 0:
        return f"the cap of {cap} {unit.name} holds to the end"
    likely = f"likely on {_hour(said.reached)}, " if said.reached else ""
    return f"the cap of {cap} {unit.name} is reached {likely}on {_hour(said.earliest)} at the earliest"


def _hour(hour: int) -> str:
    return f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%d %H:00}"


def _list(said: list[Said], unit: Unit) -> None:
    columns = ["spent", "low", "likely", "high", "cap"]
    rows = []
    for each in said:
        made = each.forecast
        told = made.rests_on and [unit.shown(round(of)) for of in (made.low, made.likely, made.high)]
        low, likely, high = told or ("", "", "")
        rows.append(
            [
                *(each.scope, unit.shown(round(made.spent)), low, likely if made.forecastable else "", high),
                "" if each.cap is None else unit.shown(each.cap),
                made.reason and f"not forecastable: {made.reason}",
            ]
        )
    table(["scope", *columns, ""], rows, right=columns)


def _shown(said: Said, unit: Unit) -> dict[str, Any]:
    made, past = said.forecast, said.forecast.accuracy

    def amount(of: float) -> str:
        return unit.exact(round(of))

    return {
        "scope": said.scope,
        "end": _hour(made.end),
        "spent": amount(made.spent),
        "forecastable": made.forecastable,
        "reason": made.reason,
        "low": amount(made.low) if made.rests_on else None,
        "likely": amount(made.likely) if made.forecastable else None,
        "high": amount(made.high) if made.rests_on else None,
        "rests_on": {"hours": made.history, "methods": made.rests_on},
        "past": {
            "looked": past.looked,
            "within15": round(past.within, 3),
            "covered80": round(past.covered, 3),
            "forecasts": [
                {"at": _hour(each.at)} | {name: amount(getattr(each, name)) for name in ("said", "low", "high", "came")}
                for each in past.past
            ],
        },
        "cap": None if said.cap is None else unit.exact(said.cap),
        "cap_reached": _hour(said.reached) if said.reached else None,
        "cap_reached_earliest": _hour(said.earliest) if said.earliest else None,
    }


def commands() -> dict[str, Any]:
    return {"forecast": typer.main.get_command(forecast_app)}
