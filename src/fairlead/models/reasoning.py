"""How hard a model is to think: an effort where a wire knows efforts, a budget of tokens where it knows budgets."""

from typing import Final

from fairlead.models.sampling import Sampling

_BUDGETS: Final = {
    "none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768, "max": 32_768,
}  # fmt: skip


def effort_of(sampling: Sampling) -> str | None:
    """The effort that was asked for, or the least one that a budget of tokens fits into."""
    budget = sampling.reasoning_budget
    if sampling.reasoning_effort is not None or budget is None:
        return sampling.reasoning_effort
    return next((effort for effort in ("none", "low", "medium", "high") if budget <= _BUDGETS[effort]), "high")


def budget_of(sampling: Sampling) -> int | None:
    """The budget that was asked for, or the usual one for an effort."""
    if sampling.reasoning_budget is not None or sampling.reasoning_effort is None:
        return sampling.reasoning_budget
    return _BUDGETS.get(sampling.reasoning_effort, _BUDGETS["medium"])
