"""Tokens are never counted too low: by kind of text, and by what models have reported."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.measure import USUAL, Script, allowed, kind_of, measure_of

PROSE = "Customers may return what they have bought within thirty days, if they have kept the receipt. " * 3


def test_texts_are_told_apart_by_what_their_tokens_cost() -> None:
    kinds = {
        PROSE: "prose",
        "Die Rücksendung muß binnen dreißig Tagen erfolgen, sofern die Ware heil ist.": "prose",
        "def total(prices, tax):  return sum(prices) * (1 + tax)": "mixed",
        "528974; 805106; 34155; 150714; 517931": "dense",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 5: "dense",
        "Покупатель может вернуть товар в течение тридцати дней.": "letters",
        "退货政策规定顾客可以在三十天内凭收据退回任何商品": "signs",
    }
    assert {text: kind_of(text)[0] for text in kinds} == kinds


def test_a_model_that_reports_fewer_tokens_gets_more_text_into_the_same_budget() -> None:
    learned = measure_of(["small"], {("small", "prose"): 0.22}, {})
    assert learned.tokens(PROSE) < USUAL.tokens(PROSE)
    assert learned.signs == USUAL.signs
    assert measure_of(["small", "other"], {("small", "prose"): 0.22}, {}).prose == USUAL.prose
    assert measure_of(["quotes"], {}, {"quotes": 0.25}).dense == 0.25
    assert measure_of([], {}, {}) == USUAL


@given(st.sampled_from(["prose", "mixed", "dense", "letters", "signs"]), st.floats(0, 3))
def test_a_rate_is_never_below_what_was_seen_nor_above_a_token_a_byte(script: Script, seen: float) -> None:
    assert min(seen, 1.0) <= allowed(script, seen) <= 1.0
    if seen <= allowed(script, None):
        assert allowed(script, seen) <= allowed(script, None)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_text_is_never_without_tokens(one: str, other: str) -> None:
    assert USUAL.tokens(one) >= 1
    assert USUAL.tokens(one + other) >= (len(one + other)) / 3.1
