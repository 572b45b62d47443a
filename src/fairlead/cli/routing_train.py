"""`fairlead routing train`, `predictors` and `use`: what was learnt from outcomes, and which of it decides."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import typer

from fairlead.cli.announcing import tell
from fairlead.cli.compiled import published
from fairlead.cli.later import built
from fairlead.cli.opening import fleet_of, log_of, open_store, open_vault
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Data, Workspace, find, user
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.costs.money import format_money
from fairlead.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.cli.place import Place
    from fairlead.routing.learned import Predictor
    from fairlead.routing.learned.off_policy import Verdict
    from fairlead.storage.store import Store
    from fairlead.workspace.compile import Workspace as Compiled
    from fairlead.workspace.retraining import Report

_STILL_OUT = 1


def train(
    since: Annotated[str, typer.Option(help="From when outcomes count, as `30d` or a day.")] = "30d",
    half_life: Annotated[
        float | None, typer.Option(min=0.1, help="Days after which an outcome counts half.", show_default="never")
    ] = None,
    if_better: Annotated[
        bool,
        typer.Option("--if-better", help="Let it decide only where recorded choices show that it surely is better."),
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Learn from recorded outcomes what each model may be expected to do, and let that decide. Earlier ones are kept.

    Trained here, never in a worker; the workers take it up without a restart. Where looking at prompts gains nothing on
    prompts that were left out, only the kind of work counts, and that is said.

    Examples:

        fairlead routing train --dry-run

        fairlead routing train --since 90d --half-life 30

        fairlead routing train --if-better
    """
    from fairlead.workspace.predicting import kept_as, put_in_force

    place, clock = find(workspace, data_folder), SystemClock()
    start = moment_ago(since, "--since", clock.now())
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        learnt = _learn(place, store, compiled, start, half_life)
        report, seen, decides = learnt.report, None, not dry_run and (learnt.verdict.replaces or not if_better)
        if decides:
            by = f"os:{user()}"
            new = kept_as(learnt.predictor, clock.now(), by, msgspec.json.encode(report))
            seen = put_in_force(store, fleet_of(store), clock, report.version, by=by, new=new)
    if json:
        json_data(_as_data(learnt) | {"in_force": decides})
    else:
        _tell_learnt(learnt, compiled.settings.budgets.currency)
        say(f"{report.version} decides from here on" if decides else "nothing was kept" + ": a dry run" * dry_run)
    if seen is not None:
        tell(seen)
        if seen.missing:
            raise typer.Exit(_STILL_OUT)


class _Learnt(NamedTuple):
    """What was trained, whether it is better than what decides, and whose judged outcomes were left out and why."""

    predictor: "Predictor"
    report: "Report"
    verdict: "Verdict"
    suspects: "Mapping[tuple[str, str], str]"


def _learn(place: "Place", store: "Store", compiled: "Compiled", start: int, half_life: float | None) -> _Learnt:
    from fairlead.learning.renewal import may_decide
    from fairlead.routing.learned.training import Training
    from fairlead.routing.learned.training import train as trained
    from fairlead.workspace.outcomes_known import observations, trusted_since
    from fairlead.workspace.predicting import load_latest
    from fairlead.workspace.retraining import compared

    vault = open_vault(place, store)
    teaching = trusted_since(store, start, compiled.settings.outcomes.feedback.caller_share)
    known, of_prompts = observations(store, vault, compiled.models.models, teaching.outcomes)
    if not known:
        raise BadInput(
            f"there is no outcome since {shown(start)}",
            why="routing learns from what people and checks say of runs",
            mend="send some to POST /v1/feedback, or name a longer time: fairlead routing train --since 90d",
        )
    predictor = trained(known, Training(half_life=half_life, now=SystemClock().now()))
    records = [record_of(row) for row in log_of(store).since(start)]
    report = compared(records, predictor, known, of_prompts)
    looks = {one.group: one.features for one in known}
    verdict = may_decide(predictor, load_latest(store), records, teaching.outcomes, looks)
    return _Learnt(predictor, report, verdict, teaching.suspects)


