from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, Access, DataClass, Labels
from fairlead.models.types import Model, Placement
from fairlead.policy import Asked, Policy, RulesFile, compile_policy
from fairlead.policy.settings import FactSetting
from fairlead.tasks.types import Task, TaskType

NAMES = ("ann", "bob", "finance", "staff", "sales")
CATEGORIES = ("email", "secret", "iban")
PERMIT_ALL = "permit(principal, action, resource);"

principal_tests = st.one_of(
    st.sampled_from(NAMES).map(lambda n: f'principal in Group::"{n}"'),
    st.sampled_from(NAMES).map(lambda n: f'principal in [Group::"{n}", Group::"sales"]'),
    st.sampled_from(NAMES).map(lambda n: f'principal == Person::"{n}"'),
    st.sampled_from(NAMES).map(lambda n: f'principal.roles.contains("{n}")'),
    st.sampled_from(NAMES).map(lambda n: f'principal.department == "{n}"'),
    st.sampled_from(NAMES).map(lambda n: f'principal.known_as.contains("{n}")'),
    st.sampled_from(NAMES).map(lambda n: f'[principal].contains(Person::"{n}")'),
    st.sampled_from(NAMES).map(lambda n: f'principal is Person in Group::"{n}"'),
    st.just('principal.agent != ""'),
)
call_tests = st.one_of(
    st.sampled_from(CATEGORIES).map(lambda c: f'context.labels.contains("{c}")'),
    st.sampled_from(CATEGORIES).map(lambda c: f'context.labels.containsAny(["{c}", "phone"])'),
    st.just("context.labels.isEmpty()"),
    st.integers(0, 3).map(lambda n: f"context.data_class >= {n}"),
    st.sampled_from(("t1", "t2")).map(lambda t: f'context.task == "{t}"'),
    st.just('context.door == "openai"'),
    st.just("context.redacted.isEmpty()"),
    st.just('{"Var": context.class}.Var == "internal"'),
    st.just('resource.kind == "cloud"'),
    st.just('resource == Model::"m1"'),
    st.just("resource has retention_days && resource.retention_days > 0"),
)
read_tests = st.one_of(
    st.just("resource.audience.containsAny(principal.known_as)"),
    st.just("principal.known_as.containsAny(resource.audience)"),
    st.just('principal.known_as.contains("person:ann")'),
    st.just("resource.owner == principal.department"),
    st.integers(0, 3).map(lambda n: f"resource.data_class < {n}"),
    st.just('resource == ContextItem::"i1"'),
)


