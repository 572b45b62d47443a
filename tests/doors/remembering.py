"""A deployment in which conversations are remembered: what may leave for the cloud and what may come back."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.world import Served, served

POLICIES = """
@id("staff-may-ask") @reason("staff may ask")
permit (principal in Group::"staff", action == Action::"call_model", resource);

@id("cards-stay") @reason("cards stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("payment_card") };

@id("replies-may-leave") @reason("replies may leave")
permit (principal, action == Action::"release_reply", resource);

@id("no-verdicts") @reason("nobody promises profits")
forbid (principal, action == Action::"release_reply", resource)
when { context.categories.contains("verdict") };
"""
RULES = "detectors: [{name: verdict, category: verdict, pattern: '(?i)guaranteed profit'}]"


def remembering(folder: Path) -> AbstractContextManager[Served]:
    files = {"policies/main.cedar": POLICIES, "rules/more.yaml": RULES}
    return served(folder, files, budgets={"organisation": {"total": 1000}})
