"""What will a period have come to at its end, who can say so, and who says honestly that they cannot?

All `series/*.csv.gz` of `--data`, each client of a file and all of them together, at rolling origins: an origin sees
nothing but the hours before it. Periods: the next day (origins at midnight), the next week (at midnight), the month,
which is the whole file (336 h or 720 h), from its eighth to its last day at midnight; and nowcasts when 75 % of a day,
a week or the month are over. The first seven days are history only, and periods in which nothing came are left out
(there is no share to be off by). Tokens are priced by `--input-price` and `--output-price` for a million; a client
whose tokens are unknown counts its requests. `requests/*.parquet` are shorter than a day: named, and no forecast.

`coverage80`: how often what came lay between low and high, wherever these are told. `within15_of_forecastable`: of what
was declared forecastable before the period ended, the share that was at most 15 % off; `nowcast_within15` the same at
75 %. `not_forecastable_share`: the spending of periods without a forecast, of all (mean over kinds of periods, where
files weigh the same; within a file a request without tokens weighs as much as the file's mean request). With
`--simulated` the same for invented series, by which the constants of `costs/forecasting` were chosen.
"""

import argparse
import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from evals.invented import families
from evals.stage import parser, say, told
from fairlead.costs.forecasting import Forecast, Series, forecast, series_of

_DAY, _WEEK, _HISTORY = 24, 168, 168
_TOGETHER = "(together)"
_NOWCASTS = ("day at 75 %", "week at 75 %", "month at 75 %")


class Period(NamedTuple):
    kind: str
    now: int
    begin: int
    end: int


class Scope(NamedTuple):
    series: Series
    weight: float