def _as_data(learnt: _Learnt) -> dict[str, Any]:
    suspects = [{"task": task, "model": model, "why": why} for (task, model), why in learnt.suspects.items()]
    better = {"better": learnt.verdict.replaces, "verdict": learnt.verdict.why, "suspects": suspects}
    report: dict[str, Any] = msgspec.to_builtins(learnt.report)
    return report | better


def _tell_learnt(learnt: _Learnt, currency: str) -> None:
    _tell(learnt.report, currency)
    for (task, model), why in learnt.suspects.items():
        say(f"what a judge says of {model} on {task} was left out: {why}")
    say(f"beside what decides now: {learnt.verdict.why}")


def _tell(report: "Report", currency: str) -> None:
    data(f"{report.version}  {report.kind}: {report.why}")
    data(f"{report.outcomes} outcomes of {report.prompts} prompts, {report.of_prompts} with their text")
    table(
        ["task", "model", "outcomes", "score"],
        [[each.task, each.model, str(each.outcomes), f"{each.score:.3f}"] for each in report.means],
        right=["outcomes", "score"],
    )
    say(
        f"of {report.replayed} recorded choices {report.moved} would go to another model; expected cost "
        f"{format_money(report.cost_then)} then, {format_money(report.cost_now, currency)} now"
    )


def predictors(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """What was learnt so far, the newest first, and which of it decides.

    Example:

        fairlead routing predictors --json
    """
    with closing(open_store(find(workspace, data_folder))) as store:
        found = _kept(store)
    if json:
        json_data(found)
        return
    if not found:
        say("nothing was learnt yet: fairlead routing train")
        return
    table(
        ["", "version", "kind", "trained", "by", "outcomes", "why"],
        [
            [
                "decides" if each["in_force"] else "",
                each["version"],
                each["kind"],
                shown(each["at"]),
                each["by"],
                str(each["outcomes"]),
                each["why"],
            ]
            for each in found
        ],
        right=["outcomes"],
    )


def _kept(store: "Store") -> list[dict[str, Any]]:
    from fairlead.storage.predictor_rows import every, in_force

    with store.reading() as connection:
        current, kept = in_force(connection), every(connection)
    found = []
    for each in kept:
        report = msgspec.json.decode(each.report or b"{}")
        about = {"outcomes": report.get("outcomes", 0), "why": report.get("why", "")}
        row = {"version": each.version, "kind": each.kind, "at": each.at, "by": each.trained_by, **about}
        found.append(row | {"in_force": each.version == current})
    return found


def _versions(incomplete: str) -> list[str]:
    from fairlead.errors import FairleadError

    try:
        with closing(open_store(find(None))) as store:
            known = [str(each["version"]) for each in _kept(store)]
    except FairleadError:
        return []
    return [name for name in (*known, "none") if name.startswith(incomplete)]


def use(
    version: Annotated[
        str, typer.Argument(help="A version, or `none` for the declared order.", autocompletion=_versions)
    ],
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let an earlier predictor decide again, or none. The workers take it up without a restart.

    Example:

    fairlead routing use 3f2a9c01d4e5b677
    """
    from fairlead.workspace.predicting import load, put_in_force

    place, clock = find(workspace, data_folder), SystemClock()
    with closing(open_store(place)) as store:
        wanted = "" if version == "none" else load(store, version).version
        if dry_run:
            say(f"would let {version} decide")
            return
        seen = put_in_force(store, fleet_of(store), clock, wanted, by=f"os:{user()}", new=None)
    tell(seen)
    if json:
        json_data({"version": wanted, **msgspec.structs.asdict(seen)})
    else:
        say(f"{version} decides from here on")
    if seen.missing:
        raise typer.Exit(_STILL_OUT)


def commands() -> dict[str, Any]:
    return built(train=train, predictors=predictors, use=use)
