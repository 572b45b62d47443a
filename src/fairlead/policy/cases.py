"""Tests that a workspace writes for its own policies (`policies/tests.yaml`), and running them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.labels import Access, ClassName, DataClass, Labels
from fairlead.models.door_names import DoorName
from fairlead.models.types import Model
from fairlead.policy.cedar_request import FactValue, Starting
from fairlead.policy.policy import Policy
from fairlead.policy.types import Decision


class CaseCaller(Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks in a test."""

    person: str = "someone"
    groups: tuple[str, ...] = ()
    department: str = ""
    roles: tuple[str, ...] = ()
    agent: str = ""
    tenant: str = ""


class CaseItem(Struct, frozen=True, forbid_unknown_fields=True, rename={"data_class": "class"}):
    """A context item in a test."""

    id: str = ""
    audience: tuple[str, ...] = ()
    owner: str = ""
    data_class: ClassName = "public"


class PolicyCase(Struct, frozen=True, forbid_unknown_fields=True, rename={"data_class": "class"}):
    """One test: a question, and the answer that is expected."""

    name: Annotated[str, Meta(description="What the test shows.")]
    expect: Annotated[Literal["allow", "deny", "redact"], Meta(description="redact: allowed once something is out.")]
    action: Literal["call_model", "read_context", "release_reply", "start_workflow"] = "call_model"
    caller: CaseCaller = CaseCaller()
    model: Annotated[
        str, Meta(description="A model of the workspace; one with deployments stands for each of them.")
    ] = ""
    item: CaseItem | None = None
    workflow: Annotated[str, Meta(description="Of `start_workflow`: the workflow; `class` is the one it declares.")] = (
        ""
    )
    task: str = ""
    door: DoorName | None = None
    text: Annotated[str, Meta(description="Text whose labels the detectors find.")] = ""
    labels: Annotated[tuple[str, ...], Meta(description="Categories, beside those found in `text`.")] = ()
    asked: Annotated[tuple[str, ...], Meta(description="Of a reply: the categories of the request.")] = ()
    data_class: Annotated[ClassName, Meta(description="The data class, where higher than that of `text`.")] = "public"
    facts: dict[str, str | bool | int | float] = {}
    by: Annotated[str, Meta(description="The id of a policy that must be among those that decided.")] = ""
    redact: Annotated[tuple[str, ...], Meta(description="Exactly the categories to be taken out.")] = ()


class CaseResult(Struct, frozen=True):
    """How a test came out. `said` tells, where it failed, what was decided instead and why."""

    name: str
    passed: bool
    decision: Decision
    said: str = ""


def run_policy_tests(policy: Policy, cases: Sequence[PolicyCase], models: Mapping[str, Model]) -> list[CaseResult]:
    """Ask every question afresh. Raises BadInput where a case names a model that the workspace lacks."""
    return [_run(policy, case, models) for case in cases]


def _run(policy: Policy, case: PolicyCase, models: Mapping[str, Model]) -> CaseResult:
    """How the case comes out: of the deployments of a model all must, and the first that does not is told."""
    results = [_asked(policy, case, subject) for subject in _subjects(case, models)]
    return next((each for each in results if not each.passed), results[0])


def _asked(policy: Policy, case: PolicyCase, subject: Model | Access | Starting) -> CaseResult:
    found = policy.detect_text(case.text).labels if case.text else Labels()
    labels = found.joined(Labels(DataClass[case.data_class], frozenset(case.labels)))
    caller = Caller(
        person=case.caller.person,
        agent=case.caller.agent,
        department=case.caller.department,
        groups=frozenset(case.caller.groups),
        roles=frozenset(case.caller.roles),
        tenant=case.caller.tenant,
        credential="key:test",
    )
    facts = {name: _fact(value) for name, value in case.facts.items()}
    decision = policy.explain(
        caller,
        case.action,
        subject,
        task=case.task,
        labels=labels,
        facts=facts,
        door=case.door or "",
        asked_labels=frozenset(case.asked),
    ).decision
    said = _difference(case, decision)
    if said and isinstance(subject, Model) and subject.group == case.model:
        said = f"{subject.name}: {said}"
    return CaseResult(case.name, not said, decision, said)


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
