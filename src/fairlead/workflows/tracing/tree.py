"""A run as people and programs are shown it: its steps as a tree, with what each did, and why it failed."""

from typing import Any, Final

from fairlead.workflows.tracing.attributing import Attribution
from fairlead.workflows.tracing.facts import Facts
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.replaying import Passed, Rerun
from fairlead.workflows.tracing.slicing import Origins
from fairlead.workflows.tracing.suspects import Suspect
from fairlead.workflows.walk import UNDO, Place

_RETRIED: Final = ("model_error", "tool_error", "policy", "policy_change", "budget", "time")


def shown(run: Rerun, facts: Facts, found: Attribution | None) -> dict[str, Any]:
    """All of it, as plain data. Times in milliseconds since 1970, money in nano-units."""
    opened = run.opened
    return {
        "run": opened.run.id,
        "workflow": opened.run.workflow,
        "status": opened.run.status,
        "begun_at": opened.run.made_at,
        "ended_at": opened.run.ended_at or None,
        "input": opened.begun.input,
        "cost": sum(each.cost for each in run.met.values()),
        "same": run.same,
        "steps": _steps(run, facts),
        "waits": list(run.waits) if run.end == "open" else [],
        "attribution": None if found is None else attribution_data(found),
        "mend": [] if found is None else mends(run, found),
    }


def attribution_data(found: Attribution) -> dict[str, Any]:
    """An attribution as plain data."""
    return {
        **_suspect(found.root),
        "proven": found.proven,
        "surfaced": found.surfaced,
        "message": found.message,
        "chain": [
            {"step": each.step, "at": each.place, "kind": each.kind, "took": each.took or None, "value": each.value}
            for each in found.root.chain
        ],
        "others": [_suspect(each) for each in found.others],
    }


def origins_data(found: Origins) -> dict[str, Any]:
    """Where a value came from, as plain data: the chain of each source goes from the value back to it."""
    return {
        "name": found.name,
        "value": found.value,
        "sources": [
            {
                **_suspect(each.found),
                "what": each.what,
                "run": each.run or None,
                "chain": [
                    {"at": link.place, "kind": link.kind, "took": link.took, "value": link.value,
                     "model": found.models.get(link.place)}
                    for link in reversed(each.found.chain)
                ],
            }
            for each in found.sources
        ],
    }  # fmt: skip


def _suspect(each: Suspect) -> dict[str, Any]:
    return {
        "cause": each.cause,
        "step": each.step,
        "at": each.place,
        "model": each.model or None,
        "tool": each.tool or None,
        "input": each.input or None,
        "value": each.value,
        "why": each.why,
        "weight": each.weight,
    }


def mends(run: Rerun, found: Attribution) -> list[str]:
    """The commands by which a failed run goes on."""
    id_, root = run.opened.run.id, found.root
    commands = []
    undone = any(UNDO in each.at.path for each in run.met.values())
    failed = any(each.failed is not None for each in run.met.values())
    if failed and not undone and root.cause in _RETRIED:
        commands.append(f"fairlead workflow retry {id_}")
    first = _outermost(run, root.place or found.surfaced)
    if first is None:
        commands.append(f"fairlead workflow fork {id_} --input '{{…}}'")
        return commands
    step = first.compiled.step
    if root.cause == "input":
        commands.append(f"fairlead workflow fork {id_} --from {step.id} --input '{{…}}'")
    elif root.cause in ("model_error", "hallucinated_value") and step.kind in ("model", "agent"):
        commands.append(f"fairlead workflow fork {id_} --from {step.id} --model {step.id}=NAME")
    else:
        commands.append(f"fairlead workflow fork {id_} --from {step.id}")
    if first.result is not None:
        commands.append(f"fairlead workflow fork {id_} --from {_after(run, first)} --set {step.id}='JSON'")
    return commands


def _outermost(run: Rerun, text: str) -> Passed | None:
    """The step of the workflow's own list that a place belongs to."""
    for each in run.steps.values():
        edges = tuple(f"{each.at.text}{edge}" for edge in ".[~#")
        if len(each.at.path) == 1 and (text == each.at.text or text.startswith(edges)):
            return each
    return None


