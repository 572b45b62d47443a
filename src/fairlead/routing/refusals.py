"""An empty plan, as the error that tells the caller what would mend it."""

from fairlead.errors import Denied, FairleadError, NoCandidate, Stopped, TooLong, Unpriced, Upstream
from fairlead.routing.types import Dropped, Plan

_MENDS = {
    "stopped": "ask who runs this Fairlead: `fairlead resume model NAME` ends a stop",
    "policy": "ask who owns the policies, or send less: fewer labels may permit more models",
    "context": "ask for one of the models that may do it so, or have the owner see to what is required",
    "capability": "leave out what no permitted model can do, or add a model that can",
    "context length": "send less text, or add a model with a longer context",
    "too slow": "raise the `deadline` of the task type, ask for a shorter reply, add a smaller or faster model, or let "
    "groups leave in place of records (`fairlead declassify list`)",
    "objective": "widen the bounds of the task type's `objective`, or leave out its `strict`",
    "price": "add its price under `prices:` in fairlead.yaml and run `fairlead apply`",
    "unavailable": "give the key or start the server that is missing, and see `fairlead doctor`",
}


class TooSlowHere(NoCandidate):
    """The models that may do the work run on this machine, and are too slow on it for the work's deadline; policy lets
    no other model have it.

    The message names each model with its measured speed. Raise the task type's `deadline`, ask for a shorter reply, add
    a smaller model, or let less of the request be of a kind that may not leave.
    """

    code = "too_slow_here"


def why_none(plan: Plan) -> FairleadError:
    """What to raise for a plan without candidates: the reason that the caller can do something about.

    `Upstream` where a model would answer if its server were well (so that callers retry), `Stopped` where stops and
    policies leave nothing, `Denied` where policies dropped every model, `Unpriced` where only a price is missing,
    `TooLong` where only the input's length is, else `NoCandidate`.
    """
    considered = [drop for drop in plan.dropped if drop.by != "not asked for"]
    causes = {drop.by for drop in considered}
    reasons = _reasons(considered) or "the workspace has no models"
    subject = considered[0].model if len(considered) == 1 else ""
    if "health" in causes:
        error = Upstream(
            "no model that may answer is well at the moment",
            why=reasons,
            mend="retry in a few seconds; `fairlead doctor` shows which servers answer",
            subject=subject,
        )
        error.step = "plan"
        return error
    mend = "; ".join(_MENDS[cause] for cause in _in_order(considered)) or "add a model under `models:`"
    if causes == {"policy"}:
        return Denied(
            "policy permits no model for this request", why=reasons, mend=mend, step="authorize", subject=subject
        )
    if "stopped" in causes and causes <= {"stopped", "policy"}:
        return Stopped(
            "every model that may answer is stopped", why=reasons, mend=mend, step="authorize", subject=subject
        )
    return _none_able(causes, reasons, mend, subject)


def _none_able(causes: set[str], why: str, mend: str, subject: str) -> FairleadError:
    """Where something may answer, and nothing can."""
    if "too slow" in causes and causes <= {"too slow", "policy", "stopped"}:
        message = "every model that may do this is too slow on this machine"
        if "policy" in causes:
            message += ", and policy lets no other have it"
        return TooSlowHere(message, why=why, mend=mend, step="plan", subject=subject)
    if "price" in causes and causes <= {"price", "policy"}:
        return Unpriced(
            "nobody has said what a permitted model costs", why=why, mend=mend, step="plan", subject=subject
        )
    if "context length" in causes and causes <= {"context length", "policy"}:
        too_long = TooLong("the prompt is too long for every permitted model", why=why, mend=mend, subject=subject)
        too_long.step = "plan"
        return too_long
    return NoCandidate("no model is both permitted and able", why=why, mend=mend, step="plan", subject=subject)


def _reasons(dropped: list[Dropped]) -> str:
    """Each reason once, behind the models that it concerns."""
    models: dict[str, list[str]] = {}
    for drop in dropped:
        models.setdefault(drop.reason, []).append(drop.model)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in models.items())


def _in_order(dropped: list[Dropped]) -> list[str]:
    return list(dict.fromkeys(drop.by for drop in dropped))
