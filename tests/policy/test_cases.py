import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.models.types import Model
from fairlead.policy import PolicyCase, Rule, compile_policy, run_policy_tests

POLICY = compile_policy({}, [Rule(redact=("payment_card",), audience="cloud"), Rule(keep_local=("secret",))])


def test_cases_pass_or_tell_what_was_decided_instead(cloud: Model, local: Model) -> None:
    cases = msgspec.convert(
        [
            {"name": "cards", "model": "far", "text": "4111 1111 1111 1111", "expect": "redact",
             "redact": ["payment_card"]},
            {"name": "secrets", "model": "far", "labels": ["secret"], "expect": "deny", "by": "rule-2"},
            {"name": "at home", "model": "near", "labels": ["secret"], "expect": "allow"},
            {"name": "readers", "action": "read_context", "expect": "allow",
             "caller": {"groups": ["hr"]}, "item": {"audience": ["hr"], "class": "restricted"}},
            {"name": "wrong", "model": "near", "expect": "deny"},
            {"name": "not by that", "model": "far", "labels": ["secret"], "expect": "deny", "by": "rule-1"},
        ],
        list[PolicyCase],
    )  # fmt: skip
    results = run_policy_tests(POLICY, cases, {"far": cloud, "near": local})
    assert [each.passed for each in results] == [True, True, True, True, False, False]
    assert "expected deny, got allow" in results[4].said
    assert "rule-2" in results[5].said


def test_a_case_about_an_unknown_model_is_refused() -> None:
    with pytest.raises(BadInput, match="nowhere"):
        run_policy_tests(POLICY, [PolicyCase(name="x", expect="allow", model="nowhere")], {})


def test_a_case_about_an_unknown_tool_is_refused() -> None:
    with pytest.raises(BadInput, match=r"shop\.give"):
        run_policy_tests(POLICY, [PolicyCase(name="x", expect="ask", action="call_tool", tool="shop.give")], {})
