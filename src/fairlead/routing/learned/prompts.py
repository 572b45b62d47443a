"""Whether prompts are worth looking at, and if so what they add: decided by prompts left out of the fit."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from msgspec.structs import replace

from fairlead.routing.learned.calibration import wavering, widening
from fairlead.routing.learned.features import definition
from fairlead.routing.learned.fitting import Sight, fitted
from fairlead.routing.learned.head import Head
from fairlead.routing.learned.learnt import Learnt
from fairlead.routing.learned.outcomes import Floats, Outcomes
from fairlead.routing.learned.types import Observation
from fairlead.routing.learned.validation import Verdict, expected, validated

_FEWEST: Final = 60  # prompts: with fewer, chance decides what gains
_FEWEST_TASKS: Final = 4


def with_prompts(learnt: Learnt, known: Sequence[Observation], seed: int) -> Learnt:
    """The same artefact with what prompts add, or with why they add nothing."""
    if find_spec("numpy") is None:
        return replace(learnt, why="numpy is not installed, so prompts were not looked at")
    outcomes = Outcomes(known)
    if len(outcomes.groups) < _FEWEST:
        return replace(learnt, why=f"{len(outcomes.groups)} prompts are known, too few to look at them")
    return _looked_at(learnt, outcomes, seed)


def _looked_at(learnt: Learnt, outcomes: Outcomes, seed: int) -> Learnt:
    sight = Sight(outcomes, seed)
    costs = _costs(learnt, outcomes)
    near = validated(outcomes, sight, costs, seed, by_task=False)
    far = validated(outcomes, sight, costs, seed, by_task=True) if len(outcomes.tasks) >= _FEWEST_TASKS else None
    within = _head(learnt, outcomes, sight, near, blind=False)
    across = _head(learnt, outcomes, sight, far, blind=True) if far is not None else None
    used = [verdict for verdict, head in ((near, within), (far, across)) if verdict is not None and head is not None]
    kinds = sight.kinds()
    wavers = max((wavering(outcomes, learnt.scores, one.before, one.after, kinds) for one in used), default=0.0)
    why = f"prompts {_said(near)} over the means of their kind of work"
    if far is not None:
        why += f"; of kinds left out, {_said(far)} over the means of the models"
    blind = within is None and across is None
    return replace(
        learnt,
        kind="static" if blind else "learned",
        why=why,
        widened=widening(outcomes, learnt.scores, near.before, near.folds),
        wavers=wavers,
        looks="" if blind else definition(),
        reading=None if blind else sight.reading(outcomes),
        within=within,
        across=across,
    )


def _head(learnt: Learnt, outcomes: Outcomes, sight: Sight, verdict: Verdict, blind: bool) -> Head | None:
    """What prompts add, fitted on all of them; None where that did not pay on those left out."""
    import numpy as np

    if not verdict.pays:
        return None
    left = np.nan_to_num(outcomes.score - expected(learnt.scores, outcomes, blind))
    turns, leanings = fitted(sight.seen, left, outcomes.weight, [verdict.shape])[verdict.shape]
    return sight.head(turns, leanings, outcomes.models)


def _costs(learnt: Learnt, outcomes: Outcomes) -> Floats:
    """What each prompt is expected to cost with each model; where nothing is known, as much as the dearest."""
    import numpy as np

    table = np.array(
        [[learnt.costs.expected(task, model) for model in outcomes.models] for task in outcomes.tasks], dtype=float
    )
    dearest = float(np.nanmax(table)) if np.isfinite(table).any() else 0.0
    return np.where(np.isnan(table), dearest, table)[outcomes.task]


def _said(verdict: Verdict) -> str:
    gain, error = verdict.gain.mean, verdict.gain.error
    return f"{'gain' if verdict.pays else 'gain nothing sure'} ({gain:+.4f} ± {error:.4f} a prompt, left out)"
