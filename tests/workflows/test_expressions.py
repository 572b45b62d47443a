from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expressions import Expression
from fairlead.workflows.templates import Template, as_text, pieces_of

_LONG = "x" * 100_000

_HOSTILE = [
    ("(" * 60 + "1" + ")" * 60, {}),
    ("a" + ".a" * 1900, {}),
    ("'x'" * 3000, {}),
    (
        "[input.s].map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a)[0].size()",
        {"s": _LONG},
    ),
    ("input.s.replace('x', input.s)", {"s": _LONG}),
    ("input.l.map(a, input.l.map(b, input.l.map(c, input.s)))", {"l": list(range(300)), "s": "y"}),
    ("input.l.map(a, a)", {"l": list(range(20_000))}),
    ("input.l.all(a, input.l.all(b, a >= b || a < b))", {"l": list(range(300))}),
    ("input.s.matches('(((a{100}){100}){100})')", {"s": "a"}),
    ("9223372036854775807 + 1", {}),
    ("1 / 0", {}),
    ("1.0 / 0.0", {}),
    ("input.n + 1", {"n": 1 << 80}),
    ("input.missing", {}),
    ("input.l[7]", {"l": [1]}),
    ("input.s.a", {"s": "text"}),
    ("{1: 2}", {}),
    ("type(1)", {}),
    ("input.n * 1.5", {"n": 3}),
    ("input.n.map(a, a)", {"n": 3}),
    ("input.l.map(item, item)", {"l": []}),
]


@pytest.mark.parametrize(("text", "given"), _HOSTILE, ids=[text[:30] for text, _ in _HOSTILE])
def test_what_cannot_be_reckoned_or_is_too_much_is_an_error_that_shows_the_expression(text: str, given: object) -> None:
    with pytest.raises(BadExpression) as wrong:
        Expression(text).value({"input": given})
    assert text[:20] in wrong.value.message


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet="input.()[]{}+*-!?:&|\"'a1, \n", max_size=30))
def test_any_text_compiles_or_is_told_wrong(text: str) -> None:
    with suppress(BadExpression):
        Expression(text).value({"input": {"a": 1}})


def test_a_regular_expression_that_would_take_for_ever_elsewhere_does_not() -> None:
    assert Expression("input.s.matches('(a+)+$')").value({"input": {"s": "a" * 5000 + "!"}}) is False


def test_money_adds_up_and_is_rounded_as_people_do() -> None:
    assert Expression("sum(input.l)").value({"input": {"l": [0.1, 0.2, 3]}}) == 3.3
    assert Expression("round(input.n, 2)").value({"input": {"n": 1.005}}) == 1.0
    assert Expression("timestamp('2026-01-31T00:00:00Z') + duration('24h')").value({}) == "2026-02-01T00:00:00Z"


@settings(max_examples=20, deadline=None)
@given(text=st.text(alphabet="ab{}$ é\n", max_size=20))
def test_a_text_without_expressions_stays_as_it_is(text: str) -> None:
    plain = text.replace("$", "")
    assert Template(plain, Expression).filled({}) == plain


def test_what_is_nothing_but_an_expression_keeps_its_type() -> None:
    given = {"input": {"a": 3.0, "l": [1, "x"], "n": None}}
    value = {"one": "${input.l}", "in": "a ${input.a} $${b} ${ {'k': '}'}.k } ${input.l}", "none": "${input.n}", "n": 4}
    filled = Template(value, Expression).filled(given)
    assert filled == {"one": [1, "x"], "in": 'a 3 ${b} } [1,"x"]', "none": None, "n": 4}
    assert pieces_of("$${") == [(False, "${")]
    assert as_text(0.5) == "0.5"


@pytest.mark.parametrize(
    ("text", "comes_to"),
    [
        ("value", "fine\ufffdand more"),
        ("value.contains('more')", True),
        ("value == 'fine'", False),
        ("input", {"a\ufffdb": ["x\ufffd"], "a": "\\u0000"}),
        ("size(text)", 3),
    ],
)
def test_a_text_does_not_end_at_a_nul(text: str, comes_to: Any) -> None:
    given = {"value": "fine\0and more", "input": {"a\0b": ["x\0"], "a": "\\u0000"}, "text": "abc"}
    assert Expression(text).value(given) == comes_to
