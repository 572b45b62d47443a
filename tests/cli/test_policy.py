"""Policies at the command line: tested, shown, explained by the code that decides."""

from pathlib import Path

from tests.cli.conftest import Fairlead

from fairlead.execution import Answer

CARD = "my card is 4111 1111 1111 1111"


def test_the_workspaces_own_tests_pass(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("policy", "test", "--json")
    assert said.status == 0
    assert all(each["passed"] for each in said.json)
    assert "8 of 8 as expected" in fairlead("policy", "test").err


def test_a_test_that_fails_says_what_was_decided_instead(acme: Path, fairlead: Fairlead) -> None:
    tests = acme / "policies" / "tests.yaml"
    tests.write_text(tests.read_text().replace("expect: deny", "expect: allow", 1))
    said = fairlead("policy", "test")
    assert said.status == 1
    assert "FAILED" in said.out
    assert "expected allow, got deny" in said.out


def test_policies_are_shown_with_where_they_stand(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead("policy", "show")
    assert "// policies/main.cedar:" in said.out
    assert "everyone-may-ask" in {each["id"] for each in fairlead("policy", "show", "--json").json}


def test_a_request_that_is_only_described_is_decided_by_the_same_code(acme: Path, fairlead: Fairlead) -> None:
    explained = fairlead("policy", "explain", "--text", CARD, "--json").json
    assert explained["small"]["redact"] == ["payment_card"]
    assert explained["local"]["redact"] == []
    one = fairlead("policy", "explain", "--model", "large", "--class", "confidential")
    assert "deny" in one.out
    assert "confidential pages are answered by models in the house" in one.out
    assert "local" not in one.out


def test_a_start_is_explained_by_the_door_at_which_runs_begin(acme: Path, fairlead: Fairlead) -> None:
    flow = acme / "workflows" / "greet.yaml"
    flow.parent.mkdir(exist_ok=True)
    flow.write_text('steps:\n  - {id: say, transform: "hello"}\n')
    rule = acme / "policies" / "starts.cedar"
    rule.write_text('@id("by-hand") permit(principal, action == Action::"start_workflow", resource)\n'
                    'when { context.door == "fairlead.workflows" };\n')  # fmt: skip
    assert "by-hand" in fairlead("policy", "explain", "--workflow", "greet").out
    assert fairlead("policy", "explain", "--workflow", "greet", "--door", "schedule", "--json").json["effect"] == "deny"


def test_a_run_is_explained_from_its_record(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    said = fairlead("policy", "explain", "last")
    assert said.status == 0
    assert "decided by: everyone-may-ask" in said.out
    assert "permit (principal" in said.out
    assert "dropped small: unavailable" in said.out


def test_what_does_not_exist_is_named(acme: Path, fairlead: Fairlead) -> None:
    assert "did you mean `large`?" in fairlead("policy", "explain", "--model", "larg").err
    assert fairlead("policy", "explain", "--class", "secret").status == 2
