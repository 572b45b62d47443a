"""Who may say how well a run was done: its own person, the groups that look at others' work, and what policies say."""

from collections.abc import Sequence
from functools import cached_property

from fairlead.identity.types import Caller
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import CedarRequest
from fairlead.policy.judge import Judge
from fairlead.policy.sources import Statement, quoted, statements
from fairlead.policy.types import Decision

ACTION = "give_feedback"
_OWN = """@id("outcomes-own-run") @reason("people say how well their own runs were done")
permit(principal, action == Action::"give_feedback", resource) when { context.own };
"""
_REVIEWERS = """@id("outcomes-reviewers") @reason("outcomes.feedback.reviewers names a group of theirs")
permit(principal, action == Action::"give_feedback", resource) when { %s };
"""


class FeedbackRights:
    """Compiled when somebody first asks: most deployments' workers never do. For any thread."""

    def __init__(self, written: Sequence[Statement] = (), reviewers: Sequence[str] = ()) -> None:
        """`written` are the workspace's policies, `reviewers` the groups that may judge anybody's runs."""
        self._written = written
        self._reviewers = reviewers

    def decide(self, caller: Caller, task: str, *, own: bool, department: str, door: str) -> Decision:
        """Whether this caller may judge a run of a task type. `department` is that of the run."""
        who = cedar.person(caller)
        what: cedar.Entity = {"uid": {"type": "Task", "id": task}, "attrs": {}, "parents": []}
        request = CedarRequest(who, ACTION, what, {"own": own, "department": department, "door": door})
        return self._judge.decide([lambda _: request], frozenset())[0]

    @cached_property
    def _judge(self) -> Judge:
        text = _OWN
        if self._reviewers:
            text += _REVIEWERS % " || ".join(f"principal in Group::{quoted(each)}" for each in self._reviewers)
        return Judge(ACTION, (*statements({"outcomes": text}, ()), *self._written))
