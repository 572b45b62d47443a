import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import BadInput, Broken, Denied
from fairlead.labels import DataClass
from fairlead.models.message_text import text_of
from fairlead.models.sampling import Sampling
from fairlead.models.types import ChatRequest, Function, FunctionTool, Message, TextPart, Tool, ToolCall
from fairlead.policy import RulesFile, compile_policy
from fairlead.policy.detect import REST, Detection
from fairlead.policy.settings import DetectorSetting

POLICY = compile_policy({})
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow+/9hQ3sT7vK2mN5pR8wXzLcVbYdFgHj=\n-----END RSA " + "PRIVATE KEY-----"

FOUND = [
    ("pay with 4111 1111 1111 1111 now", "payment_card", "4111 1111 1111 1111"),
    ("pay with 4111\u00a01111\u00a01111\u00a01111 now", "payment_card", "4111\u00a01111\u00a01111\u00a01111"),
    ("pay with 4111.1111-1111\u200b1111 now", "payment_card", "4111.1111-1111\u200b1111"),
    ("in 2024 4111111111111111, 12", "payment_card", "4111111111111111"),
    ("pay 4111 1111 1111 1111 1234 please", "payment_card", "4111 1111 1111 1111"),
    ("IBAN DE89370400440532013000.", "iban", "DE89370400440532013000"),
    ("mail anna.o'x+y@mail.example.co.uk!", "email", "x+y@mail.example.co.uk"),
    ("call +49 30 901820 today", "phone", "+49 30 901820"),
    ("call (212) 555-0187", "phone", "(212) 555-0187"),
    ("call 01 42 68 53 00", "phone", "01 42 68 53 00"),
    ("SSN 123-45-6789", "national_id", "123-45-6789"),
    ("BSN: 111222333", "national_id", "111222333"),
    ("DNI 12345678Z", "national_id", "12345678Z"),
    ("NI AB123456C", "national_id", "AB123456C"),
    (f"see {KEY} there", "secret", KEY),
    ("AKIA" + "QWERTYUIOPASDFGH", "secret", "AKIA" + "QWERTYUIOPASDFGH"),
    ("ghp_" + "a1B2" * 9, "secret", "ghp_" + "a1B2" * 9),
    ("key sk-" + "a1B2c3D4e5F6g7H8i9J0", "secret", "sk-" + "a1B2c3D4e5F6g7H8i9J0"),
    ("postgres://app:s3cr3t@db/x", "secret", "s3cr3t"),
    ('password = "hunter2!x"', "secret", "hunter2!x"),
    ("API_KEY=9f8e7d6c5b4a39281706", "secret", "9f8e7d6c5b4a39281706"),
    ("Authorization: Bearer a1b2c3d4e5f6g7h8i9j0k", "secret", "a1b2c3d4e5f6g7h8i9j0k"),
]


@pytest.mark.parametrize(("text", "category", "value"), FOUND)
@pytest.mark.parametrize("around", ["", "é→ "])
def test_a_sensitive_value_is_found_where_it_stands(text: str, category: str, value: str, around: str) -> None:
    text = around + text + around
    findings = POLICY.detect_text(text)
    assert [text[f.start : f.end] for f in findings.found if f.category == category] == [value]
    assert category in findings.labels.categories


@pytest.mark.parametrize(
    "text",
    [
        "Invoice 20240115-000123 of 1,234,567.89 EUR, order 4111111111111112.",
        "Version 1.2.3-beta, build 1234567890123456, 192.168.100.200",
        "Chapters 10-12, pages 100 200 300, years 1999 2000 2001 2002",
        "password: changeme, token: your_token_here, api_key=$API_KEY, secret = None",
        "the password must be long; a token is a piece of a word",
        "not.an.email@, @handle, a@b",
        "phone 12345, room 0301, 2024-01-15 10:30",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert POLICY.detect_text(text).found == ()


def test_findings_point_into_the_message_or_the_arguments_they_stand_in() -> None:
    request = ChatRequest(
        model="auto",
        size=1,
        messages=[
            Message("system", "é"),
            Message("user", [TextPart("ö my mail is "), TextPart("a@example.org")]),
            Message("assistant", None, tool_calls=[ToolCall("1", Function("f", '{"to": "b@example.org"}'))]),
        ],
    )
    first, second = POLICY.detect(request).found
    assert text_of(request.messages[1])[first.start : first.end] == "a@example.org"
    assert (first.message, first.tool_call) == (1, -1)
    assert (second.message, second.tool_call) == (2, 0)
    assert '{"to": "b@example.org"}'[second.start : second.end] == "b@example.org"


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "4111\u00a01111\u00a01111\u00a01111", "+49 30 901820"])
@pytest.mark.parametrize("before", ["\n", "\t", '"', "é ", "\\ ", "\x7f"])
def test_what_json_escapes_around_a_value_does_not_hide_it(value: str, before: str) -> None:
    for arguments in (json.dumps({"note": f"card:{before}{value}", "\u00e9": 1}), json.dumps([f"a{before}{value}\n"])):
        call = ToolCall("1", Function("note", arguments))
        request = ChatRequest(model="auto", size=1, messages=[Message("assistant", tool_calls=[call])])
        (found,) = POLICY.detect(request).found
        assert json.loads(f'"{arguments[found.start : found.end]}"') == value
        sent, _ = POLICY.redact(request, POLICY.detect(request), frozenset({found.category}))
        assert sent.messages[0].tool_calls
        assert value not in json.dumps(
            json.loads(sent.messages[0].tool_calls[0].function.arguments), ensure_ascii=False
        )


