"""`fairlead bill reconcile`: a provider's own usage export against the log. Nothing is changed by it."""

from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from fairlead.cli.billing import When, records_of
from fairlead.cli.compiled import published
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, currency_of, find
from fairlead.cli.sold import sales_of
from fairlead.costs.billing.bill import within
from fairlead.costs.billing.periods import Period, day_of, period_of
from fairlead.costs.billing.reconcile import Compared, Difference, Side, calls_of, reconcile
from fairlead.costs.billing.usage_export import Line, read_export
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.report_settings import ProviderSettings
from fairlead.errors import BadInput, NotFound, closest


def reconcile_(
    file: Annotated[Path, typer.Argument(help="The export: CSV, or JSON lines.")],
    columns: Annotated[
        str, typer.Option(help="Which column is what: time=…,model=…,input=…,output=…,cost=…,id=…; a+b is a sum.")
    ] = "",
    models: Annotated[str, typer.Option(help="Their names of models and ours: THEIRS=OURS,….")] = "",
    vendor: Annotated[str, typer.Option(help="Whose export it is. Default: models in any cloud count.")] = "",
    tolerance: Annotated[
        str, typer.Option(help="Up to which share of their sum differences are no failure.", show_default="0%")
    ] = "",
    provider: Annotated[
        str, typer.Option(help="One of `bills.providers`, which says all this; options beside it come first.")
    ] = "",
    period: When = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Compare with a provider's own usage export, by request where it has our ids, else per day and model. The exit
    status is 1 where more differs than is tolerated."""
    place = find(workspace, data_folder)
    said = _declared(place, provider) if provider else ProviderSettings()
    most, renamed = _share(tolerance or said.tolerance), said.models | _pairs(models, "--models")
    lines = read_export(_read(file), said.columns.named | _pairs(columns, "--columns"))
    lines = [msgspec.structs.replace(line, model=renamed.get(line.model, line.model)) for line in lines]
    wanted = period_of(period) if period else _days_of(lines)
    inside = [line for line in lines if wanted.has(line.at)]
    named = frozenset(line.model for line in inside)
    with closing(open_store(place)) as store:
        records = within(records_of(store, wanted)(), wanted)
        compared = reconcile(calls_of(records, sales_of(place, store), vendor or said.vendor, named), inside)
    currency = currency_of(place)
    if json:
        outside = len(lines) - len(inside)
        json_data({"period": wanted.name, "currency": currency, "outside": outside, **_plain(compared)})
    else:
        _tell(compared, currency, wanted, len(lines) - len(inside))
    if compared.share > most:
        raise typer.Exit(1)


def _declared(place: Place, provider: str) -> ProviderSettings:
    with closing(open_store(place)) as store:
        known = published(place, store).settings.bills.providers
    if provider not in known:
        raise NotFound(
            f"there is no provider {provider!r} under `bills:`",
            mend=closest(provider, known) or "declare it: bills: {providers: {NAME: {columns: {time: DATE}}}}",
        )
    return known[provider]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file} cannot be read", why=str(error.strerror), mend="name the provider's export") from None


def _pairs(text: str, option: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in text.split(",") if each.strip()]
    if wrong := [each[0] for each in pairs if not each[0].strip() or not each[2].strip()]:
        raise BadInput(f"{option} has {wrong[0]!r} without a value", mend=f"{option} NAME=VALUE,NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _share(text: str) -> Decimal:
    try:
        share = Decimal(text.removesuffix("%")) / 100 if text.endswith("%") else Decimal("NaN")
    except InvalidOperation:
        share = Decimal("NaN")
    if not share.is_finite() or share < 0:
        raise BadInput(f"--tolerance is {text!r}", mend="--tolerance 0.5%")
    return share


def _days_of(lines: list[Line]) -> Period:
    """From the first day of the export to its last."""
    first, last = (day_of(pick(line.at for line in lines)) for pick in (min, max))
    return Period(first if first == last else f"{first}…{last}", period_of(first).start, period_of(last).end)


def _tell(compared: Compared, currency: str, period: Period, outside: int) -> None:
    numbers = ["our tokens", "their tokens", "our cost", "their cost", "theirs less ours"]
    table(["difference", "of", *numbers], [_row(each) for each in compared.differences], right=numbers)
    if outside:
        say(f"{outside} lines of the export lie outside of {period.name}")
    theirs = format_money(round(compared.theirs.cost), currency) if compared.theirs.priced else "no cost told"
    ours = format_money(round(compared.ours.cost), currency)
    counts = f"{compared.matched} agree, {len(compared.differences)} differ"
    say(f"by {compared.by}: {counts}; ours {ours}, theirs {theirs}, {compared.share:.4%} apart")


def _row(each: Difference) -> list[str]:
    sides = [f"{side.input:,} + {side.output:,}" for side in (each.ours, each.theirs)]
    money = [format_money(round(amount)) for amount in (each.ours.cost, each.theirs.cost, each.cost)]
    return [each.kind, each.what, *sides, *money]


def _plain(compared: Compared) -> Mapping[str, Any]:
    sums: dict[str, dict[str, Any]] = {}
    for each in compared.differences:
        found = sums.setdefault(each.kind, {"count": 0, "cost": 0})
        found["count"] += 1
        found["cost"] += round(each.cost)
    return {
        "by": compared.by,
        "agree": compared.matched,
        "share": f"{compared.share:.9f}",
        "ours": _side(compared.ours),
        "theirs": _side(compared.theirs),
        "sums": {kind: {"count": each["count"], "cost": exact_money(each["cost"])} for kind, each in sums.items()},
        "differences": [
            {
                "kind": each.kind,
                "of": each.what,
                "ours": _side(each.ours),
                "theirs": _side(each.theirs),
                "cost": exact_money(round(each.cost)),
            }
            for each in compared.differences
        ],
    }


def _side(side: Side) -> Mapping[str, Any]:
    cost = exact_money(round(side.cost)) if side.priced else None
    return {"calls": side.calls, "input": side.input, "output": side.output, "cost": cost}


def commands() -> dict[str, Any]:
    return built(reconcile_=reconcile_)
