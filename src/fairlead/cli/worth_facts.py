"""What `fairlead value` tells of a period, gathered from the log, the outcomes and the workspace in force."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.cli.billing import SLACK, records_of
from fairlead.cli.compiled import published, published_revision
from fairlead.cli.drivers import Numbers, drivers_of
from fairlead.cli.foretold import HOUR, READ, Asked, Said, said_of
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.place import Place
from fairlead.cli.records import record_of
from fairlead.cli.sold import sales_of
from fairlead.clock import SystemClock
from fairlead.costs.billing.bill import outermost
from fairlead.costs.billing.charges import Sales
from fairlead.costs.billing.periods import Period, day_of
from fairlead.costs.forecasting import Series, series_by_scope
from fairlead.costs.leaving import Leaving, leaving
from fairlead.costs.record import Record
from fairlead.costs.report_settings import BaselineSettings
from fairlead.costs.value import Value, value
from fairlead.costs.workflow_runs import KINDS, workflow_runs
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace as Compiled

_WEEK: Final = 168 * HOUR
_MONDAY: Final = 72 * HOUR  # 1970 began on a Thursday
_WEEKS: Final = 13
_FORETOLD: Final = 12  # task types


class Week(Struct, frozen=True):
    """What an ISO week came to. It is `inside` where some of it belongs to the period, and may not be `over` yet."""

    begin: int
    cost: int
    inside: bool
    over: bool


class Report(Struct, frozen=True, kw_only=True):
    """The whole of it. Money is in nano-units, moments are in milliseconds since 1970.

    `billed` is what the period came to, `unsure` what of that is a worst case or an own count. `named` has the places
    of the workspace that name a model or a vendor. The log had `size` records under `root`, the first from `log_from`.
    """

    organisation: str
    currency: str
    period: Period
    now: int
    value: Value
    baselines: Mapping[str, BaselineSettings]
    exits: tuple[Leaving, ...]
    named: Mapping[str, tuple[str, ...]]
    weeks: tuple[Week, ...]
    foretold: tuple[Said, ...]
    billed: int
    unsure: int
    size: int
    root: str
    log_from: int

    @property
    def over(self) -> bool:
        """Whether the period has ended."""
        return self.period.end <= self.now


def gathered(place: Place, period: Period, key: str = "", with_forecast: bool = True) -> Report:
    """Reads the log three times: what belongs to what, what was done, and what each hour came to. `key` is whose rights
    drivers of forecasts are read under."""
    from fairlead.workspace.outcomes_known import scores_since

    now = SystemClock().now()
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        log = log_of(store)
        with log.at_one_moment() as moment:
            head = moment.head()
        first = next(log.since(0), None)
        roots = outermost(records_of(store, period)())
        rows = list(_rows(store, period))
        scores = scores_since(store, period.start)
        exits = leaving((record for record, _ in rows), _vendors(rows, compiled, sales_of(place, store)), scores)
        series = series_by_scope((row.record for row in log.since(_read_from(period, now))), now)
        named = _named(place, store, {model for each in exits for model in each.models}, {e.vendor for e in exits})
        runs = workflow_runs(record for record, _ in rows)
        valued = value(rows, roots, scores, compiled.settings.value.baselines, runs)
        scopes = _scopes(valued, series) if with_forecast and period.has(now) else []
        numbers = drivers_of(place, store, compiled.settings.forecast.drivers, scopes, key)
    return Report(
        organisation=compiled.organisation,
        currency=compiled.settings.budgets.currency,
        period=period,
        now=now,
        value=valued,
        baselines=compiled.settings.value.baselines,
        exits=tuple(exits),
        named=named,
        weeks=tuple(_weeks(series.get("organisation"), period, now)),
        foretold=tuple(_foretold({scope: series[scope] for scope in scopes}, period, now, numbers)),
        billed=sum(record.cost for record, _ in rows),
        unsure=sum(record.cost for record, _ in rows if _is_unsure(record)),
        size=head.size,
        root=head.root().hex(),
        log_from=first.at if first else 0,
    )


def not_known(report: Report) -> list[str]:
    """What stands behind the figures and cannot be told from the log, in whole sentences."""
    return [*_of_time(report), *_of_work(report), *_of_money(report), *_of_leaving(report)]


def _rows(store: Store, period: Period) -> Iterator[tuple[Record, int]]:
    for row in log_of(store).since(period.start - SLACK):
        record = record_of(row)
        if period.has(record.at) or (record.kind in KINDS and record.at >= period.end):
            yield record, row.at


def _is_unsure(record: Record) -> bool:
    return "reconcile" in record.flags or (record.usage is not None and record.usage.estimated)


def _vendors(rows: list[tuple[Record, int]], compiled: "Compiled", sales: Sales) -> dict[str, str]:
    """By model, of today's workspace; of a model that is gone, as the revision had it under which it answered."""
    known = {name: model.placement.vendor for name, model in compiled.models.models.items()}
    for record, _ in rows:
        if record.model and record.model not in known:
            known[record.model] = sales(record.revision, record.model).vendor
    return known


