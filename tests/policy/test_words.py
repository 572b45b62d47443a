"""Words that are never used: found however they are written, and not a byte of them leaves, however it was cut."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput, Withheld
from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.models.types import Model, Placement
from fairlead.policy import Asked, Policy, Rule, RulesFile, compile_policy
from fairlead.policy.settings import WordsSetting

ANN = Caller(person="ann", department="sales")
FAR = Model(name="far", endpoint="e", remote="r", placement=Placement("cloud"))
NEVER = ("guarantee*", "risk-free", "best price in town", "café*", "don't worry", "Großstraße", "Hass", "ế")
SPELLINGS = [
    "guarantee", "Guaranteed", "GUARANTEES", "risk free", "Risk-Free", "risk\u00a0free", "risk\u2011free",
    "risk\u3000free", "risk\u00adfree", "risk\u2060free", "risk\ufefffree", "RISK\u2212FREE",
    "risk~~ free", "risk\\-free", "risk` free",
    "best  price\nin town", "best **price** in town", "BEST PRICE IN TOWN", "Café", "cafés", "don\u2019t worry",
    "cafe\u0301", "CAFE\u0301S", "cafe\u0301\u0301", "GROSSSTRASSE", "Gro\u00dfstrasse",
    "GRO\u1e9eSTRA\u1e9eE", "Ha\u00df", "HASS",
    "e\u0302\u0301", "\u00ea\u0301", "\u1ebe",
]  # fmt: skip
CLEAN = [
    "warranty",
    "risk",
    "free",
    "asterisk free",
    "best price",
    "price in town",
    "caf",
    "hassle",
    "e\u0301\u0302",  # another letter: the order of marks at one place matters
    "has",
    "riskfree",
    "worry",
    " ",
    "é",
    "g",
]


def policy(then: str = "withhold", **more: Any) -> Policy:
    rule = WordsSetting(name="brand", never=NEVER, then=then, **more)  # type: ignore[arg-type]
    return compile_policy({}, [], {"rules/brand.yaml": RulesFile(words=(rule,))})


WITHHOLDING, REDACTING = policy(), policy("redact")
REPLACING = policy("replace", instead='our usual "terms"')


def released(policy: Policy, text: str, cuts: list[int], *, arguments: bool = False) -> str:
    screen = policy.screen(ANN, Asked("t"), FAR, arguments=arguments)
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    out = "".join(screen.feed(text[low:high]) for low, high in pairwise(edges))
    return out + screen.close()


texts = st.lists(st.sampled_from([*SPELLINGS, *CLEAN]), max_size=6).map(" ".join)
places = st.lists(st.integers(0, 300), max_size=30)


@given(st.lists(st.sampled_from(CLEAN), max_size=6).map(", ".join), places)
def test_what_only_looks_alike_leaves_as_it_came(text: str, cuts: list[int]) -> None:
    for each in (WITHHOLDING, REDACTING, REPLACING):
        assert released(each, text, cuts) == text


@given(st.sampled_from(SPELLINGS), places, texts)
def test_nothing_of_a_forbidden_phrase_leaves(phrase: str, cuts: list[int], after: str) -> None:
    text = f"So, {phrase}, {after}"
    screen, out = WITHHOLDING.screen(ANN, Asked("t"), FAR), ""
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    with pytest.raises(Withheld, match="brand"):
        for low, high in pairwise(edges):
            out += screen.feed(text[low:high])
        screen.close()
    assert "So, ".startswith(out)


@given(texts, places)
def test_what_is_said_instead_does_not_depend_on_the_cuts(text: str, cuts: list[int]) -> None:
    for each, instead in ((REDACTING, "[redacted brand]"), (REPLACING, 'our usual "terms"')):
        out = released(each, text, cuts)
        assert out == released(each, text, [])
        assert not each.detect_text(out).labels.categories & {"brand"}
        assert (out == text) or instead in out
        assert released(WITHHOLDING, out, cuts) == out


def test_what_is_said_instead_is_escaped_in_the_arguments_of_a_tool_call() -> None:
    assert released(REPLACING, '{"say": "risk-free"}', [], arguments=True) == '{"say": "our usual \\"terms\\""}'


def test_words_are_watched_and_scoped_as_other_rules_are() -> None:
    watching = policy(mode="warn", tasks=("advice",))
    for task, hits in (("advice", {("brand", "warn", "withhold")}), ("chat", set())):
        screen = watching.screen(ANN, Asked(task), FAR)
        assert screen.whole("risk-free") == "risk-free"
        assert {(hit.policy, hit.mode, hit.effect) for hit in screen.hits} == hits
    sales = policy(departments=("sales",))
    assert sales.screen(Caller(person="eve"), Asked("t"), FAR).whole("risk-free") == "risk-free"


def test_requests_are_looked_at_where_the_rule_says_so() -> None:
    refusing = policy(direction="both")
    labels = refusing.detect_text("is it risk-free?").labels
    assert labels == Labels(categories=frozenset({"brand"}))
    denied = refusing.authorize_afresh(ANN, "t", labels, [FAR], "d").decisions["far"]
    assert [each.policy for each in denied.reasons] == ["brand-asked"]
    assert WITHHOLDING.detect_text("is it risk-free?").labels == Labels()
    assert not policy(direction="in").screens_replies


def test_other_rules_may_speak_of_the_words() -> None:
    rules = RulesFile(words=(WordsSetting(name="brand", never=("cheap",), mode="shadow", direction="in"),))
    both = compile_policy({}, [Rule(keep_local=("brand",))], {"rules/b.yaml": rules})
    labels = both.detect_text("a cheap one").labels
    assert not both.authorize_afresh(ANN, "t", labels, [FAR], "d").decisions["far"].allowed


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"never": ()}, "no words"),
        ({"then": "replace"}, "belong together"),
        ({"instead": "x"}, "belong together"),
        ({"then": "replace", "instead": "x", "direction": "both"}, "not replaced"),
        ({"then": "replace", "instead": "so cheap"}, "says what must not be said"),
        ({"never": ("che*ap",)}, "is no phrase"),
        ({"never": ("--",)}, "is no phrase"),
        ({"patterns": ("a+",)}, "cannot be used"),
        ({"name": "email"}, "exists already"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused(rule: dict[str, Any], said: str) -> None:
    setting = WordsSetting(**{"name": "brand", "never": ("cheap",), **rule})
    with pytest.raises(BadInput, match=said):
        compile_policy({}, [], {"rules/brand.yaml": RulesFile(words=(setting,))})
