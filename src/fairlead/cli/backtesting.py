"""`fairlead backtest`: recorded work under a revision that is not published yet, and what would come out otherwise."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from fairlead.cli.later import built
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import Json, data, progress, say, table
from fairlead.cli.people import Names
from fairlead.cli.place import Data, Place, Workspace, currency_of, find, secrets
from fairlead.cli.when import moment_ago
from fairlead.cli.when import shown as moment
from fairlead.clock import SystemClock
from fairlead.costs.money import exact_money, format_money

if TYPE_CHECKING:
    from fairlead.storage.store import Store
    from fairlead.workspace.backtest_report import Report
    from fairlead.workspace.backtesting import Differs

_EXAMPLES: Final = 3  # of each kind of difference


def backtest(
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            help="What is to be in force instead: a file of policies or rules, or a folder of them, each in place of "
            "the published one of its name; or a whole workspace's folder.",
            show_default="this workspace's folder as it lies",
        ),
    ] = None,
    since: Annotated[str, typer.Option(help="From when, as `7d`, `12h` or a day.")] = "7d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Decide recorded work anew under a changed revision, and list every decision that would differ. Changes nothing.

    Each governed action since then is decided by what its record has and what was kept of it: calls of models and
    tools, approvals, what is taken out, replies, caps, starts of workflows and copies. What cannot be decided again is
    counted as that.
    With `--json` each difference is a line, and the last line sums up. Status 1 where anything would differ.

    Examples:

        fairlead backtest --policy policies/desk.cedar --since 7d

        fairlead backtest --policy ../acme-next --since 2026-11-01 --json
    """
    place = find(workspace, data_folder)
    with closing(open_store(place)) as store:
        names = Names(place, store)
        report = _gone_through(place, store, policy, since, names if json else None)
    if json:
        print(msgspec.json.encode({"summary": _summary(report)}).decode())
    else:
        _tell(report, names, currency_of(place))
    if report.differing:
        raise typer.Exit(1)


def _gone_through(place: Place, store: "Store", policy: Path | None, since: str, tell: Names | None) -> "Report":
    """The report, with each difference printed as it is found where somebody wants it told (`tell`)."""
    from fairlead.workspace.backtest_report import Report, backtested, changed_text

    clock, report = SystemClock(), Report()
    start = moment_ago(since, "--since", clock.now())
    text = changed_text(store, clock, policy or place.workspace)
    vault, reveal = open_vault(place, store), secrets(place.workspace)
    with progress("records", 0) as done:
        for found in backtested(store, vault, text, start, reveal, clock, report, done):
            if tell is not None:
                print(msgspec.json.encode({"differs": _data(found, tell)}).decode())
    return report


def _data(found: "Differs", names: Names) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain | {
        "person": names.of(found.person),
        "rules": [{"id": rule, "what": what} for rule, what in found.rules],
        "cost": exact_money(found.cost),
    }


def _summary(report: "Report") -> dict[str, Any]:
    return {
        "actions": report.actions,
        "decisions": report.decisions,
        "same": report.same,
        "differing": report.differing,
        "undecided": report.undecided,
        "not_decided": [{"why": why, "count": count} for why, count in report.undecided_by.most_common()],
        "would_be": [
            {"what": what, "was": was, "would_be": now, "count": count}
            for (what, was, now), count in report.kinds.most_common()
        ],
        "persons": len(report.persons),
        "agents": sorted(each for each in report.agents if each),
        "not_spent": exact_money(report.not_spent),
        "tools_not_called": report.tools_not_called,
        "runs": [
            {"run": run, "at": first.step, "what": first.what, "was": first.was, "would_be": first.would_be}
            for run, first in report.runs.items()
        ],
    }


def _tell(report: "Report", names: Names, currency: str) -> None:
    counts = f"{report.same} the same, {report.differing} would differ, {report.undecided} cannot be decided again"
    data(f"{report.actions} actions, {report.decisions} decisions: {counts}")
    for line in _differences(report, names):
        data(line)
    if report.undecided:
        rows = [[why, str(count)] for why, count in report.undecided_by.most_common()]
        table(["not decided", "count"], rows, right=["count"])
    if report.differing:
        say(f"{len(report.persons)} persons affected; {report.tools_not_called} calls of tools would not be made, and "
            f"{format_money(report.not_spent, currency)} not be spent")  # fmt: skip
    for run, first in list(report.runs.items())[:_EXAMPLES]:
        data(f"run {run} would differ first at {first.step}: {first.was} → {first.would_be}")


def _differences(report: "Report", names: Names) -> Iterator[str]:
    for (what, was, now), count in report.kinds.most_common():
        rules = Counter(rule for each in report.examples[what, was, now] for rule in each.rules)
        yield f"{count} × {what}: {was} → {now}"
        for (rule, became), _ in rules.most_common(_EXAMPLES):
            yield f"    {rule} ({became})"
        for each in report.examples[what, was, now][:_EXAMPLES]:
            yield f"    {moment(each.at)}  {each.run}  {names.of(each.person)}  {each.subject}"


def commands() -> dict[str, Any]:
    return built(backtest=backtest)