def _after(run: Rerun, step: Passed) -> str:
    """The step that follows in the run, or the step itself where none does."""
    top = [each for each in run.steps.values() if len(each.at.path) == 1]
    place = top.index(step)
    return top[min(place + 1, len(top) - 1)].compiled.step.id


def _steps(run: Rerun, facts: Facts) -> list[dict[str, Any]]:
    """The steps as a tree, in the order in which they began."""
    roots: list[dict[str, Any]] = []
    known: dict[tuple[str | int, ...], dict[str, Any]] = {}
    did = owned(run)
    for passed in run.steps.values():
        node = _step(passed, did[passed.at.text][1] if passed.at.text in did else [], facts)
        known[passed.at.path] = node
        above = next((known[passed.at.path[:end]] for end in range(len(passed.at.path) - 1, 0, -1)
                      if passed.at.path[:end] in known), None)  # fmt: skip
        (roots if above is None else above["steps"]).append(node)
    return roots


def owned(run: Rerun) -> dict[str, tuple[Passed, list[Met]]]:
    """The steps that did something, and what that was in its order, by the text of their places."""
    found: dict[str, tuple[Passed, list[Met]]] = {}
    for each in run.met.values():
        owner = None if each.kind == "time" else _owner(run, each)
        if owner is not None:
            found.setdefault(owner.at.text, (owner, []))[1].append(each)
    return found


def _step(passed: Passed, effects: list[Met], facts: Facts) -> dict[str, Any]:
    done = [_effect(each, facts) for each in effects]
    return {
        "step": passed.compiled.step.id,
        "at": passed.at.text,
        "kind": passed.compiled.step.kind,
        "state": _state(passed, effects),
        "cost": sum(each.cost for each in effects),
        "checked": bool(passed.compiled.step.check),
        "error": _error(passed),
        "did": done,
        "steps": [],
    }


def _owner(run: Rerun, met: Met) -> Passed | None:
    """The innermost step that an effect belongs to, its retries (`draft~1`) and what undoes it too."""
    for end in range(len(met.at.path), 0, -1):
        path = met.at.path[:end]
        plain = (*path[:-1], str(path[-1]).partition("~")[0]) if isinstance(path[-1], str) else path
        for each in (path, plain):
            found = run.steps.get(Place(met.at.run, each).text)
            if found is not None:
                return found
    return None


def _state(passed: Passed, effects: list[Met]) -> str:
    if passed.left_out:
        return "left out"
    if any(UNDO in each.at.path and each.result is not None for each in effects):
        return "undone"
    if passed.failed is not None:
        return "failed"
    if passed.caught is not None and passed.result is not None:
        return "caught"
    return "done" if passed.result is not None else "open"


def _error(passed: Passed) -> dict[str, Any] | None:
    failed = passed.failed or passed.caught
    return None if failed is None else {"kind": failed.kind, "code": failed.code, "message": failed.message}


def _effect(met: Met, facts: Facts) -> dict[str, Any]:
    """One governed action, or what people said."""
    run = met.action or (met.failed.run if met.failed is not None else "")
    action = facts.action(run) if run else None
    return {
        "at": met.at.record,
        "kind": met.kind,
        "name": met.name or None,
        "run": run or None,
        "state": "failed" if met.failed is not None else "done" if met.result is not None else "open",
        "model": action.model if action is not None and action.model else None,
        "tried": [{"model": each.model, "error": each.error or None} for each in action.attempts] if action else [],
        "revision": action.revision if action is not None else None,
        "pages": list(action.citations) if action is not None else [],
        "ms": met.ended_at - action.at if action is not None and met.ended_at else None,
        "cost": met.cost,
        "ended_at": met.ended_at or None,
        "error": None if met.failed is None else {"kind": met.failed.kind, "code": met.failed.code,
                                                  "message": met.failed.message},
    }  # fmt: skip
