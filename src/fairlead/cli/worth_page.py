"""What AI came to and what it saved, as a page of HTML for who pays for it."""

from typing import Final

from fairlead.cli.charts import band, columns
from fairlead.cli.foretold import Said
from fairlead.cli.page import Markup, Piece, figures, grade, joined, name, page, table, tag
from fairlead.cli.when import shown
from fairlead.cli.worth_facts import Report, not_known
from fairlead.costs.billing.periods import day_of
from fairlead.costs.leaving import Done, Leaving
from fairlead.costs.money import format_money
from fairlead.costs.value import Interval, Worth, by_hand
from fairlead.workspace.mentions import for_another

_NOBODY: Final = "nobody yet"


def worth_page(report: Report) -> str:
    """The report as one page."""
    return page(
        f"Value of AI, {report.period.name}",
        report.organisation,
        (_basis(report), _hero(report)),
        _by_task(report),
        _steps(report),
        _weeks(report),
        _forecast(report),
        _leaving(report),
        _unknown(report),
        _again(report),
    )


def _basis(report: Report) -> Markup:
    until = f"{day_of(report.period.end - 1)}" if report.over else f"{shown(report.now)[:16]} UTC, not over yet"
    return tag(
        "p",
        f"From {day_of(report.period.start)} to {until}. Amounts are in {report.currency}. What stands in brackets is "
        "the interval that holds in four of five cases.",
        class_="note",
    )


def _hero(report: Report) -> Markup:
    lines, saving = report.value.lines, report.value.saving
    begun = sum(line.begun for line in lines)
    straight = sum(line.straight * line.begun for line in lines) / begun if begun else 0.0
    known = [(_money(round(saving.value)), "net saving"), (_span(saving), "between which it lies")] if saving else []
    found = [
        *known,
        (_money(report.billed), "billed"),
        (f"{sum(line.volume for line in lines):,}", "pieces of work done"),
        *([(f"{straight:.0%}", "straight through")] if begun else []),
    ]
    return tag("div", figures(found), class_="hero")


def _by_task(report: Report) -> Markup:
    if not report.value.lines:
        return tag("section", tag("h2", "Kinds of work"), tag("p", "Nothing was done in this period."))
    numbers = ("volume", "cost", "cost of one", "by hand", "time, median", "time, 90 %", "straight through", "quality",
               "net saving")  # fmt: skip
    return tag(
        "section",
        tag("h2", "Kinds of work"),
        tag(
            "p",
            "One piece of work is the outermost run, or workflow, with its tools, failed attempts and judges. Straight "
            "through is what no person had a hand in and nobody judged wrong: only that saves the manual way.",
            class_="note",
        ),
        table("What each kind of work came to", ("kind of work", *numbers), [_task(of, report) for of in
              report.value.lines], numbers=numbers),
    )  # fmt: skip


def _task(line: Worth, report: Report) -> tuple[Piece, ...]:
    baseline, quality = report.baselines.get(line.task), line.quality
    return (
        name(line.task, "(none)"),
        f"{line.volume:,}",
        _money(line.cost),
        _money(round(line.cost_each)),
        _money(by_hand(baseline)) if baseline else "not declared",
        f"{line.cycle_median / 1000:,.1f} s",
        f"{line.cycle_p90 / 1000:,.1f} s",
        _pill(line.straight),
        joined((f"{quality.value:.2f}", _below(f"({quality.low:.2f} to {quality.high:.2f}), {line.judged:,} judged")))
        if quality
        else "not judged",
        joined((_money(round(line.saving.value)), _below(f"({_span(line.saving)})"))) if line.saving else "not known",
    )


def _steps(report: Report) -> Markup:
    rows = [
        (name(line.task, "(none)"), name(step.what, "(none)"), f"{step.times / line.begun:,.2f}", _money(step.cost),
         f"{step.cost / line.cost:.0%}" if line.cost else "")
        for line in report.value.lines
        for step in line.steps
        if len(line.steps) > 1
    ]  # fmt: skip
    if not rows:
        return tag("section")
    heads = ("kind of work", "step", "times in one", "cost", "of its cost")
    return tag(
        "section",
        tag("h2", "Steps of workflows"),
        table("What is done within each kind of work", heads, rows, numbers=heads[2:]),
    )


def _weeks(report: Report) -> Markup:
    if not report.weeks:
        return tag("section")
    days = [day_of(week.begin) for week in report.weeks]
    rows = [
        (day, _money(week.cost), "" if week.over else "not over yet")
        for day, week in zip(days, report.weeks, strict=True)
    ]
    numbers = table("Cost of each week", ("week from", "cost", ""), rows, numbers=("cost",))
    return tag(
        "section",
        tag("h2", "Cost of each week"),
        tag("p", "Weeks begin on Monday, UTC. Paler: outside of the period, or not over yet.", class_="note"),
        columns(report.weeks, [day[5:] for day in days]),
        tag("details", tag("summary", "The numbers"), numbers),
    )