def _monday(at: int) -> int:
    return at - (at + _MONDAY) % _WEEK


def _first_week(period: Period, now: int) -> int:
    last = _monday(min(now, period.end - 1))
    return min(_monday(period.start), last - (_WEEKS - 1) * _WEEK)


def _read_from(period: Period, now: int) -> int:
    return max(0, min(now - READ, _first_week(period, now), period.start - SLACK))


def _weeks(series: Series | None, period: Period, now: int) -> Iterator[Week]:
    if series is None:
        return
    begin = max(_first_week(period, now), _monday(series.start * HOUR))
    for at in range(begin, min(now, period.end - 1) + 1, _WEEK):
        hours = (at // HOUR - series.start, (at + _WEEK) // HOUR - series.start)
        inside = at + _WEEK > period.start
        yield Week(at, round(series.between(*hours)), inside, at + _WEEK <= now)


def _scopes(valued: Value, series: Mapping[str, Series]) -> list[str]:
    """What is forecast: the whole, and the task types with the most work."""
    scopes = ["organisation", *(f"task/{line.task}" for line in valued.lines[:_FORETOLD] if line.task)]
    return [scope for scope in scopes if scope in series]


def _foretold(series: Mapping[str, Series], period: Period, now: int, numbers: Mapping[str, Numbers]) -> Iterator[Said]:
    asked = Asked(period.name, now // HOUR, period.start // HOUR, period.end // HOUR)
    for scope, of in series.items():
        yield said_of(scope, of, asked, numbers.get(scope))


def _named(place: Place, store: Store, models: set[str], vendors: set[str]) -> Mapping[str, tuple[str, ...]]:
    from fairlead.workspace.load import read_folder
    from fairlead.workspace.mentions import mentions, names_of
    from fairlead.workspace.published import load_revision

    revision = published_revision(store)
    text = load_revision(store, revision, with_pages=False).text if revision else read_folder(place.workspace)
    return mentions(text, names_of(models) | vendors)


def _of_time(report: Report) -> Iterator[str]:
    if not report.over:
        yield f"The period is not over: it ends on {day_of(report.period.end)}, and its figures are those of today."
    if report.log_from > report.period.start:
        yield f"The log begins on {day_of(report.log_from)}: nothing is known before."
    yield "Judgements that arrive later, and answers to approvals, change quality and savings of a period that is over."


def _of_work(report: Report) -> Iterator[str]:
    lines = report.value.lines
    done, judged = sum(line.volume for line in lines), sum(line.judged for line in lines)
    if judged < done:
        yield f"{done - judged:,} of {done:,} pieces of work were judged by nobody; for the saving they count as right."
    if bare := [line.task or "(none)" for line in lines if line.task not in report.baselines]:
        yield f"No manual way is declared for {_some(bare)}: nothing is said of what they save."
    if report.baselines:
        yield "What the manual way costs is what the workspace declares. Nobody has measured it here."
    if any(not line.task for line in lines):
        yield "Some work named no task type and was like none: it stands under (none)."
    yield "People's time for looking answers over, and what setting up and running Fairlead costs, are in no figure."


def _of_money(report: Report) -> Iterator[str]:
    if report.unsure:
        share = report.unsure / report.billed if report.billed else 0
        yield f"{share:.1%} of the cost is a worst case or rests on an own count of tokens: compare it with the bill."
    if left := report.billed - sum(line.cost for line in report.value.lines):
        yield f"{left / report.billed:.1%} of what was billed belongs to no kind of work."
    for said in report.foretold:
        if said.forecast.reason:
            yield f"{said.scope} is not forecastable: {said.forecast.reason}."
    yield "Cost is what the ledger billed: taxes, discounts and commitments stand in the provider's bill only."


def _of_leaving(report: Report) -> Iterator[str]:
    if alone := [f"{each.task or '(none)'} ({each.vendor})" for each in report.exits if not each.others]:
        yield f"Whether anybody else could do {_some(alone)} is not known: nobody else has, in this period."
    if report.exits:
        yield "Prompts that were written for one model, contracts and notice periods are not looked at."


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
