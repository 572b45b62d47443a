"""Approvals under the revision in force: who may answer, how long they are kept, and which webhook is told."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from fairlead.costs.credits import Credits, Wanted
from fairlead.execution.approval_question import Approval
from fairlead.execution.approvals import Approvals
from fairlead.execution.at_cap import RAISE
from fairlead.policy.approvals import ApprovalRules
from fairlead.workspace.compile import Workspace

if TYPE_CHECKING:
    from sqlalchemy import Connection

_DAY: Final = 86_400_000
_CONTROL: Final = "approvals"


def take_up_approvals(
    approvals: Approvals, workspace: Workspace, rules_at: Callable[[int], ApprovalRules], credits: Credits
) -> None:
    """Another revision has come into force. `rules_at` gives its rules as they are at a moment, `credits` raises its
    budgets."""
    settings = workspace.settings
    approvals.organisation = settings.organisation
    approvals.rules_at = rules_at
    approvals.keep = int(settings.approvals.keep * _DAY) if settings.payloads == "keep" else 0
    alarm = settings.approvals.notify

    def told(connection: "Connection", asked: Approval) -> None:
        from fairlead.controls.alarm_rows import post

        if alarm:
            body = {
                "type": "approval.asked",
                "approval": asked.id,
                "tool": asked.question.tool,
                "roles": asked.question.wanted,
                "asked_at": asked.asked_at,
                "expires_at": asked.expires_at,
            }
            post(connection, asked.id, _CONTROL, alarm, msgspec.json.encode(body), asked.asked_at)

    def raised(connection: "Connection", granted: Approval) -> None:
        from fairlead.storage.approval_rows import change

        if granted.question.tool != RAISE:
            return
        asked = granted.question.arguments
        amount = workspace.budgets.unit.parse(asked["raise_by"])
        by = f"approval:{granted.id}"
        wanted = Wanted(kind="raise", amount=amount, by=by, target=asked["budget"], period=asked["period"], id=by)
        credits.within(connection, wanted)
        change(connection, granted.id, "granted", "used", credits.clock.now())

    approvals.notice, approvals.agreed = told, raised
