import json
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import Withheld
from fairlead.identity.types import Caller
from fairlead.models.types import Model, Placement
from fairlead.policy import Asked, Policy, Redaction, Rule, RulesFile, compile_policy
from fairlead.policy.settings import DetectorSetting, FactSetting

ANN = Caller(person="ann")
FAR = Model(name="far", endpoint="e", remote="r", placement=Placement("cloud"))
VALUES = {
    "payment_card": ["4111 1111 1111 1111", "5555555555554444", "4111\u00a01111\u00a01111\u00a01111"],
    "email": ["anna.berg@mail.example.org", "x@y.de"],
    "phone": ["+49 30 901820", "(212) 555-0187"],
    "secret": ["password: hunter2!x", "sk-" + "a1B2c3D4e5F6g7H8i9J0", "postgres://app:s3cr3t@db/x"],
    "iban": ["DE89 3704 0044 0532 0130 00"],
}
EXTRA = RulesFile(
    detectors=(
        DetectorSetting("project", "project", r"(?i)\bproject (?:blue|blue whale|red)(?: [a-z]{1,6}){0,2}\b"),
        DetectorSetting("wide", "wide", r"<(?P<value>[^>]{1,40})>"),
    ),
    facts=(
        FactSetting("discount", r"(?P<value>\d{1,3}(?:\.\d{1,2})?) ?%", "decimal", "max"),
        FactSetting("disclaimer", r"(?i)no legal advice", "bool"),
    ),
)
BLACKED = [*VALUES, "project", "wide"]
MASKING = compile_policy({}, [Rule(redact=tuple(BLACKED), audience="replies")], {"rules/a.yaml": EXTRA})
PERMIT = 'permit(principal, action == Action::"release_reply", resource);'
LIMIT = (
    PERMIT
    + '@id("limit") @reason("at most 15 per cent") forbid(principal, action == Action::"release_reply", resource)'
    ' when { context.facts has discount && context.facts.discount.greaterThan(decimal("15.0")) };'
)


def screened(policy: Policy, chunks: list[str], redaction: Redaction | None = None) -> list[str]:
    screen = policy.screen(ANN, Asked("t"), FAR, redaction)
    return [*(screen.feed(chunk) for chunk in chunks), screen.close()]


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(edges)]


planted = st.sampled_from([v for values in VALUES.values() for v in values] + ["project blue whale x", "<a> <", "12 %"])
noise = st.one_of(
    st.text(alphabet="ab1 4-.@:+é€<>[]\u00a0", max_size=12),
    st.sampled_from(
        [" ", ", ", "password", "project blu", "4111 1111", "+49", "DE89 ", "sk-", "x@", "-----BEGIN ", "\\n", "\\"]
    ),
)
texts = st.lists(st.one_of(noise, planted), max_size=10).map("".join)
places = st.lists(st.integers(0, 400), max_size=40)


@given(texts, places)
def test_what_is_released_does_not_depend_on_how_the_reply_was_cut(text: str, where: list[int]) -> None:
    assert "".join(screened(MASKING, cut(text, where))) == "".join(screened(MASKING, [text]))


@settings(max_examples=60)
@given(texts)
def test_one_character_at_a_time_comes_to_the_same(text: str) -> None:
    assert "".join(screened(MASKING, list(text))) == "".join(screened(MASKING, [text]))


@given(st.sampled_from(list(VALUES)), st.data(), places)
def test_no_forbidden_value_is_ever_released(category: str, data: st.DataObject, where: list[int]) -> None:
    value = data.draw(st.sampled_from(VALUES[category]))
    text = "He wrote: " + value + " and that was all of it."
    out = "".join(screened(MASKING, cut(text, where)))
    found = MASKING.detect_text(text).found
    secret = next(text[f.start : f.end] for f in found if f.category == category)
    assert secret not in out
    assert f"[redacted {category}]" in out
    assert out.startswith("He wrote: ")
    assert out.endswith(" and that was all of it.")


@cache
def withholding(category: str) -> Policy:
    return compile_policy({}, [Rule(withhold=(category,))])


@given(st.sampled_from(list(VALUES)), st.data(), places)
def test_nothing_of_a_forbidden_value_leaves_before_the_reply_is_withheld(category, data, where) -> None:
    policy = withholding(category)
    value = data.draw(st.sampled_from(VALUES[category]))
    text = "So: " + value + " ok."
    secret = next(f for f in policy.detect_text(text).found if f.category == category)
    screen, released = policy.screen(ANN, Asked("t"), FAR), ""
    with pytest.raises(Withheld) as caught:
        for chunk in cut(text, where):
            released += screen.feed(chunk)
        released += screen.close()
    assert text[: secret.start].startswith(released)
    assert caught.value.step == "check"
    assert "rule-1" in caught.value.message


@given(st.sampled_from([v for k in ("payment_card", "iban", "phone") for v in VALUES[k]]), places)
def test_a_value_on_a_new_line_within_json_is_blacked_out_however_it_is_cut(value: str, where: list[int]) -> None:
    text = json.dumps({"note": f"So:\n{value}\tand"}, ensure_ascii=False)
    out = "".join(screened(MASKING, cut(text, where)))
    assert value not in out
    assert out.startswith('{"note": "So:\\n[redacted ')
    assert json.loads(out)


