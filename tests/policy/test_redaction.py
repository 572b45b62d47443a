import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import Denied
from fairlead.models.content import CacheControl, FileData, FilePart, ImagePart, ImageUrl, Thought
from fairlead.models.message_text import text_of
from fairlead.models.types import (
    ChatRequest,
    Function,
    FunctionTool,
    Message,
    Part,
    TextPart,
    Tool,
    ToolCall,
)
from fairlead.policy import compile_policy

POLICY = compile_policy({})
CATEGORIES = frozenset({"payment_card", "email", "secret", "phone", "iban", "national_id"})


def asking(*contents: str | list[Part]) -> ChatRequest:
    return ChatRequest(model="auto", size=100, messages=[Message("user", each) for each in contents])


def redacted(request: ChatRequest, categories: frozenset[str] = CATEGORIES):
    return POLICY.redact(request, POLICY.detect(request), categories)


def test_the_same_value_gets_the_same_placeholder_in_every_message() -> None:
    request = asking("a@x.org, b@x.org", "again a@x.org")
    sent, redaction = redacted(request)
    assert [text_of(m) for m in sent.messages] == ["[EMAIL_1], [EMAIL_2]", "again [EMAIL_1]"]
    assert redaction.placeholders == {"[EMAIL_1]": "a@x.org", "[EMAIL_2]": "b@x.org"}
    assert text_of(request.messages[0]) == "a@x.org, b@x.org"


def test_only_the_named_categories_are_taken_out() -> None:
    sent, _ = redacted(asking("a@x.org 4111111111111111"), frozenset({"payment_card"}))
    assert text_of(sent.messages[0]) == "a@x.org [PAYMENT_CARD_1]"


def test_a_placeholder_that_the_text_holds_already_is_not_used() -> None:
    sent, redaction = redacted(asking("what is [EMAIL_1]? a@x.org"))
    assert text_of(sent.messages[0]) == "what is [EMAIL_1]? [EMAIL_2]"
    assert redaction.placeholders == {"[EMAIL_2]": "a@x.org"}


def test_a_value_across_two_parts_is_taken_out_of_both() -> None:
    sent, redaction = redacted(asking([TextPart("card 4111 1111"), TextPart(" 1111 1111 ok")]))
    assert sent.messages[0].content == [TextPart("card [PAYMENT_CARD_1]"), TextPart(" ok")]
    assert redaction.placeholders == {"[PAYMENT_CARD_1]": "4111 1111 1111 1111"}


def test_the_arguments_of_a_tool_call_stay_valid_json() -> None:
    arguments = '{"card": 4111111111111111, "note": "say \\"4111111111111111\\""}'
    call = ToolCall("1", Function("pay", arguments))
    request = ChatRequest(model="auto", size=1, messages=[Message("assistant", None, tool_calls=[call])])
    sent, _ = redacted(request)
    calls = sent.messages[0].tool_calls
    assert calls is not None
    assert json.loads(calls[0].function.arguments) == {"card": "[PAYMENT_CARD_1]", "note": 'say "[PAYMENT_CARD_1]"'}


def test_a_value_in_a_tool_definition_cannot_be_taken_out_so_the_request_is_denied() -> None:
    tool = Tool(FunctionTool("f", "mail a@x.org"))
    request = ChatRequest(model="auto", size=1, messages=[Message("user", "hi")], tools=[tool])
    with pytest.raises(Denied) as caught:
        redacted(request)
    assert caught.value.mend


def test_the_size_never_understates_what_is_sent() -> None:
    sent, _ = redacted(asking("x@y.de " * 30))
    assert sent.size >= 100 + len("[EMAIL_1] ") * 30 - len("x@y.de ") * 30


planted = st.sampled_from(
    ["4111 1111 1111 1111", "anna@example.org", "password: hunter2!x", "+49 30 901820", "DE89370400440532013000",
     "password=4111111111111111", "[EMAIL_1]", "postgres://a:b@c.org@x.org", "123-45-6789"]
)  # fmt: skip
texts = st.lists(st.one_of(planted, st.text(alphabet="a1 :=@.[]é-", max_size=8)), max_size=8).map("".join)


