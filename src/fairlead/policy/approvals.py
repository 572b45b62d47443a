"""Who may answer whose question. Pure, as all policy.

A role is had by whoever's key or token names it, and by whom `approvals.roles` declares. `manager` is special: it is
always the manager of whoever asks, and never what a token says.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.identity.types import Caller
from fairlead.policy.approval_settings import ApprovalSettings, ApproverSettings
from fairlead.policy.organisation import Flow, Organisation, resolved

MANAGER: Final = "manager"
_HOUR: Final = 3_600_000
_UNDECLARED: Final = ApproverSettings()


class Asker(Struct, frozen=True):
    """Whose call it is, and when they asked (milliseconds since 1970). `others` ask the same together with them."""

    person: str
    tenant: str
    department: str
    at: int
    others: tuple[str, ...] = ()

    def is_one(self, person: str) -> bool:
        """Whether it is a call of this person's, however their provider's tokens spell them."""
        return person.casefold() in {each.casefold() for each in (self.person, *self.others)}


class ApprovalRules(Struct, frozen=True):
    """Who may approve what in one revision. Times in milliseconds."""

    settings: ApprovalSettings = ApprovalSettings()
    flows: tuple[Flow, ...] = ()

    @property
    def lasts(self) -> int:
        """For how long a question may be answered; the setting is in hours."""
        return int(self.settings.expires * _HOUR)

    def quorums(self, roles: Iterable[str], tool: str = "") -> dict[str, int]:
        """How many must agree for each role, to a call of this tool: flows about it ask for more, never for less."""
        wanted = {role: self._declared(role).quorum for role in roles}
        for flow in self.flows if wanted else ():
            for role in flow.approvers if flow.about(tool) else ():
                wanted[role] = max(wanted.get(role, self._declared(role).quorum), flow.quorum)
        return dict(sorted(wanted.items()))

    def may_answer(self, wanted: Iterable[str], approver: Caller, asker: Asker, now: int) -> frozenset[str]:
        """For which of the roles this person's answer counts: none for their own call, whatever acts for them, and
        however their provider's tokens spell them."""
        if asker.is_one(approver.person):
            return frozenset()
        if approver.agent and approver.agent not in self.settings.through:
            return frozenset()
        return frozenset(role for role in wanted if self._stands_for(role, approver, asker, now))

    def persons(self, role: str, asker: Asker) -> tuple[str, ...]:
        """Those of whom the workspace itself says that they have it."""
        found = list(self._declared(role).persons)
        if role == MANAGER and (manager := self._manager(asker)):
            found.append(manager)
        return tuple(dict.fromkeys(each for each in found if not asker.is_one(each)))

    def _stands_for(self, role: str, approver: Caller, asker: Asker, now: int) -> bool:
        if self._has(role, approver, asker):
            return True
        declared = self._declared(role)
        due = asker.at + int(declared.escalate_after * _HOUR) <= now
        return bool(declared.escalate_to) and due and self._has(declared.escalate_to, approver, asker)

    def _has(self, role: str, approver: Caller, asker: Asker) -> bool:
        declared = self._declared(role)
        if approver.person in declared.persons:
            return True
        if role == MANAGER and approver.person == self._manager(asker):
            return True
        if approver.tenant != asker.tenant:
            return False  # what a token says of groups and roles counts among those of its own tenant
        return not approver.groups.isdisjoint(declared.groups) or (role != MANAGER and role in approver.roles)

    def _manager(self, asker: Asker) -> str:
        settings = self.settings
        return settings.managers.get(asker.person) or settings.heads.get(asker.department, "")

    def _declared(self, role: str) -> ApproverSettings:
        return self.settings.roles.get(role, _UNDECLARED)


NO_RULES: Final = ApprovalRules()


def no_rules(at: int) -> ApprovalRules:
    """The rules of whoever has none, at any moment."""
    return NO_RULES


def organised(rules: ApprovalRules, organisation: Organisation) -> ApprovalRules:
    """The rules, with what the organisation's own pages say where the settings say nothing."""
    return ApprovalRules(resolved(organisation, rules.settings), organisation.flows)


def compile_approvals(settings: ApprovalSettings, alarms: Mapping[str, object]) -> ApprovalRules:
    """Raises `BadInput` naming the key of the workspace. `alarms` are those that are declared."""
    if settings.notify and settings.notify not in alarms:
        raise BadInput(
            f"approvals.notify: there is no alarm {settings.notify!r}",
            mend=closest(settings.notify, alarms) or "declare it under `alarms:`",
        )
    for name, role in settings.roles.items():
        if role.escalate_to == name:
            raise BadInput(
                f"approvals.roles.{name}.escalate_to: {name} escalates to itself",
                why="nobody else could answer then than before",
                mend="name another role, or leave it out",
            )
    for key in ("managers", "heads"):
        for name, manager in getattr(settings, key).items():
            if not name or not manager:
                raise BadInput(f"approvals.{key}: a name is empty", mend="name both, as keys and tokens do")
            if key == "managers" and name == manager:
                raise BadInput(
                    f"approvals.managers.{name}: {name} is their own manager",
                    why="nobody approves their own calls",
                    mend="name whom they report to, or leave them out",
                )
    return ApprovalRules(settings)