@given(st.sampled_from(VALUES["payment_card"]))
def test_arguments_of_a_tool_call_are_judged_as_what_their_escapes_mean(value: str) -> None:
    for spelled in (json.dumps([value]), '["' + "".join(f"\\u{ord(c):04x}" for c in value) + '"]'):
        screen = MASKING.screen(ANN, Asked("t"), FAR, arguments=True)
        assert json.loads(screen.whole(spelled)) == ["[redacted payment_card]"]


def test_clean_prose_streams_without_delay_but_for_the_word_in_hand() -> None:
    text = "The order was sent on Monday, and should arrive within three working days. "
    policy = compile_policy({}, [Rule(redact=("payment_card",), audience="replies")])
    assert screened(policy, list(text.lower())) == [*text.lower(), ""]
    held, screen = 0, MASKING.screen(ANN, Asked("t"), FAR)
    for position, character in enumerate(text):
        held += 1 - len(screen.feed(character))
        assert held <= len(text[: position + 1].rsplit(" ", 1)[-1]) + 10


def test_a_number_that_proves_to_be_no_card_is_released() -> None:
    text = "Parcel 4111 1111 1111 1112 is on its way."
    assert "".join(screened(MASKING, list(text))) == text


def test_a_long_key_is_blacked_out_to_its_end() -> None:
    body = "\n".join(["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODkwYWJjZGVmZ2hpamts"] * 120)
    text = f"Here:\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\nKeep it safe."
    chunks = [text[i : i + 17] for i in range(0, len(text), 17)]
    assert "".join(screened(MASKING, chunks)) == "Here:\n[redacted secret]\nKeep it safe."


def test_a_screen_tells_which_categories_it_found() -> None:
    text = "é€ card 4111 1111 1111 1111 und x@y.de."
    screen = MASKING.screen(ANN, Asked("t"), FAR)
    for chunk in text:
        screen.feed(chunk)
    screen.close()
    assert screen.categories == {"payment_card", "email"}
    assert screen.decision.redact == {"payment_card", "email"}


def test_a_fact_beyond_the_limit_withholds_the_reply_before_it_is_shown() -> None:
    policy = compile_policy({"policies/a.cedar": LIMIT}, (), {"rules/a.yaml": EXTRA})
    assert "".join(screened(policy, list("I offer 5% or 12.5 % off."))) == "I offer 5% or 12.5 % off."
    screen, released = policy.screen(ANN, Asked("t"), FAR), ""
    with pytest.raises(Withheld) as caught:
        for chunk in "I offer 5% or 20 % off.":
            released += screen.feed(chunk)
    assert released == "I offer 5% or "
    assert caught.value.why == "at most 15 per cent"
    assert screen.facts == {"discount": Decimal("20.0000")}


def test_a_reply_that_must_say_something_waits_until_it_is_complete() -> None:
    needs = PERMIT + (
        '@id("needs") forbid(principal, action == Action::"release_reply", resource)'
        " unless { context.facts has disclaimer };"
        '@id("mask") @redact("email") forbid(principal, action == Action::"release_reply", resource)'
        ' when { context.categories.contains("email") };'
    )
    policy = compile_policy({"policies/a.cedar": needs}, (), {"rules/a.yaml": EXTRA})
    text = "Write to x@y.de. This is no legal advice."
    assert screened(policy, list(text))[-1] == "Write to [redacted email]. This is no legal advice."
    with pytest.raises(Withheld):
        screened(policy, ["Trust me."])


def test_where_nothing_may_ever_be_released_the_screen_says_so_at_once() -> None:
    policy = compile_policy({"policies/a.cedar": 'permit(principal, action == Action::"call_model", resource);'})
    with pytest.raises(Withheld):
        policy.screen(ANN, Asked("t"), FAR)
    assert any("release_reply" in note for note in policy.notes)


def test_without_rules_about_replies_the_text_passes_untouched() -> None:
    policy = compile_policy({})
    assert not policy.screens_replies
    assert screened(policy, ["4111 1111 ", "1111 1111"]) == ["4111 1111 ", "1111 1111", ""]


@given(places)
def test_placeholders_are_put_back_however_they_are_cut_and_not_screened_again(where: list[int]) -> None:
    redaction = Redaction({"[EMAIL_1]": "anna@example.org", "[PAYMENT_CARD_1]": "4111111111111111"})
    text = "[ [EMAIL_1] has [PAYMENT_CARD_1], not [PAYMENT_CARD_2] or [EMAIL_ nor b@example.org [EMAIL"
    out = "".join(screened(MASKING, cut(text, where), redaction))
    assert out == (
        "[ anna@example.org has 4111111111111111, not [PAYMENT_CARD_2] or [EMAIL_ nor [redacted email] [EMAIL"
    )


def test_in_the_arguments_of_a_tool_call_the_original_is_escaped() -> None:
    redaction = Redaction({"[SECRET_1]": 'a"b\\c'})
    screen = compile_policy({}).screen(ANN, Asked("t"), FAR, redaction, arguments=True)
    assert json.loads(screen.feed('{"p": "[SECRET_1]"}') + screen.close()) == {"p": 'a"b\\c'}
