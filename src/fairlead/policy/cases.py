"""Running the tests that a workspace writes for its own policies."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.labels import Access, DataClass, Labels
from fairlead.models.types import Model
from fairlead.policy.case import CaseItem, PolicyCase
from fairlead.policy.cedar_request import FactValue, Starting
from fairlead.policy.policy import Policy
from fairlead.policy.tool_cases import CaseTool, decided
from fairlead.policy.types import Decision


class CaseResult(Struct, frozen=True):
    """How a test came out. `said` tells, where it failed, what was decided instead and why."""

    name: str
    passed: bool
    decision: Decision
    said: str = ""


def run_policy_tests(
    policy: Policy, cases: Sequence[PolicyCase], models: Mapping[str, Model], tools: Mapping[str, CaseTool] = {}
) -> list[CaseResult]:
    """Ask every question afresh. Raises BadInput where a case names a model or tool that the workspace lacks."""
    return [
        _of_tool(policy, case, tools) if case.action == "call_tool" else _run(policy, case, models) for case in cases
    ]


def _of_tool(policy: Policy, case: PolicyCase, tools: Mapping[str, CaseTool]) -> CaseResult:
    decision = decided(policy, case, _caller(case), _labels(policy, case), tools)
    said = _difference(case, decision)
    return CaseResult(case.name, not said, decision, said)


def _run(policy: Policy, case: PolicyCase, models: Mapping[str, Model]) -> CaseResult:
    """How the case comes out: of the deployments of a model all must, and the first that does not is told."""
    results = [_asked(policy, case, subject) for subject in _subjects(case, models)]
    return next((each for each in results if not each.passed), results[0])


def _asked(policy: Policy, case: PolicyCase, subject: Model | Access | Starting) -> CaseResult:
    facts = {name: _fact(value) for name, value in case.facts.items()}
    decision = policy.explain(
        _caller(case),
        case.action,
        subject,
        task=case.task,
        labels=_labels(policy, case),
        facts=facts,
        door=case.door or "",
        asked_labels=frozenset(case.asked),
    ).decision
    said = _difference(case, decision)
    if said and isinstance(subject, Model) and subject.group == case.model:
        said = f"{subject.name}: {said}"
    return CaseResult(case.name, not said, decision, said)


def _labels(policy: Policy, case: PolicyCase) -> Labels:
    found = policy.detect_text(case.text).labels if case.text else Labels()
    return found.joined(Labels(DataClass[case.data_class], frozenset(case.labels)))


def _caller(case: PolicyCase) -> Caller:
    return Caller(
        person=case.caller.person,
        agent=case.caller.agent,
        department=case.caller.department,
        groups=frozenset(case.caller.groups),
        roles=frozenset(case.caller.roles),
        tenant=case.caller.tenant,
        credential="key:test",
    )


def _subjects(case: PolicyCase, models: Mapping[str, Model]) -> list[Model] | list[Access] | list[Starting]:
    if case.action == "start_workflow":
        return [Starting(case.workflow, DataClass[case.data_class])]
    if case.action == "read_context":
        item = case.item or CaseItem()
        return [Access(frozenset(item.audience), DataClass[item.data_class], item.owner, item.id)]
    found = [model for name, model in models.items() if case.model in (name, model.group)] if case.model else []
    if not found:
        raise BadInput(
            f"policy test {case.name!r} names the model {case.model!r}, which the workspace does not have",
            mend="use one of " + ", ".join(sorted(models)),
        )
    return found


def _fact(value: str | bool | float) -> FactValue:
    if isinstance(value, bool | str):
        return value
    return Decimal(str(value)).quantize(Decimal("0.0001"))


def _difference(case: PolicyCase, decision: Decision) -> str:
    got = "redact" if decision.redact else decision.effect
    if got != case.expect:
        why = "; ".join([reason.text for reason in decision.reasons] + list(decision.errors))
        return f"expected {case.expect}, got {got}: {why}"
    if case.by and case.by not in {reason.policy for reason in decision.reasons}:
        return f"expected {case.by} to decide, but it was " + ", ".join(r.policy for r in decision.reasons)
    if case.redact and decision.redact != frozenset(case.redact):
        return f"expected {', '.join(case.redact)} to be taken out, but it was " + ", ".join(sorted(decision.redact))
    return ""
