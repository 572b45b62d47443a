import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.routing.settings import Preferences, RoutingSettings, compile_routing


def compiled(**settings: object) -> Preferences:
    return compile_routing(msgspec.convert(settings, RoutingSettings), ["small", "large"])


def test_a_workspace_that_says_nothing_gets_the_defaults() -> None:
    assert compiled() == Preferences()


def test_a_fallback_is_no_one_everyone_or_a_list() -> None:
    assert compiled(fallback=False).fallback is False
    assert compiled(fallback=True).fallback is True
    assert compiled(fallback=["large"]).fallback == ("large",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prefer": ["smal"]}, ["prefer", "'smal'", "did you mean `small`?"]),
        ({"prefer": ["x"]}, ["prefer", "known here: `large`, `small`"]),
        ({"prefer": ["small", "small"]}, ["prefer", "twice"]),
        ({"fallback": ["none"]}, ["fallback", "'none'"]),
        ({"retries": {"first_wait": 9, "longest_wait": 8}}, ["retries.first_wait"]),
        ({"breaker": {"cool_down": 9, "longest_cool_down": 8}}, ["breaker.cool_down"]),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_its_key(settings: dict[str, object], words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        compiled(**settings)
    assert all(word in f"{caught.value.message} {caught.value.mend}" for word in words)


@pytest.mark.parametrize(
    "settings",
    [
        {"favour": []},
        {"retries": {"tries": 0}},
        {"breaker": {"share": 0}},
        {"breaker": {"window": -1}},
        {"fallback": "large"},
    ],
)
def test_a_setting_of_the_wrong_shape_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        compiled(**settings)