@given(st.lists(texts, min_size=1, max_size=3))
def test_what_is_sent_holds_none_of_it_and_everything_can_be_put_back(contents: list[str]) -> None:
    request = asking(*contents)
    sent, redaction = redacted(request)
    assert not POLICY.detect(sent).labels.categories & CATEGORIES
    for before, after in zip(contents, sent.messages, strict=True):
        text = text_of(after)
        for placeholder, original in redaction.placeholders.items():
            text = text.replace(placeholder, original)
        assert text == before


def test_a_list_of_many_addresses_is_redacted_in_time_that_grows_with_its_length() -> None:
    many = [f"user{number}@example.org" for number in range(20_000)]
    call = ToolCall("1", Function("invite", json.dumps(many)))
    request = ChatRequest(
        model="auto",
        size=1,
        messages=[
            Message("user", "é " + " ".join(many)),
            Message("user", [TextPart(each + " ") for each in many]),
            Message("assistant", None, tool_calls=[call]),
        ],
    )
    started = time.process_time()
    sent, redaction = redacted(request, frozenset({"email"}))
    assert time.process_time() - started < 10  # each pair compared, it would be minutes
    assert len(redaction.placeholders) == len(many)
    assert text_of(sent.messages[1]).endswith("[EMAIL_20000] ")


def test_a_document_of_text_and_its_mark_stay_what_they_are() -> None:
    mark = CacheControl("ephemeral")
    sent, _ = redacted(asking([TextPart("ask a@", title="Letter"), TextPart("x.org now", cache_control=mark)]))
    assert sent.messages[0].content == [
        TextPart("ask [EMAIL_1]", title="Letter"),
        TextPart(" now", cache_control=mark),
    ]


def test_nothing_that_cannot_be_looked_into_goes_where_something_must_be_taken_out() -> None:
    with pytest.raises(Denied):
        redacted(asking([TextPart("look"), ImagePart(ImageUrl("data:image/png;base64,AA=="))]))


@pytest.mark.parametrize("thinking", [{"reasoning_content": "it is a@x.org"}, {"thoughts": [Thought("it is a@x.org")]}])
def test_earlier_reasoning_that_holds_what_must_not_leave_is_left_out(thinking: dict[str, Any]) -> None:
    said = Message("assistant", "Anna.", **thinking)
    sent, _ = redacted(ChatRequest(model="auto", size=100, messages=[Message("user", "who?"), said]))
    assert sent.messages[1] == Message("assistant", "Anna.")


@pytest.mark.parametrize(
    "part",
    [
        TextPart("text", title="a@x.org"),
        ImagePart(ImageUrl("https://acme.example/?who=a@x.org")),
        FilePart(FileData(file_url="https://acme.example/?who=a@x.org")),
        FilePart(FileData(file_data="data:application/pdf;base64,AA==", filename="a@x.org.pdf")),
    ],
)
def test_the_name_of_what_is_attached_is_read_too(part: Part) -> None:
    with pytest.raises(Denied):
        redacted(asking([part]))


CHAINS = [
    "4111 1111 1111 1111" + "+49 30 901820" * 3,
    "4111 1111 1111 1111" + "+49 30 901820" * 40,
    "token=DE89370400440532013000" * 30,
    "2001:db8::1:" * 60,
    "password=4111111111111111" * 30,
]


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("shape", ["text", "lines", "parts", "arguments"])
def test_values_that_hide_each_other_are_all_taken_out_and_put_back(chain: str, shape: str) -> None:
    categories = CATEGORIES | {"ip_address"}
    calls = [ToolCall("1", Function("f", json.dumps({"a": chain, "b": 1})))]
    message = {
        "text": Message("user", f"See {chain} there"),
        "lines": Message("user", f"See\n{chain}\nthere"),
        "parts": Message("user", [TextPart(f"See {chain[:9]}"), TextPart(f"{chain[9:]} there")]),
        "arguments": Message("assistant", None, tool_calls=calls),
    }[shape]
    sent, redaction = redacted(ChatRequest(model="auto", size=1, messages=[message]), categories)
    assert not POLICY.detect(sent).labels.categories & categories
    (after,) = sent.messages
    text = after.tool_calls[0].function.arguments if after.tool_calls else text_of(after)
    if shape == "arguments":
        assert json.loads(text)["b"] == 1
    for placeholder, original in redaction.placeholders.items():
        text = text.replace(placeholder, original)
    assert text == (calls[0].function.arguments if shape == "arguments" else text_of(message))
