"""`fairlead bill`: what a period came to, for people, for programs, and as FOCUS 1.2."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import typer

from fairlead.cli.later import PLAIN, group_of
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Place, Workspace, currency_of, find, settings_of
from fairlead.clock import SystemClock
from fairlead.costs.billing.bill import DIMENSIONS, bill, outermost, within
from fairlead.costs.billing.charges import Per, charges
from fairlead.costs.billing.files import csv_lines, harmless, require_duckdb, write_parquet
from fairlead.costs.billing.focus import COLUMNS, focus_rows, validated
from fairlead.costs.billing.periods import Period, month_of, period_of
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.spending import Row
from fairlead.errors import BadInput, Broken
from fairlead.storage.store import Store

Format = Literal["table", "csv", "json", "focus-csv", "focus-parquet"]
COMMANDS: Final = {"reconcile": ("reconciling", "Compare with a provider's own usage export; lists the differences.")}
SLACK: Final = 86_400_000  # rows of a period stand in the log from its beginning on, unless a clock went back
app = typer.Typer(
    cls=group_of(COMMANDS),
    **PLAIN,
    help="What a period came to, for people, for programs, and as FOCUS 1.2.",
)
When = Annotated[
    str, typer.Option("--period", help="A year, quarter, month or day: 2026, 2026-Q4, 2026-11. Default: this month.")
]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    period: When = "",
    by: Annotated[
        str,
        typer.Option(help=f"{', '.join(DIMENSIONS)}; or several, with commas.", autocompletion=lambda: [*DIMENSIONS]),
    ] = "department,model",
    format_: Annotated[str, typer.Option("--format", help=f"One of {', '.join(get_args(Format))}.")] = "table",
    per: Annotated[str, typer.Option(help="hour or run: what a row of FOCUS is about.")] = "hour",
    out: Annotated[Path | None, typer.Option(help="A file to write instead; it must not exist.")] = None,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """What a period came to, failed attempts and tools included, to the billionth: the dearest first."""
    if context.invoked_subcommand is not None:
        return
    _check(format_, per, out)
    place, wanted = find(workspace, data_folder), asked_period(period)
    with closing(open_store(place)) as store:
        if format_.startswith("focus"):
            _focus(place, store, wanted, "run" if per == "run" else "hour", format_, out)
            return
        dimensions = [name.strip() for name in by.split(",")]
        rows = bill(records_of(store, wanted), wanted, dimensions)
        names = Names(place, store) if format_ == "table" and not json and "person" in dimensions else None
        groups = [_named(row, dimensions, names) for row in rows]
    currency = currency_of(place)
    if json or format_ == "json":
        plain = [_plain(row, dimensions) for row in rows]
        whole = exact_money(sum(row.cost for row in rows))
        _put_json({"period": wanted.name, "currency": currency, "total": whole, "rows": plain}, out)
    elif format_ == "csv":
        columns = [*dimensions, *_NUMBERS, "currency"]
        cells = [_cells(row, group, dimensions, currency) for row, group in zip(rows, groups, strict=True)]
        put(csv_lines(columns, cells), out)
    else:
        _draw(rows, groups, dimensions)
        say(f"{format_money(sum(row.cost for row in rows), currency)} in all in {wanted.name}")


def asked_period(text: str) -> Period:
    """The period of this text, the current month where it is empty. Raises `BadInput`."""
    return period_of(text) if text else month_of(SystemClock().now())


def records_of(store: Store, period: Period) -> Callable[[], Iterator[bytes]]:
    """The records among which those of a period are, anew each time it is called."""
    return lambda: (row.record for row in log_of(store).since(period.start - SLACK))


def put(lines: Iterable[str], out: Path | None) -> None:
    """Write to a file that is not there yet, whole or not at all, or print."""
    if out is None:
        for line in lines:
            print(line, end="")
        return
    draft = out.with_name(f".{out.name}.part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    draft.rename(out)
    say(f"wrote {out}")


def _check(format_: str, per: str, out: Path | None) -> None:
    if format_ not in get_args(Format):
        raise BadInput(f"--format is {format_!r}", mend=f"choose from {', '.join(get_args(Format))}")
    if per not in get_args(Per):
        raise BadInput(f"--per is {per!r}", mend=f"choose from {', '.join(get_args(Per))}")
    if format_ == "table" and out is not None:
        raise BadInput("a table is only shown", mend="--format csv --out FILE")
    if out is not None and out.exists():
        raise BadInput(f"{out} exists already", why="a bill never overwrites", mend="name another file")
    if format_ == "focus-parquet":
        if out is None:
            raise BadInput("Parquet is no text", mend="--out FILE.parquet")
        require_duckdb()


def _focus(place: Place, store: Store, period: Period, per: Per, format_: str, out: Path | None) -> None:
    from fairlead.cli.sold import sales_of

    records = records_of(store, period)
    roots = outermost(records()) if per == "run" else None
    found = charges(within(records(), period), sales_of(place, store), per, roots)
    organisation = str(settings_of(place.workspace).get("organisation") or "organisation")
    rows = list(focus_rows(found, organisation, currency_of(place)))
    if wrong := validated(rows):
        raise Broken(f"the bill would not be FOCUS 1.2: {wrong[0]}", mend="report it, with this sentence")
    if format_ == "focus-parquet" and out is not None:
        write_parquet(COLUMNS, rows, out)
        say(f"wrote {out}")
    else:
        put(csv_lines(list(COLUMNS), rows), out)
    say(f"{exact_money(sum(each.cost for each in found.values()))} {currency_of(place)} in {len(rows)} rows")


_NUMBERS: Final = ("runs", "refused", "failed", "attempts", "input_tokens", "output_tokens", "cost", "unsure")


def _cells(row: Row, group: list[str], dimensions: list[str], currency: str) -> Mapping[str, str | None]:
    counts = (row.runs, row.refused, row.failed, row.attempts, row.usage.input, row.usage.output)
    numbers = [*map(str, counts), exact_money(row.cost), exact_money(row.unsure)]
    texts = {name: harmless(value) for name, value in zip(dimensions, group, strict=True)}
    return texts | dict(zip(_NUMBERS, numbers, strict=True)) | {"currency": currency}


def _named(row: Row, dimensions: list[str], names: Names | None) -> list[str]:
    return [
        names.of(value) if names is not None and name == "person" else value
        for name, value in zip(dimensions, row.group, strict=True)
    ]


def _plain(row: Row, dimensions: list[str]) -> dict[str, Any]:
    counts = {name: getattr(row, name) for name in ("runs", "done", "refused", "failed", "attempts")}
    money: Mapping[str, Any] = {"cost": exact_money(row.cost), "unsure": exact_money(row.unsure)}
    return {**dict(zip(dimensions, row.group, strict=True)), **counts, "tokens": row.usage, **money}


def _draw(rows: list[Row], groups: list[list[str]], dimensions: list[str]) -> None:
    numbers = ["runs", "attempts", "tokens in", "tokens out", "cost", "unsure"]
    lines = [
        [
            *(value or "(none)" for value in group),
            *(f"{each:,}" for each in (row.runs, row.attempts, row.usage.input, row.usage.output)),
            format_money(row.cost),
            format_money(row.unsure) if row.unsure else "",
        ]
        for row, group in zip(rows, groups, strict=True)
    ]
    table([*dimensions, *numbers], lines, right=numbers)


def _put_json(value: dict[str, Any], out: Path | None) -> None:
    if out is None:
        json_data(value)
        return
    import msgspec

    put([msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"], out)


def commands() -> dict[str, Any]:
    return {"bill": typer.main.get_command(app)}
