import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, Access, DataClass, Labels
from fairlead.models.types import Model
from fairlead.policy import Rule, compile_policy
from fairlead.policy.cedar_request import Starting
from fairlead.policy.settings import Allow, Start
from fairlead.tasks.types import Task


def labelled(*categories: str) -> Labels:
    return Labels(DataClass.internal, frozenset(categories))


def test_each_rule_does_what_its_verb_says(ann: Caller, task: Task, cloud: Model, local: Model) -> None:
    rules = [
        Rule(redact=("payment_card", "secret"), audience="cloud"),
        Rule(keep_local=("national_id",)),
        Rule(refuse=("iban",)),
    ]
    policy = compile_policy({}, rules)

    def decided(*categories: str) -> list[tuple[str, set[str]]]:
        rights = policy.authorize(ann, task, labelled(*categories), (cloud, local), "openai")
        return [(rights.decisions[m.name].effect, set(rights.decisions[m.name].redact)) for m in (cloud, local)]

    assert decided() == [("allow", set()), ("allow", set())]
    assert decided("email") == [("allow", set()), ("allow", set())]
    assert decided("payment_card", "email") == [("allow", {"payment_card"}), ("allow", set())]
    assert decided("national_id") == [("deny", set()), ("allow", set())]
    assert decided("national_id", "secret") == [("deny", set()), ("allow", set())]
    assert decided("iban") == [("deny", set()), ("deny", set())]


def test_a_start_rule_says_who_begins_which_workflow_and_otherwise_everybody_may(ann: Caller) -> None:
    buy, eve = Starting("buy"), Caller(person="eve")
    open_to_all = compile_policy({"policies/a.cedar": "permit(principal, action == Action::\"call_model\", resource);"},
                                 workflows=True)  # fmt: skip
    assert open_to_all.start(eve, buy, "cli").reasons[0].policy == "default-start"
    ruled = compile_policy({}, [Rule(start=Start(groups=("finance",), workflows=("buy",)))], workflows=True)
    assert [ruled.start(each, buy, "cli").allowed for each in (ann, eve)] == [True, False]
    assert not ruled.start(ann, Starting("sell"), "cli").allowed
    forbid = 'forbid(principal, action == Action::"start_workflow", resource) when { resource.class == "restricted" };'
    guarded = compile_policy({"policies/a.cedar": forbid}, workflows=True)
    secret = Starting("buy", DataClass.restricted)
    assert [guarded.start(eve, each, "cli").allowed for each in (buy, secret)] == [True, False]
    with pytest.raises(BadInput, match="`doors` does not belong beside start"):
        compile_policy({}, [Rule(start=Start(), doors=("cli",))])


def test_an_allow_rule_replaces_the_general_permit(ann: Caller, task: Task, cloud: Model, local: Model) -> None:
    policy = compile_policy({}, [Rule(allow=Allow(groups=("finance",), persons=("bob",), models=("near",)))])
    for caller, allowed in ((ann, True), (Caller(person="bob"), True), (Caller(person="eve"), False)):
        rights = policy.authorize(caller, task, NO_LABELS, (cloud, local), "openai")
        assert not rights.decisions["far"].allowed
        assert rights.decisions["near"].allowed is allowed
    assert policy.may_read(ann)(Access(frozenset({"everyone"}), DataClass.public, "o"))


def test_with_cedar_files_nothing_is_permitted_but_what_they_permit(ann: Caller, task: Task, cloud: Model) -> None:
    policy = compile_policy({"policies/a.cedar": 'permit(principal, action == Action::"release_reply", resource);'})
    decision = policy.authorize(ann, task, NO_LABELS, (cloud,), "openai").decisions["far"]
    assert not decision.allowed
    assert "no policy permits it" in decision.reasons[0].text
    assert len(policy.notes) == 2


@pytest.mark.parametrize(
    "rule",
    [
        Rule(),
        Rule(redact=("email",), refuse=("email",)),
        Rule(refuse=("email",), audience="cloud"),
        Rule(redact=("emial",)),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_its_number(rule: Rule) -> None:
    with pytest.raises(BadInput, match="rule 2") as caught:
        compile_policy({}, [Rule(refuse=("email",)), rule])
    assert caught.value.mend


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=30))
def test_a_name_in_a_rule_cannot_break_out_of_its_quotes(name: str) -> None:
    name = name.encode("utf-8", "replace").decode()
    policy = compile_policy({}, [Rule(allow=Allow(groups=(name,), departments=(name + '") || true || ("',)))])
    assert [each.id for each in policy.statements] == ["rule-1", "default-read", "default-release"]
    rule = policy.statements[0]
    assert rule.tree["conditions"][0]["body"]["||"]["left"]["in"]["right"]["Value"]["__entity"]["id"] == name