def policies(action: str, tests: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    any_test = st.one_of(tests, principal_tests)
    condition = st.lists(any_test, min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from([" && ", " || "]).map(lambda joint: joint.join(f"({part})" for part in parts))
    )
    one = st.builds(
        lambda effect, note, kind, body: (
            f'{note if effect == "forbid" else ""} {effect}(principal, action == Action::"{action}", resource)'
            f" {kind} {{ {body} }};"
        ),
        st.sampled_from(["permit", "forbid"]),
        st.sampled_from(["", '@redact("email")', '@redact("email, secret")']),
        st.sampled_from(["when", "unless"]),
        condition,
    )
    return st.lists(one, min_size=1, max_size=4).map("\n".join)


subsets = st.frozensets(st.sampled_from(NAMES), max_size=3)
callers = st.builds(
    Caller,
    person=st.sampled_from(NAMES),
    department=st.sampled_from(["", "sales", "finance"]),
    groups=subsets,
    roles=subsets,
    agent=st.sampled_from(["", "bot"]),
)
labels = st.builds(Labels, st.sampled_from(list(DataClass)), st.frozensets(st.sampled_from(CATEGORIES)))
MODELS = tuple(
    Model(name=f"m{n}", endpoint="e", remote="r", placement=Placement(kind, retention_days=days))
    for n, (kind, days) in enumerate((("cloud", 30), ("cloud", None), ("device", 0)))
)
TASKS = [Task(type=TaskType(name=name), labels=NO_LABELS, question="") for name in ("t1", "t2")]
questions = st.tuples(callers, st.sampled_from(TASKS), labels, st.sampled_from(["openai", "mcp"]))


@settings(max_examples=30)
@given(policies("call_model", call_tests), st.lists(questions, min_size=2, max_size=8))
def test_a_remembered_decision_is_the_one_that_cedar_gives(text: str, asked: list[tuple]) -> None:
    policy = compile_policy({"policies/a.cedar": text})
    for caller, task, found, door in asked * 2:
        afresh = policy.authorize_afresh(caller, task.type.name, found, MODELS, door)
        assert policy.authorize(caller, task, found, MODELS, door) == afresh


@settings(max_examples=30)
@given(
    policies("read_context", read_tests),
    st.lists(
        st.tuples(
            callers,
            st.builds(
                Access, subsets, st.sampled_from(list(DataClass)), st.sampled_from(NAMES), st.sampled_from(["i1", "i2"])
            ),
        ),
        min_size=2,
        max_size=8,
    ),
)
def test_a_remembered_right_to_read_is_the_one_that_cedar_gives(text: str, asked: list[tuple[Caller, Access]]) -> None:
    policy = compile_policy({"policies/a.cedar": text})
    for caller, access in asked * 2:
        assert policy.may_read(caller)(access) is policy.reading.decision(caller, access).allowed
    assert policy.names_items is ('ContextItem::"i1"' in text)


def test_callers_whom_no_audience_tells_apart_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = compile_policy({})
    asked: list[Caller] = []
    decide = policy.reading.decision
    monkeypatch.setattr(
        policy.reading, "decision", lambda caller, access: asked.append(caller) or decide(caller, access)
    )
    pages = [Access(frozenset({"stores"}), DataClass.public, "o"), Access(frozenset({"zoe"}), DataClass.public, "o")]
    for person in ("zoe", *NAMES):
        may = policy.may_read(Caller(person=person, groups=frozenset({"stores"})))
        assert [may(page) for page in pages] == [True, person == "zoe"]
    assert len(asked) == 3  # the first page once, the second for her whom it means and for all others


def one(text: str, caller: Caller, model: Model, found: Labels = NO_LABELS, task: Task = TASKS[0]):
    return (
        compile_policy({"policies/a.cedar": text})
        .authorize(caller, task, found, (model,), "openai")
        .decisions[model.name]
    )


def test_the_decision_names_the_policy_and_gives_its_reason(ann: Caller, cloud: Model) -> None:
    text = PERMIT_ALL + (
        '@id("home") @reason("stay at home") forbid(principal, action == Action::"call_model", resource)'
        ' when { resource.kind == "cloud" };'
    )
    decision = one(text, ann, cloud)
    assert [(r.policy, r.text) for r in decision.reasons] == [("home", "stay at home")]
    assert not decision.allowed


def test_a_forbid_that_redaction_does_not_lift_keeps_its_word(ann: Caller, cloud: Model) -> None:
    text = PERMIT_ALL + (
        '@redact("email") forbid(principal, action == Action::"call_model", resource)'
        ' when { context.labels.contains("email") };'
        'forbid(principal, action == Action::"call_model", resource) when { context.redacted.contains("email") };'
    )
    assert not one(text, ann, cloud, Labels(DataClass.internal, frozenset({"email"}))).allowed


def test_a_policy_that_fails_denies_even_where_another_permits(ann: Caller, cloud: Model) -> None:
    text = PERMIT_ALL + (
        'forbid(principal, action == Action::"call_model", resource)'
        " when { context.data_class * 9223372036854775807 > 5 };"
    )
    decision = one(text, ann, cloud, Labels(DataClass.restricted))
    assert not decision.allowed
    assert decision.errors


def test_callers_who_differ_in_what_no_policy_reads_share_one_decision(cloud: Model, task: Task) -> None:
    policy = compile_policy(
        {"policies/a.cedar": 'permit(principal in Group::"staff", action == Action::"call_model", resource);'}
    )
    for number in range(50):
        caller = Caller(person=f"p{number}", groups=frozenset({"staff", f"g{number}"}), department=f"d{number}")
        assert policy.authorize(caller, task, NO_LABELS, (cloud,), "openai").decisions["far"].allowed
    assert len(policy._memory) == 1


def test_the_memory_stays_bounded(cloud: Model, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.policy.keys._PLACES", 8)
    policy = compile_policy({"a.cedar": 'permit(principal == Person::"p1", action, resource);'})
    for number in range(30):
        allowed = policy.authorize(Caller(person=f"p{number}"), task, NO_LABELS, (cloud,), "o").decisions["far"].allowed
        assert allowed is (number == 1)
        assert len(policy._memory) <= 8


def test_a_model_of_the_same_name_placed_elsewhere_is_another_model(ann: Caller, task: Task, cloud: Model) -> None:
    policy = compile_policy(
        {"a.cedar": 'permit(principal, action == Action::"call_model", resource) when { resource.kind != "cloud" };'}
    )
    moved = Model(name="far", endpoint="e", remote="r", placement=Placement("device"))
    assert not policy.authorize(ann, task, NO_LABELS, (cloud,), "o").decisions["far"].allowed
    assert policy.authorize(ann, task, NO_LABELS, (moved,), "o").decisions["far"].allowed


def test_by_default_an_audience_may_be_everyone_a_group_a_department_or_a_person(ann: Caller) -> None:
    may = compile_policy({}).may_read(ann)
    for name in ("everyone", "finance", "group:finance", "controlling", "department:controlling", "ann", "person:ann"):
        assert may(Access(frozenset({name}), DataClass.restricted, "o"))
    for name in ("sales", "group:ann", "person:finance", "lead"):
        assert not may(Access(frozenset({name}), DataClass.public, "o"))


def test_an_explanation_shows_what_cedar_was_asked_about_the_text_as_it_would_leave(ann: Caller, cloud: Model) -> None:
    text = PERMIT_ALL + (
        '@redact("email") forbid(principal, action == Action::"call_model", resource)'
        ' when { context.labels.contains("email") };'
    )
    policy: Policy = compile_policy({"policies/a.cedar": text})
    found = Labels(DataClass.internal, frozenset({"email", "phone"}))
    said = policy.explain(ann, "call_model", cloud, task="billing", labels=found)
    assert said.decision.redact == {"email"}
    assert said.request["context"]["labels"] == ["phone"]
    assert said.request["context"]["redacted"] == ["email"]
    context: Mapping = policy.explain(ann, "release_reply", cloud, facts={}).request["context"]
    assert context["facts"] == {}
    with pytest.raises(BadInput):
        policy.explain(ann, "read_context", cloud)


def test_a_decision_about_facts_is_remembered_by_their_values(ann: Caller, cloud: Model) -> None:
    rules = RulesFile(facts=(FactSetting("discount", r"(?P<value>\d{1,2})%"),))
    text = (
        'permit(principal, action == Action::"release_reply", resource)'
        ' unless { context.facts has discount && context.facts.discount.greaterThan(decimal("15.0")) };'
    )
    policy = compile_policy({"a.cedar": text}, (), {"rules/a.yaml": rules})
    for value, allowed in (("15", True), ("15.0001", False), ("15", True)):
        decision = policy.release(ann, Asked("t"), cloud, frozenset(), {"discount": Decimal(value)})
        assert decision.allowed is allowed


def test_a_group_that_is_named_like_a_person_is_not_that_person() -> None:
    policy = compile_policy({})
    page = Access(frozenset({"person:ceo", "department:board"}), DataClass.confidential, "")
    for forged in ("person:ceo", "department:board", "group:board"):
        assert not policy.may_read(Caller(person="eve", groups=frozenset({forged})))(page)
        assert not policy.may_read(Caller(person="eve", department=forged))(page)
    assert policy.may_read(Caller(person="ceo"))(page)
    assert policy.may_read(Caller(person="dan", department="board"))(page)
