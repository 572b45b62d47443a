from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import NoCandidate
from fairlead.models.types import Model, Placement
from fairlead.routing import why_none
from fairlead.routing.pace import Need, Speed, within
from fairlead.routing.refusals import TooSlowHere
from fairlead.routing.types import Candidate, Dropped, Plan


def planned(*names: str, dropped: tuple[Dropped, ...] = ()) -> Plan:
    return Plan(
        tuple(
            Candidate(Model(name=name, endpoint="e", remote=name, placement=Placement("device")), frozenset(), 1000)
            for name in names
        ),
        dropped,
        "as declared",
    )


def test_what_a_request_takes_is_its_reading_and_its_writing() -> None:
    assert Speed(prefill=100, decode=12, bytes_a_token=4).seconds(4000, 1020) == 10 + 85


def test_a_model_that_cannot_be_done_in_time_is_dropped_with_the_figures() -> None:
    made = within(planned("slow", "fast", "unknown"), {"slow": Need(95, 12), "fast": Need(3, 120)}, 30)
    assert [one.model.name for one in made.candidates] == ["fast", "unknown"]
    assert made.dropped == (
        Dropped("slow", "too slow", "too slow here: needs about 95 s at 12 tokens/s, deadline 30 s"),
    )


def test_the_refusal_says_both_that_it_is_too_slow_here_and_that_it_may_not_go_elsewhere() -> None:
    kept = Dropped("cloud", "policy", "identity numbers stay in the house")
    error = why_none(within(planned("house", dropped=(kept,)), {"house": Need(95, 12)}, 30))
    assert isinstance(error, TooSlowHere)
    assert error.message == "every model that may do this is too slow on this machine, and policy lets no other have it"
    assert "identity numbers stay in the house" in error.why
    assert "needs about 95 s" in error.why
    assert "raise the `deadline`" in error.mend
    broken = Dropped("other", "capability", "it takes no images")
    mixed = why_none(within(planned("house", dropped=(broken,)), {"house": Need(95, 12)}, 30))
    assert type(mixed) is NoCandidate
    assert "needs about 95 s" in mixed.why


@given(st.dictionaries(st.sampled_from("abc"), st.floats(0, 1e6)), st.floats(0.1, 1e6))
def test_exactly_those_known_to_be_too_slow_are_dropped(seconds: dict[str, float], limit: float) -> None:
    made = within(planned("a", "b", "c"), {name: Need(each, 1.0) for name, each in seconds.items()}, limit)
    slow = {name for name, each in seconds.items() if each > limit}
    assert {one.model for one in made.dropped} == slow
    assert {one.model.name for one in made.candidates} == set("abc") - slow
