import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.errors import BadInput, Withheld
from fairlead.identity.types import Caller
from fairlead.models.message_text import text_of
from fairlead.models.types import (
    ChatRequest,
    Function,
    Message,
    Model,
    Part,
    Placement,
    ResponseFormat,
    TextPart,
    ToolCall,
)
from fairlead.policy import Asked, Rule, RulesFile, compile_policy
from fairlead.policy.pseudonyms import Pseudonyms, fold
from fairlead.policy.restoring import restorer_of
from fairlead.policy.settings import DetectorSetting
from fairlead.policy.substitutes import Redaction

POLICY = compile_policy({})
CATEGORIES = frozenset({"payment_card", "email", "secret", "phone", "iban", "national_id"})
ANNA, IBAN, CARD, PHONE = "anna@example.org", "DE89370400440532013000", "4111 1111 1111 1111", "+49 30 901820"


def asking(*contents: str | list[Part]) -> ChatRequest:
    return ChatRequest(model="auto", size=100, messages=[Message("user", each) for each in contents])


def named(request: ChatRequest, key: bytes = b"k", categories: frozenset[str] = CATEGORIES):
    pseudonyms = Pseudonyms(key)
    sent, redaction = POLICY.redact(request, POLICY.detect(request), categories, categories, pseudonyms)
    return sent, redaction, pseudonyms


def back(redaction: Redaction, text: str, *, quoted: bool = False, cuts: tuple[int, ...] = ()) -> str:
    restorer = restorer_of(redaction, quoted=quoted)
    assert restorer is not None
    at, out = 0, ""
    for cut in (*sorted({min(each, len(text)) for each in cuts}), len(text)):
        out += restorer.feed(text[at:cut])
        at = cut
    return out + restorer.close()


def test_values_leave_as_what_a_model_can_work_with_and_stay_what_they_look_like() -> None:
    sent, redaction, pseudonyms = named(asking(f"{ANNA} pays {IBAN} by {CARD}, call {PHONE}"))
    text = text_of(sent.messages[0])
    assert re.fullmatch(r"user\.[0-9a-z]{4}@person\.example pays ZZ\d{18} by Card_[0-9A-Z]{4}, call \+999\d{8}", text)
    iban = re.search(r"ZZ\d{18}", text)
    assert iban is not None
    assert int("".join(str(int(c, 36)) for c in iban[0][4:] + iban[0][:4])) % 97 == 1
    assert back(redaction, text) == f"{ANNA} pays {IBAN} by {CARD}, call {PHONE}"
    assert pseudonyms.counts == {"email": 1, "iban": 1, "payment_card": 1, "phone": 1}


def test_the_same_value_is_the_same_in_the_next_turn_and_another_elsewhere() -> None:
    first, _, _ = named(asking(f"write to {ANNA}"))
    again, _, _ = named(asking("context first: bob@example.org", f"write to {ANNA.upper()}", "and?"))
    other, _, _ = named(asking(f"write to {ANNA}"), key=b"another conversation")
    assert text_of(first.messages[0]) == text_of(again.messages[1]) != text_of(other.messages[0])


def test_a_pseudonym_that_the_text_holds_already_is_not_used() -> None:
    sent, _, _ = named(asking(CARD))
    mine = text_of(sent.messages[0])
    for written in (mine, mine.upper(), mine.replace("_", " "), mine.replace("_", "")):
        sent, redaction, _ = named(asking(f"who is {written}? {CARD}"))
        text = text_of(sent.messages[0])
        assert text.startswith(f"who is {written}? Card_")
        assert not text.endswith(mine)
        assert back(redaction, text) == f"who is {written}? {CARD}"


def test_where_one_policy_wants_a_mark_it_is_a_mark() -> None:
    pseudonyms = Pseudonyms(b"k")
    request = asking(f"{ANNA} {CARD}")
    sent, _ = POLICY.redact(request, POLICY.detect(request), CATEGORIES, frozenset({"payment_card"}), pseudonyms)
    assert re.fullmatch(r"\[EMAIL_1\] Card_[0-9A-Z]{4}", text_of(sent.messages[0]))