def _forecast(report: Report) -> Markup:
    title = tag("h2", "By the end of the period")
    if not report.foretold:
        said = "The period is over: nothing is left to forecast." if report.over else "Nothing has been spent yet."
        return tag("section", title, tag("p", said))
    top = max(each.forecast.high for each in report.foretold) or 1.0
    numbers = ("spent so far", "likely", "interval", "earlier ones within 15 %", "within their interval")
    return tag(
        "section",
        title,
        tag("p", f"What will have been spent by {day_of(report.period.end)}. Where that cannot be said within 15 %, it "
            "is not: the interval holds all the same.", class_="note"),
        table("Forecasts, and how good earlier ones were", ("of", "", *numbers), [_said(each, top) for each in
              report.foretold], numbers=numbers),
    )  # fmt: skip


def _said(said: Said, top: float) -> tuple[Piece, ...]:
    made, past = said.forecast, said.forecast.accuracy
    known = bool(made.rests_on)
    return (
        name(said.scope),
        band(made, top) if known else None,
        _money(round(made.spent)),
        _money(round(made.likely)) if made.forecastable else tag("span", "not forecastable", class_="pill some"),
        f"{_money(round(made.low))} to {_money(round(made.high))}" if known else made.reason,
        f"{past.within:.0%} of {past.looked}" if past.looked else "none yet",
        f"{past.covered:.0%}" if past.looked else "",
    )


def _leaving(report: Report) -> Markup:
    title = tag("h2", "What leaving each vendor would take")
    if not report.exits:
        return tag("section", title, tag("p", "No vendor's model did any of it: there is nobody to leave."))
    heads = ("vendor", "kind of work", "share of it", "its models", "to change", "others that did it", "difference")
    return tag(
        "section",
        title,
        tag("p", "Clients name no vendor, so they go on as they are. To change are the lines of the workspace that say "
            "what a model stands for, and those that name the vendor. The difference is what the period's replies "
            "would have cost at the price of one that the cheapest of the others had.", class_="note"),
        table("What rests on whom", heads, [_exit(each, report) for each in report.exits],
              numbers=("share of it", "difference")),
    )  # fmt: skip


def _exit(each: Leaving, report: Report) -> tuple[Piece, ...]:
    return (
        name(each.vendor),
        name(each.task, "(none)"),
        f"{each.share:.0%}",
        tag("ul", *(_model(of, each.theirs if len(each.models) == 1 else None) for of in each.models), class_="plain"),
        _changes(each, report),
        tag("ul", *(_model(*of) for of in each.others.items()), class_="plain") if each.others else _NOBODY,
        "not known" if each.more is None else ("+" if each.more > 0 else "") + _money(each.more),
    )


def _model(model: str, done: Done | None) -> Markup:
    if done is None:
        return tag("li", name(model))
    quality = "" if done.quality is None else f", quality {done.quality:.2f} of {done.judged:,}"
    words = f"{done.replies:,} at {_money(done.cost_each)} each{quality}"
    return tag("li", name(model), _below(words))


def _changes(each: Leaving, report: Report) -> Markup:
    change, stay = for_another(report.named, each.models, each.vendor)
    lines = [tag("li", tag("code", name(place))) for place in change]
    words = f"{len(stay)} other places name the models alone, and stay" if stay else "nothing else names them"
    return tag("ul", *lines, tag("li", _below(words)), class_="plain")


def _unknown(report: Report) -> Markup:
    return tag("section", tag("h2", "What is not known"), tag("ul", *(tag("li", each) for each in not_known(report))))


def _again(report: Report) -> Markup:
    period = report.period.name
    rows: list[tuple[Piece, ...]] = [
        ("Nothing in the log was changed", "each record hashes into the root below", _code("fairlead audit verify")),
        ("Everything on this page", "the same log and outcomes give the same figures",
         _code(f"fairlead value --period {period} --json")),
        ("Cost", "sum of `cost` over all records of the period; those of one workflow together",
         _code(f"fairlead bill --period {period} --by task,work --format csv")),
        ("Volume and time", "outermost runs whose reply was done; from when the first action began to when the last "
         "record was made", _code("fairlead audit export FILE")),
        ("Straight through", "no approval, nothing refused or failed, no score below 0.5", _code("fairlead trace RUN")),
        ("Quality", "records of kind outcome: the mean of their scores by weight, run by run",
         _code("fairlead audit export FILE")),
        ("Net saving", "minutes × rate / 60 of each that went straight through, less the cost of all; the interval is "
         "a bootstrap of 1,000 draws that follow from the data", _code(f"fairlead value --period {period} --json")),
        ("Forecast", "the methods that were best on the hours of the last 90 days", _code("fairlead forecast --json")),
    ]  # fmt: skip
    return tag(
        "section",
        tag("h2", "How each figure is made again"),
        table("From the audit log", ("figure", "rule", "command"), rows),
        tag("p", f"Made {shown(report.now)} UTC from {report.size:,} records under the root ", _code(report.root), ".",
            class_="note"),
    )  # fmt: skip


def _code(text: str) -> Markup:
    return tag("code", text)


def _below(words: str) -> Markup:
    return tag("span", words, class_="kind")


def _pill(share: float) -> Markup:
    return tag("span", f"{share:.0%}", class_=f"pill {grade(round(100 * share))}")


def _money(nano: int) -> str:
    return format_money(nano)


def _span(interval: Interval) -> str:
    return f"{_money(round(interval.low))} to {_money(round(interval.high))}"
