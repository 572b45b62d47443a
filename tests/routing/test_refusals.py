import pytest

from fairlead.errors import Denied, FairleadError, NoCandidate, TooLong, Unpriced, Upstream
from fairlead.routing.refusals import why_none
from fairlead.routing.types import Dropped, Plan

POLICY = Dropped("a", "policy", "restricted data stays here")
PRICE = Dropped("b", "price", "nobody has said what it costs")
ABILITY = Dropped("c", "capability", "it cannot call tools")
KEYLESS = Dropped("d", "unavailable", "no key in KEY")
ILL = Dropped("e", "health", "its last call failed")
LENGTH = Dropped("g", "context length", "its context is 8 tokens, and the input is 99 bytes long")
OTHER = Dropped("f", "not asked for", "the request names 'a'")


def why(*dropped: Dropped) -> FairleadError:
    return why_none(Plan((), dropped, ""))


@pytest.mark.parametrize(
    ("dropped", "kind"),
    [
        ((POLICY,), Denied),
        ((POLICY, OTHER), Denied),
        ((PRICE,), Unpriced),
        ((PRICE, POLICY), Unpriced),
        ((ABILITY,), NoCandidate),
        ((POLICY, ABILITY), NoCandidate),
        ((PRICE, ABILITY), NoCandidate),
        ((KEYLESS,), NoCandidate),
        ((ILL,), Upstream),
        ((ILL, POLICY, ABILITY), Upstream),
        ((LENGTH,), TooLong),
        ((LENGTH, POLICY, OTHER), TooLong),
        ((LENGTH, ABILITY), NoCandidate),
        ((), NoCandidate),
    ],
)
def test_the_error_is_the_one_that_the_caller_can_do_something_about(
    dropped: tuple[Dropped, ...], kind: type[FairleadError]
) -> None:
    assert type(why(*dropped)) is kind


def test_every_considered_model_keeps_its_reason_and_every_cause_its_mend() -> None:
    error = why(POLICY, ABILITY, KEYLESS, OTHER)
    assert error.why == "a: restricted data stays here; c: it cannot call tools; d: no key in KEY"
    assert error.mend.count(";") == 2
    assert error.step == "plan"


def test_a_reason_that_concerns_several_models_is_said_once() -> None:
    error = why(POLICY, ABILITY, Dropped("b", "policy", POLICY.reason))
    assert error.why == "a, b: restricted data stays here; c: it cannot call tools"


def test_a_policy_refusal_is_told_as_one_of_the_authorize_step() -> None:
    error = why(POLICY)
    assert (error.step, error.subject) == ("authorize", "a")


def test_a_sick_model_is_worth_a_retry_and_cost_nothing() -> None:
    error = why(ILL)
    assert isinstance(error, Upstream)
    assert (error.retryable, error.charged, error.step) == (True, "no", "plan")


def test_a_workspace_without_models_is_told_to_add_one() -> None:
    assert "models:" in why().mend


def test_clients_know_a_prompt_that_is_too_long_by_its_code() -> None:
    error = why(LENGTH)
    assert (error.code, error.status, error.step) == ("context_length_exceeded", 400, "plan")
    assert "prompt is too long" in error.message