CARD = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("message", "sampling"),
    [
        (Message("assistant", tool_calls=[ToolCall("1", Function(CARD, "{}"))]), Sampling()),
        (Message("user", "hi"), Sampling(stop=CARD)),
        (Message("user", "hi"), Sampling(stop=["x", CARD])),
        (Message("user", "hi"), Sampling(logit_bias={CARD: 1})),
    ],
)
def test_nothing_that_a_provider_would_see_goes_unlooked_at(message: Message, sampling: Sampling) -> None:
    request = ChatRequest(model="auto", size=1, messages=[message], sampling=sampling)
    findings = POLICY.detect(request)
    assert findings.labels.categories == {"payment_card"}
    with pytest.raises(Denied):
        POLICY.redact(request, findings, frozenset({"payment_card"}))


def test_tool_definitions_and_names_are_looked_at_too() -> None:
    tool = Tool(FunctionTool("f", "ask a@example.org"))
    request = ChatRequest(model="auto", size=1, messages=[Message("user", "hi")], tools=[tool])
    assert [f.message for f in POLICY.detect(request).found] == [REST]


def test_the_class_is_the_highest_that_any_category_implies() -> None:
    labels = POLICY.detect_text("a@example.org 4111111111111111").labels
    assert labels.data_class is DataClass.confidential
    assert POLICY.detect_text("nothing").labels.data_class is DataClass.public


def test_digits_within_an_account_number_are_no_telephone_number() -> None:
    assert POLICY.detect_text("DE89 3704 0044 0532 0130 00").labels.categories == {"iban"}


def test_a_workspace_adds_detectors_and_switches_built_in_ones_off() -> None:
    rules = RulesFile(
        detectors=(DetectorSetting("case_number", "case", r"\bCASE-(?P<value>\d{6})\b", "luhn"),),
        classes={"case": "restricted"},
        without=("email",),
    )
    policy = compile_policy({}, (), {"rules/a.yaml": rules})
    findings = policy.detect_text("CASE-123455 CASE-123456 a@example.org")
    assert [(f.start, f.end) for f in findings.found] == [(5, 11)]
    assert findings.labels.data_class is DataClass.restricted


@pytest.mark.parametrize("answer", [None, [], [0]])
def test_a_scan_that_does_not_reach_the_end_refuses_instead_of_finding_nothing(answer: list[int] | None) -> None:
    detection = Detection(POLICY._detection.detectors, {})
    detection._scan._match = lambda data: answer  # what RE2's set answers when its automaton is out of memory
    with pytest.raises(Broken, match="did not run to its end"):
        detection.text("a@example.org")


def test_detectors_that_do_not_fit_into_one_scan_are_refused_when_they_are_compiled(monkeypatch) -> None:
    monkeypatch.setattr("fairlead.policy.scan._MEMORY", 100_000)
    with pytest.raises(BadInput, match="do not fit"):
        compile_policy({})


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(FOUND))
def test_the_quick_scan_overlooks_nothing_that_the_detectors_find(before: str, after: str, planted) -> None:
    text = before + " " + planted[0] + " " + after
    data = text.encode("utf-8", "replace")
    quick = POLICY.detect_text(text).labels.categories
    for detector in POLICY._detection.detectors:
        if detector.category != "phone" and detector.locate(data, 0, len(data) + 1)[0]:
            assert detector.category in quick
