"""Rules that only watch: they change nothing, and what they would have done is noted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.labels import DataClass, Labels
from fairlead.models.types import Model, Placement
from fairlead.policy import Asked, Policy, Rule, compile_policy
from fairlead.policy.settings import Allow
from fairlead.policy.types import Hit

ANN = Caller(person="ann", groups=frozenset({"staff"}), department="sales")
BOB = Caller(person="bob", department="legal")
FAR = Model(name="far", endpoint="e", remote="r", placement=Placement("cloud"))
CARD = "4111 1111 1111 1111"


def call_hits(policy: Policy, caller: Caller, categories: set[str], task: str = "t", door: str = "d") -> set[Hit]:
    labels = Labels(DataClass.public, frozenset(categories))
    decisions = policy.authorize_afresh(caller, task, labels, [FAR], door).decisions
    assert decisions["far"].allowed
    return set(decisions["far"].hits)


def test_a_shadow_rule_allows_what_it_would_refuse() -> None:
    policy = compile_policy({}, [Rule(refuse=("iban",), mode="shadow")])
    assert call_hits(policy, ANN, {"iban"}) == {
        Hit("rule-1", "shadow", "refuse", "rule 1: iban must not be sent to any model")
    }
    assert call_hits(policy, ANN, {"email"}) == set()


def test_a_shadow_rule_that_redacts_takes_nothing_out() -> None:
    policy = compile_policy({}, [Rule(redact=("iban", "email"), mode="shadow")])
    labels = Labels(DataClass.public, frozenset({"iban"}))
    decision = policy.authorize_afresh(ANN, "t", labels, [FAR], "d").decisions["far"]
    assert (decision.redact, [each.effect for each in decision.hits]) == (frozenset(), ["redact"])


def test_a_rule_that_redaction_does_not_lift_would_refuse() -> None:
    both = (
        '@id("r") @mode("shadow") @redact("iban") forbid(principal, action == Action::"call_model", resource)'
        ' when { context.labels.containsAny(["iban", "secret"]) };'
        " permit(principal, action, resource);"
    )
    policy = compile_policy({"policies/a.cedar": both})
    assert {hit.effect for hit in call_hits(policy, ANN, {"iban"})} == {"redact"}
    assert {hit.effect for hit in call_hits(policy, ANN, {"iban", "secret"})} == {"refuse"}


def test_a_rule_that_was_lifted_is_noted_too() -> None:
    policy = compile_policy({}, [Rule(redact=("email",), audience="replies")])
    screen = policy.screen(ANN, Asked("t"), FAR)
    assert screen.whole("to x@y.de") == "to [redacted email]"
    assert {(hit.policy, hit.mode, hit.effect) for hit in screen.hits} == {("rule-1", "enforce", "redact")}


WATCHING = compile_policy(
    {},
    [Rule(withhold=("payment_card",), mode="shadow"), Rule(redact=("email",), audience="replies", mode="warn")],
)


@given(st.lists(st.sampled_from(["Card ", CARD, " and x@y.de ", "DE89 3704 0044 0532 0130 00", "."])), st.data())
def test_rules_that_watch_replies_change_not_one_byte(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    screen, out = WATCHING.screen(ANN, Asked("t"), FAR), ""
    for low, high in zip([0, *cuts], [*cuts, len(text)], strict=True):
        out += screen.feed(text[low:high])
    out += screen.close()
    assert out == text
    found = WATCHING.detect_text(text).labels.categories
    expected = {("rule-1", "shadow", "withhold")} if "payment_card" in found else set()
    expected |= {("rule-2", "warn", "redact")} if "email" in found else set()
    assert {(hit.policy, hit.mode, hit.effect) for hit in screen.hits} == expected


def test_scopes_say_where_a_rule_holds() -> None:
    scoped = Rule(
        refuse=("iban",), mode="shadow", tasks=("advice",), doors=("openai.chat",), labels=("email",), groups=("staff",)
    )
    policy = compile_policy({}, [scoped])
    assert call_hits(policy, ANN, {"iban", "email"}, "advice", "openai.chat")
    assert not call_hits(policy, BOB, {"iban", "email"}, "advice", "openai.chat")
    assert not call_hits(policy, ANN, {"iban", "email"}, "chat", "openai.chat")
    assert not call_hits(policy, ANN, {"iban", "email"}, "advice", "openai.responses")
    assert not call_hits(policy, ANN, {"iban"}, "advice", "openai.chat")


def test_a_rule_about_replies_reads_what_was_asked() -> None:
    policy = compile_policy(
        {}, [Rule(withhold=("email",), labels=("secret",), departments=("sales",), persons=("bob",))]
    )
    with_secret = Asked("t", "d", frozenset({"secret"}))
    for caller in (ANN, BOB):
        assert not policy.release(caller, with_secret, FAR, frozenset({"email"}), {}).allowed
        assert policy.release(caller, Asked("t", "d"), FAR, frozenset({"email"}), {}).allowed
    assert policy.release(Caller(person="eve"), with_secret, FAR, frozenset({"email"}), {}).allowed


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('@mode("shadow") permit(principal, action, resource);', "belongs to forbid"),
        ('@mode("quiet") forbid(principal, action, resource);', "@mode is 'quiet'"),
        ('@mode("warn") forbid(principal, action == Action::"read_context", resource);', "read_context"),
    ],
)
def test_a_mode_that_means_nothing_is_refused(policy: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        compile_policy({"policies/a.cedar": policy})


def test_allow_says_itself_for_whom_it_is() -> None:
    with pytest.raises(BadInput, match="`groups` does not belong beside allow"):
        compile_policy({}, [Rule(allow=Allow(), groups=("staff",))])
    policy = compile_policy({}, [Rule(allow=Allow(), tasks=("advice",))])
    assert policy.authorize_afresh(ANN, "advice", Labels(), [FAR], "d").decisions["far"].allowed
    assert not policy.authorize_afresh(ANN, "chat", Labels(), [FAR], "d").decisions["far"].allowed
