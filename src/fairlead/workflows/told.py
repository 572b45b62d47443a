"""A run as people and programs are told of it: plain data, the same at every door."""

from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.storage.workflow_rows import DONE, FAILED, OVER, Run
from fairlead.storage.workflow_step_rows import Result
from fairlead.workflows.forking import Plan
from fairlead.workflows.marks import is_mark
from fairlead.workflows.opened import Opened, unpacked
from fairlead.workflows.people import Asking
from fairlead.workflows.recorded import failure_in
from fairlead.workflows.resuming import changes_of
from fairlead.workflows.runs import Runs
from fairlead.workflows.unfit import not_fit
from fairlead.workflows.walk import StepResult, Waiting


def brief(run: Run, queued: str = "") -> dict[str, Any]:
    """What is known of a run without opening it. Times in milliseconds since 1970. `queued` is why it waits for a
    place."""
    return {
        "object": "workflow.run",
        "id": run.id,
        "workflow": run.workflow,
        "definition": run.definition,
        "status": run.status,
        "priority": run.priority,
        "parent": run.parent or None,
        "begun_at": run.made_at,
        "started_at": run.started_at or None,
        "ended_at": run.ended_at or None,
        "error": run.error or None,
        "not_undone": run.not_undone or None,
        "queued": queued or None,
        "secrecy": "memory" if run.unkept else "sealed",
    }


def remaining(run: Run, steps: Iterable[Result]) -> dict[str, Any]:
    """What remains of a run that was kept in memory only: that it was, what it did, and what that cost."""
    done = [_about(each) for each in steps if not is_mark(each.place)]
    return {**brief(run), "steps": done, "cost": sum(each["cost"] for each in done)}


def whole(runs: Runs, opened: Opened) -> dict[str, Any]:
    """All of it: its steps so far, what it waits for, and what came of it."""
    from fairlead.workflows.tracing.caught import caught_checks  # it walks runs, which few who ask need

    run = opened.run
    result = runs.result(opened) if run.status in OVER else None
    waits = [] if run.status in OVER else runs.waits(opened)
    asked = [wait.place for wait, _ in waits]
    unfit = not_fit(opened.results, asked, result if run.status == FAILED else None, caught_checks(opened, asked))
    steps = [_step(opened, each, unfit.get(each)) for each in opened.results if not is_mark(each)]
    told = {**brief(run), "person": opened.begun.caller.person, "input": opened.begun.input, "steps": steps}
    if (origin := opened.origin) is not None:
        told["copy"] = {"of": origin.run, "from": origin.start, "kept": origin.kept, "edited": origin.edited}
    if changed := changes_of(opened):
        told["changed"] = changed
    if run.status in OVER and (refused := _refused(steps, result if run.status == FAILED else None)):
        told["refused"] = refused
    told["cost"] = sum(each.cost for each in opened.results.values())
    if run.status in OVER:
        if result is not None:
            told["output" if run.status == DONE else "failure"] = result.get("value") if run.status == DONE else result
    else:
        told["waits"] = [_waits(wait.place, wait.asked_at, waiting) for wait, waiting in waits]
    return told


def plan(opened: Opened, plan: Plan) -> dict[str, Any]:
    """What a copy of a run comes to: by places, and nothing of what they hold."""
    return {
        "copy": {
            "of": opened.run.id,
            "from": plan.start,
            "kept": plan.kept,
            "anew": plan.anew,
            "again": [{"at": each.at, "does": each.does} for each in plan.again],
            "asked_again": plan.asked_again,
            "edited": plan.edited,
        }
    }


def question(asking: Asking) -> dict[str, Any]:
    """A question of a run, for whoever may answer it."""
    run = asking.opened.run
    about = {"run": run.id, "workflow": run.workflow, "person": asking.asker.person}
    return {**about, **_waits(asking.wait.place, asking.wait.asked_at, asking.waiting)}


def _refused(steps: Iterable[Mapping[str, Any]], failure: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What was refused and the run went on without, as an agent does that may not call a tool: what it gave in the end
    lacks that, and need not say so."""
    ended = None if failure is None else failure.get("at")
    met = [each for each in steps if "error" in each and each["error"]["kind"] == "refused" and each["at"] != ended]
    return [{"at": each["at"], "code": each["error"]["code"], "message": each["error"]["message"]} for each in met]


def _waits(place: str, at: int, waiting: Waiting) -> dict[str, Any]:
    return {
        "at": place,
        "for": waiting.kind,
        "asked_at": at,
        "until": waiting.until,
        "role": waiting.role or None,
        "ask": waiting.ask or None,
        "show": waiting.show,
        "answer": waiting.answer or None,
        "quorum": waiting.quorum,
        "signal": waiting.signal or None,
        "approval": waiting.id if waiting.kind == "call" else None,
    }


def _about(row: Result) -> dict[str, Any]:
    return {"at": row.place, "status": row.status, "run": row.action or None, "cost": row.cost, "ended_at": row.at}


def _step(opened: Opened, place: str, unfit: Mapping[str, Any] | None) -> dict[str, Any]:
    row = opened.results[place]
    about = _about(row)
    plain = opened.key.open(place, row.sealed)
    if row.status == "failed":
        failed = failure_in(plain)
        return {
            **about,
            "error": {"kind": failed.kind, "code": failed.code, "message": failed.message, "mend": failed.mend},
        }
    told = {**about, "value": unpacked(plain, StepResult).value}
    return told if unfit is None else {**told, "status": "failed", "error": unfit}