def periods(hours: int) -> Iterator[Period]:
    """Every question that is asked of a series of so many hours."""
    for day in range(_HISTORY, hours - _DAY + 1, _DAY):
        yield Period("day", day, day, day + _DAY)
        yield Period("month", day, 0, hours)
        yield Period(_NOWCASTS[0], day + 18, day, day + _DAY)
    for day in range(_HISTORY, hours - _WEEK + 1, _DAY):
        yield Period("week", day, day, day + _WEEK)
    for week in range(_HISTORY, hours - _WEEK + 1, _WEEK):
        yield Period(_NOWCASTS[1], week + 126, week, week + _WEEK)
    yield Period(_NOWCASTS[2], hours * 3 // 4, 0, hours)


def measured(scopes: dict[str, Scope], hours: int) -> dict[str, Counter[str]]:
    """Counts by kind of period."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, (series, weight) in scopes.items():
        for period in periods(hours):
            came = series.between(period.begin, period.end)
            if came > 0:
                said = forecast(series, period.now, period.begin, period.end)
                _count(counts[period.kind], said, came, 0.0 if name == _TOGETHER else weight)
    return counts


def _count(counted: "Counter[str]", said: Forecast, came: float, weight: float) -> None:
    within = abs(said.likely - came) <= 0.15 * came
    covered = said.low <= came <= said.high
    counted["asked"] += 1
    counted["spent"] += came * weight  # type: ignore[assignment]
    if said.rests_on:
        counted["told"] += 1
        counted["covered"] += covered
        counted["within15 told"] += within
    if said.forecastable:
        counted["forecastable"] += 1
        counted["within15"] += within
        counted["covered forecastable"] += covered
        counted["spent forecastable"] += came * weight  # type: ignore[assignment]


def _figures(counts: dict[str, "Counter[str]"]) -> dict[str, Any]:
    ahead = sum((each for kind, each in counts.items() if kind not in _NOWCASTS), Counter[str]())
    nowcasts = sum((each for kind, each in counts.items() if kind in _NOWCASTS), Counter[str]())
    every = ahead + nowcasts
    shares = [1 - each["spent forecastable"] / each["spent"] for each in counts.values() if each["spent"]]
    return {
        "coverage80": _share(every["covered"], every["told"]),
        "coverage80_of_forecastable": _share(every["covered forecastable"], every["forecastable"]),
        "within15_of_forecastable": _share(ahead["within15"], ahead["forecastable"]),
        "nowcast_within15": _share(nowcasts["within15"], nowcasts["forecastable"]),
        "nowcast_within15_of_all": _share(nowcasts["within15 told"], nowcasts["told"]),
        "not_forecastable_share": round(sum(shares) / len(shares), 4) if shares else None,
        "periods": every["asked"],
        "forecastable": every["forecastable"],
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def read(path: Path, prices: tuple[float, float]) -> dict[str, Scope]:
    """The scopes of a file."""
    rows: dict[str, dict[int, dict[str, str]]] = defaultdict(dict)
    with gzip.open(path, "rt") as text:
        for row in csv.DictReader(text):
            rows[row["client"]][int(row["hour"])] = row
    hours = 1 + max(max(of) for of in rows.values())
    priced = {client: all(row["in_tok"] and row["out_tok"] for row in of.values()) for client, of in rows.items()}
    amounts = {
        client: [_amount(of.get(hour), prices if priced[client] else None) for hour in range(hours)]
        for client, of in rows.items()
    }
    money = sum(sum(amounts[client]) for client in rows if priced[client])
    requests = sum(float(row["requests"] or 0) for client, of in rows.items() if priced[client] for row in of.values())
    each = money / requests if requests else 1.0
    weights = {client: 1.0 if priced[client] else each for client in rows}
    scopes = {client: Scope(series_of(amounts[client]), weights[client]) for client in rows}
    if len(rows) > 1:
        whole = [sum(amounts[client][hour] * weights[client] for client in rows) for hour in range(hours)]
        scopes[_TOGETHER] = Scope(series_of(whole), 1.0)
    return scopes


def _amount(row: dict[str, str] | None, prices: tuple[float, float] | None) -> float:
    if row is None:
        return 0.0
    if prices is None:
        return float(row["requests"] or 0)
    return (float(row["in_tok"]) * prices[0] + float(row["out_tok"]) * prices[1]) / 1e6


def _scopes(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Scope]]]:
    if options.simulated:
        for hours in (336, 720):
            made = families(options.seed, hours)
            yield f"invented_{hours}", {name: Scope(series_of(of), 1 / max(1e-9, sum(of))) for name, of in made.items()}
        return
    for path in sorted((options.data / "series").glob("*.csv.gz")):
        yield path.name.removesuffix(".csv.gz"), read(path, (options.input_price, options.output_price))


def main() -> int:
    given = parser(__doc__)
    given.add_argument("--data", type=Path, help="the folder with `series`")
    given.add_argument("--input-price", type=float, default=2.5, help="of a million tokens (default 2.5)")
    given.add_argument("--output-price", type=float, default=10.0, help="of a million tokens (default 10)")
    given.add_argument("--simulated", action="store_true", help="invented series instead of files")
    options = given.parse_args()
    if not options.simulated and options.data is None:
        given.error("--data is the folder with `series`, or say --simulated")
    every: dict[str, Counter[str]] = defaultdict(Counter)
    files: dict[str, dict[str, Any]] = {}
    for name, scopes in _scopes(options):
        hours = max(scope.series.hours for scope in scopes.values())
        say(f"{name}: {len(scopes)} scopes of {hours} hours")
        counts = measured(scopes, hours)
        files[name] = {
            **_figures(counts),
            "kinds": {kind: _figures({kind: each}) for kind, each in counts.items()},
        }
        spent = {kind: each["spent"] for kind, each in counts.items()}
        for kind, each in counts.items():  # each file weighs the same in shares of spending
            for key in ("spent", "spent forecastable"):
                each[key] /= spent[kind] or 1  # type: ignore[assignment]
            every[kind].update(each)
    result = {**_figures(every), "kinds": {kind: _figures({kind: each}) for kind, each in every.items()}}
    for path in sorted((options.data / "requests").glob("*.parquet")) if options.data else ():
        files[path.stem] = {"periods": 0, "not_forecastable": "shorter than a day"}
    return told({**result, "files": files}, bad=False)


if __name__ == "__main__":
    sys.exit(main())
