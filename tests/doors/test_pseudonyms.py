"""No protected value leaves by any door, wherever in a request it stands, and all of them come back."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

import httpx
import pytest
from tests.doors.asking import DOORS
from tests.world import CARD, Served, served

IBAN = "DE89370400440532013000"
NAMES = "given,family\nTavi Oro,Quillhart\nJürgen,Mübrandt\n"
REGISTER = "names: [{name: customers, file: customers.csv, columns: [given, family]}]\n"
PROTECTED = ("quillhart", "tavi", "mubrandt", "jurgen", "0532013000", "1111", "tq@post.example")
LETTER = f"Tavi Oro Quillhart (tq@post.example) pays {IBAN} by {CARD}. QUILLHART'S card; Mübrandt, Jürgen agrees"


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    files = {"rules/people.yaml": REGISTER, "rules/customers.csv": NAMES}
    rules = [{"pseudonymise": ["person_name", "email", "iban", "payment_card"], "for": "cloud"}]
    with served(tmp_path_factory.mktemp("pseudonyms"), files, rules=rules) as s:
        yield s


def sent(s: Served, before: int) -> list[dict[str, Any]]:
    """What has left, once nothing protected was found in any byte of it, whatever they are written in."""
    for each in s.provider.received[before:]:
        heads = " ".join(f"{name}: {value}" for name, value in each.headers.items())
        for text in (each.path, heads, each.body.decode(), json.dumps(each.json, ensure_ascii=False)):
            plain = re.sub("[\u0300-\u036f\u00ad\u200b ]", "", normalize("NFKD", unquote(text)).casefold())
            assert not [value for value in PROTECTED if value in plain]
    return [each.json for each in s.provider.received[before:]]


def ask(s: Served, **body: Any) -> httpx.Response:
    fields = {"model": "small", **body}
    return httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=fields, timeout=60)


@pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_letter_comes_back_as_it_was_and_left_without_anybody_in_it(s: Served, door: Any, streamed: bool) -> None:
    s.provider.next = ["split-every-byte"] if streamed else []
    before = len(s.provider.received)
    got = door(s, "kim", f"echo {LETTER}", streamed, "small")
    assert (got.text, got.error) == (LETTER, "")
    assert len(sent(s, before)) == 1
    (record,) = s.records(run=got.run)
    assert dict(record.pseudonyms) == {"email": 1, "iban": 1, "payment_card": 1, "person_name": 2}
    assert not re.search("(?i:quillhart)|Person_", repr(record))


def test_nobody_leaves_by_system_text_calls_results_parts_or_earlier_turns(s: Served) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": LETTER})}}
    messages = [
        {"role": "system", "content": f"You serve T. Quillhart. {LETTER}"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Tavi Oro"}, {"type": "text", "text": " Quillhart asks"}],
        },
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"first": "Jürgen", "last": "Mübrandt"})},
        {"role": "assistant", "content": "Mr Mu\u0308brandt said %54avi%20Quillhart"},
        {"role": "user", "content": "echo ｔａｖｉ\u00a0Quill\u00adhart, and Jürgen"},
    ]
    before = len(s.provider.received)
    answer = ask(s, messages=messages).json()
    assert "choices" in answer, answer
    assert answer["choices"][0]["message"]["content"] == "ｔａｖｉ\u00a0Quill\u00adhart, and Jürgen"
    (body,) = sent(s, before)
    assert len(set(re.findall("(?:Person|Surname|Forename)_([0-9A-Za-z]{4})", json.dumps(body)))) == 2


TOOL = {"type": "function", "function": {"name": "f", "description": "mail Tavi Quillhart", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"Tavi").decode()}}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [TOOL]},
        {"user": "tavi.quillhart"},
        {"stop": ["Tavi Quillhart"]},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"title": "Tavi Quillhart"}},
            }
        },
        {"messages": [{"role": "user", "name": "Tavi_Quillhart", "content": "hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Tavi Quillhart"}, IMAGE]}]},
    ],
)
def test_where_nothing_can_stand_for_a_value_or_be_looked_into_nothing_leaves(s: Served, more: dict[str, Any]) -> None:
    before = len(s.provider.received)
    said = ask(s, **{"messages": [{"role": "user", "content": "hi"}], **more})
    assert said.status_code in (400, 403), said.text
    assert sent(s, before) == []