@pytest.mark.parametrize(
    "bent",
    ["{}", "{}'s", "({})", "**{}**", "_{}_", "`{}`", "{}s", "{}, {}", "«{}»", "{}.", "\n{}\n", "é{}é", "{}/{}"],
)
@pytest.mark.parametrize("way", [str, str.upper, str.lower])
@pytest.mark.parametrize("gap", ["_", "\\_", " ", "-", "\u00a0", ""])
def test_what_a_model_bends_is_put_back_all_the_same(bent: str, way: type[str], gap: str) -> None:
    sent, redaction, pseudonyms = named(asking(CARD))
    written = way(text_of(sent.messages[0])).replace("_", gap)
    assert back(redaction, bent.replace("{}", written)) == bent.replace("{}", CARD)
    assert not pseudonyms.strange


@pytest.mark.parametrize("bent", ["x{}", "{}x", "{}9", "1{}", "Card_", "Card_QQ9"])
def test_what_only_looks_like_one_stays_as_it_is(bent: str) -> None:
    sent, redaction, _ = named(asking(CARD))
    text = bent.replace("{}", text_of(sent.messages[0]))
    assert back(redaction, text) == text


def test_a_pseudonym_that_nobody_gave_is_noted() -> None:
    sent, redaction, pseudonyms = named(asking(CARD))
    mine = text_of(sent.messages[0])
    other = mine[:-1] + ("2" if mine[-1] != "2" else "3")
    assert back(redaction, f"{mine} and {other}") == f"{CARD} and {other}"
    assert pseudonyms.strange == {other}


def test_in_the_arguments_of_a_tool_call_values_are_written_as_json() -> None:
    own = RulesFile(detectors=(DetectorSetting("part", "part_number", 'no "[0-9]{3}"'),))
    policy = compile_policy({}, files={"rules/a.yaml": own})
    request, part = asking('order no "123" now'), frozenset({"part_number"})
    sent, redaction = policy.redact(request, policy.detect(request), part, part, Pseudonyms(b"k"))
    mine = text_of(sent.messages[0]).split()[1]
    assert mine.startswith("Part_Number_")
    arguments = json.dumps({"to": mine, "also": f"{mine}\nthen", "and": f"x\n{mine}"})
    assert json.loads(back(redaction, arguments, quoted=True)) == {
        "to": 'no "123"', "also": 'no "123"\nthen', "and": 'x\nno "123"'
    }  # fmt: skip


def test_arguments_of_earlier_calls_are_pseudonymised_and_stay_json() -> None:
    call = ToolCall("1", Function("pay", f'{{"card": 4111111111111111, "to": "{ANNA}"}}'))
    request = ChatRequest(model="auto", size=1, messages=[Message("assistant", None, tool_calls=[call])])
    sent, redaction, _ = named(request)
    calls = sent.messages[0].tool_calls
    assert calls is not None
    found = json.loads(calls[0].function.arguments)
    assert found["to"].endswith("@person.example")
    assert back(redaction, found["card"]) == "4111111111111111"


planted = st.sampled_from(
    [CARD, ANNA, "password: hunter2!x", PHONE, IBAN, "password=4111111111111111", "[EMAIL_1]", "123-45-6789",
     "postgres://a:b@c.org@x.org", "Card_K7Q2", "user.k7q2@person.example", "+999 1234 5678", "Card ", "\\"]
)  # fmt: skip
texts = st.lists(st.one_of(planted, st.text(alphabet="aCs1 :=@.[]_é-'", max_size=6)), max_size=8).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(texts, min_size=1, max_size=2), st.binary(min_size=1, max_size=8), st.lists(st.integers(0, 80)))
def test_what_is_sent_holds_none_of_it_and_comes_back_however_it_is_cut(
    contents: list[str], key: bytes, cuts: list[int]
) -> None:
    request = asking(*contents)
    sent, redaction, _ = named(request, key)
    assert redaction.undo is not None
    assert all(redaction.undo.value(left) or left in redaction.placeholders for left in _values(sent))
    if restorer_of(redaction) is None:
        assert not any(_values(request))
        return
    for before, after in zip(contents, sent.messages, strict=True):
        text = text_of(after)
        out = back(redaction, text, cuts=tuple(cuts))
        assert out == back(redaction, text)
        assert fold(out) == fold(before)  # of a number, as it was written first


def _values(request: ChatRequest):
    found = POLICY.detect(request).found
    for each in found:
        if each.category in CATEGORIES:
            yield text_of(request.messages[each.message])[each.start : each.end]


@given(texts, st.lists(st.integers(0, 60)))
@settings(max_examples=40, deadline=None)
def test_what_comes_out_depends_on_the_reply_alone(reply: str, cuts: list[int]) -> None:
    sent, redaction, _ = named(asking(f"{CARD} {ANNA} {PHONE} {IBAN}"))
    given_out = text_of(sent.messages[0]).replace(" ", reply[:7]) + reply
    assert back(redaction, given_out, cuts=tuple(cuts)) == back(redaction, given_out)


def test_values_that_differ_have_different_pseudonyms() -> None:
    many = [f"user{number}@example.org" for number in range(1000)]
    sent, redaction, pseudonyms = named(asking(" ".join(many)), categories=frozenset({"email"}))
    written = text_of(sent.messages[0]).split()
    assert len(set(map(fold, written))) == len(many) == pseudonyms.counts["email"]
    assert back(redaction, " ".join(written)) == " ".join(many)


def test_a_lean_rule_asks_for_pseudonyms_and_replies_have_none() -> None:
    policy = compile_policy({}, [Rule(pseudonymise=("email",), audience="cloud")])
    assert policy.pseudonymises == {"email"}
    assert '@pseudonymise("email")' in policy.statements[0].text
    with pytest.raises(BadInput, match="replies are not pseudonymised"):
        compile_policy({}, [Rule(pseudonymise=("email",), audience="replies")])


@pytest.mark.parametrize(
    "cedar",
    [
        '@pseudonymise("email") forbid(principal, action == Action::"release_reply", resource);',
        '@pseudonymise("email") permit(principal, action == Action::"call_model", resource);',
        '@pseudonymise("email") @redact("email") forbid(principal, action == Action::"call_model", resource);',
    ],
)
def test_cedar_that_asks_for_pseudonyms_where_there_can_be_none_is_refused(cedar: str) -> None:
    with pytest.raises(BadInput):
        compile_policy({"a.cedar": cedar})


def test_parts_of_a_message_share_their_pseudonym() -> None:
    sent, redaction, _ = named(asking([TextPart("card 4111 1111"), TextPart(" 1111 1111 ok")]))
    assert back(redaction, text_of(sent.messages[0])) == "card 4111 1111 1111 1111 ok"


def test_what_the_caller_gave_is_no_finding_in_a_reply_and_what_the_model_brings_is() -> None:
    policy = compile_policy({}, [Rule(withhold=("email",)), Rule(pseudonymise=("email",), audience="cloud")])
    request = asking(f"write to {ANNA}")
    email = frozenset({"email"})
    sent, redaction = policy.redact(request, policy.detect(request), email, email, Pseudonyms(b"k"))
    mine = text_of(sent.messages[0]).split()[-1]
    far = Model(name="far", endpoint="e", remote="r", placement=Placement("cloud"))
    for written in (mine, mine.upper(), f"({mine})"):
        reply, out = f"I wrote to {written}.", f"I wrote to {written.replace(mine, ANNA).replace(mine.upper(), ANNA)}."
        screen = policy.screen(Caller(person="ann"), Asked("t"), far, redaction)
        assert "".join([*map(screen.feed, reply), screen.close()]) == out
    screen = policy.screen(Caller(person="ann"), Asked("t"), far, redaction)
    with pytest.raises(Withheld):
        "".join([screen.feed(f"{mine} or bob@example.org"), screen.close()])


def test_in_a_reply_that_is_to_be_json_values_are_written_as_json() -> None:
    own = RulesFile(detectors=(DetectorSetting("part", "part_number", 'no "[0-9]{3}"'),))
    policy, part = compile_policy({}, files={"rules/a.yaml": own}), frozenset({"part_number"})
    request = replace(asking('order no "123" now'), response_format=ResponseFormat("json_object"))
    sent, redaction = policy.redact(request, policy.detect(request), part, part, Pseudonyms(b"k"))
    mine = text_of(sent.messages[0]).split()[1]
    assert json.loads(back(redaction, json.dumps({"part": f"{mine}\n{mine}"}))) == {"part": 'no "123"\nno "123"'}
