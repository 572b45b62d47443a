import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from fairlead.errors import BadInput, Denied
from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest, Function, FunctionTool, Message, Tool, ToolCall
from fairlead.policy import RulesFile, compile_policy
from fairlead.policy.pseudonyms import Pseudonyms
from fairlead.policy.restoring import restorer_of

RULES = {
    "names": [
        {"name": "customers", "file": "customers.csv", "columns": ["given", "family"]},
        {"name": "staff", "file": "staff.txt"},
        {"name": "projects", "file": "projects.txt", "category": "project", "persons": False},
    ]
}
LISTS = {
    "rules/customers.csv": "given;family;since\nAnna Maria;Schmidt;2001\nJürgen;Müller;1999\nKarl;Long;2000\n".encode(),
    "rules/staff.txt": "# who works here\nUrsula von der Brom\nO'Neil, Sean\nZoë Weiß\n".encode(),
    "rules/projects.txt": b"Project Bluebird\nKV-1234\n",
}
NAMED = frozenset({"person_name", "project"})


def policy_with(rules=RULES, lists=LISTS, cedar: dict[str, str] | None = None):
    return compile_policy(cedar or {}, files={"rules/names.yaml": convert(rules, RulesFile)}, lists=lists)


POLICY = policy_with()


def found(*texts: str) -> list[str]:
    request = ChatRequest(model="auto", size=1, messages=[Message("user", each) for each in texts])
    return [texts[each.message][each.start : each.end] for each in POLICY.detect(request).found]


def turned(text: str, key: bytes = b"k") -> tuple[str, str]:
    request = ChatRequest(model="auto", size=1, messages=[Message("user", text)])
    sent, redaction = POLICY.redact(request, POLICY.detect(request), NAMED, NAMED, Pseudonyms(key))
    restorer = restorer_of(redaction)
    said = text_of(sent.messages[0])
    return said, said if restorer is None else restorer.feed(said) + restorer.close()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ask Anna Maria Schmidt now", ["Anna Maria Schmidt"]),
        ("ask ANNA SCHMIDT, and anna schmidt's cat", ["ANNA SCHMIDT", "anna schmidt"]),
        ("Schmidt, Anna Maria", ["Schmidt", "Anna Maria"]),
        ("A. Schmidt signed", ["A", "Schmidt"]),
        ("Jurgen Mueller, Juergen Müller, Ju\u0308rgen Mu\u0308ller", ["Jurgen Mueller", "Juergen Müller",
         "Ju\u0308rgen Mu\u0308ller"]),
        ("ｊürgen　Ｍüller", ["ｊürgen", "Ｍüller"]),
        ("Jür\u00adgen\u00a0Mül\u200bler", ["Jür\u00adgen", "Mül\u200bler"]),
        ("Anna Schmidts Konto", ["Anna Schmidt"]),
        ("anna.schmidt and anna_schmidt.pdf", ["anna", "schmidt", "anna", "schmidt"]),
        ("Ursula von der Brom; Frau Brom", ["Ursula von der Brom", "Brom"]),
        ("Sean O’Neil and Zoe Weiss", ["Sean O’Neil", "Zoe Weiss"]),
        ("Project\nBluebird about kv 1234", ["Project\nBluebird", "kv 1234"]),
        ('{"first": "Anna", "last": "Schmidt"}', ["Anna", "Schmidt"]),
        ("q=J%C3%BCrgen+M%C3%BCller&x", ["J%C3%BCrgen", "M%C3%BCller"]),
        ('"J\\u00fcrgen M\\u00fcller\\nAnna Schmidt"', ["J\\u00fcrgen M\\u00fcller", "Anna Schmidt"]),
        ("J&uuml;rgen M&#252;ller", ["J&uuml;rgen M&#252;ller"]),
        ("a long way, with Karl", []),
        ("Schmidt & Schmidt, Bluebird, Maria, or Anna's", []),
        ("Annabel Schmidtke, Hanna Goldschmidt", []),
    ],
)  # fmt: skip
def test_names_are_known_however_they_are_written_and_nothing_else_is(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_a_part_of_a_name_counts_where_all_of_it_stands_in_the_same_request() -> None:
    assert found("Schmidt called", "Anna Maria Schmidt did", "tell Anna and Schmidts") == [
        "Schmidt", "Anna Maria Schmidt", "Anna", "Schmidt"
    ]  # fmt: skip
    assert found("Karl Long has a long day. Long may he live") == ["Karl Long", "Long"]


def test_the_same_person_is_the_same_pseudonym_in_full_in_part_and_turned_round() -> None:
    said, back = turned(
        "Anna Maria Schmidt; Schmidt, Anna Maria; Frau Schmidt; ANNA MARIA SCHMIDT; Karl Long's Anna Maria"
    )
    code = said[len("Person_") :][:4]
    assert re.fullmatch(
        rf"Person_{code}; Surname_{code}, Forename_{code}; Frau Surname_{code}; PERSON_{code}; "
        rf"Person_(?!{code})\w{{4}}'s Forename_{code}",
        said,
    )
    assert back == "Anna Maria Schmidt; Schmidt, Anna Maria; Frau Schmidt; ANNA MARIA SCHMIDT; Karl Long's Anna Maria"


def test_each_spelling_of_a_name_comes_back_as_it_was() -> None:
    said, back = turned(
        "Anna Maria Schmidt, Anna Schmidt, A. Schmidt, Frau Schmidt\u00e9; Anna M\u00fcller; Ju\u0308rgen M\u00fcller"
    )
    code = said[len("Person_") :][:4]
    assert said.startswith(f"Person_{code}, Person_{code}_2, Initial_{code}. Surname_{code}, Frau")
    assert back.startswith("Anna Maria Schmidt, Anna Schmidt, A. Schmidt, Frau Schmidt")
    assert back.endswith("Ju\u0308rgen M\u00fcller")


def test_names_in_arguments_of_calls_are_read_through_escapes_and_stay_json() -> None:
    call = ToolCall("1", Function("mail", json.dumps({"to": "Jürgen Müller", "about": "see Anna Schmidt\nSchmidt"})))
    request = ChatRequest(model="auto", size=1, messages=[Message("assistant", None, tool_calls=[call])])
    sent, redaction = POLICY.redact(request, POLICY.detect(request), NAMED, NAMED, Pseudonyms(b"k"))
    restorer = restorer_of(redaction, quoted=True)
    assert restorer is not None
    arguments = (sent.messages[0].tool_calls or [])[0].function.arguments
    assert not re.search("(?i)j.{0,6}rgen|m.{0,6}ller|anna|schmidt", arguments)
    assert json.loads(restorer.feed(arguments) + restorer.close()) == json.loads(call.function.arguments)


def test_a_name_where_nothing_can_be_replaced_refuses_the_request() -> None:
    tool = Tool(FunctionTool("f", "mail to Anna Schmidt"))
    request = ChatRequest(model="auto", size=1, messages=[Message("user", "hi")], tools=[tool])
    with pytest.raises(Denied):
        POLICY.redact(request, POLICY.detect(request), NAMED, NAMED, Pseudonyms(b"k"))


PEOPLE = ["Anna Maria Schmidt", "Jürgen Müller", "Karl Long", "Ursula von der Brom", "Zoë Weiß", "Project Bluebird"]
WAYS = [
    str, str.upper, str.lower, quote, lambda name: json.dumps(name)[1:-1],
    lambda name: name.replace(" ", "\u00a0"), lambda name: name.replace(" ", "_"), lambda name: name.replace(" ", "\n"),
    lambda name: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    "\u00ad".join, lambda name: f"{name}s", lambda name: f"{name}'s",
    lambda name: ", ".join(reversed(name.rsplit(" ", 1))) if "Project" not in name else name,
]  # fmt: skip
around = st.text(alphabet="xy .,:;-()\"'\n*_/|", max_size=5).filter(
    lambda s: not s or not (s[-1] in "xy" or s[0] in "xy")
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(around, st.sampled_from(PEOPLE), st.sampled_from(WAYS), around), min_size=1, max_size=3))
def test_no_known_name_leaves_in_any_of_these_spellings_and_all_come_back(pieces) -> None:
    text = " ".join(before + way(name) + after for before, name, way, after in pieces)
    said, back = turned(text)
    left = said.casefold()
    for word in ("anna", "maria", "schmidt", "rgen", "ller", "karl", "ursula", "brom", "zo", "bluebird"):
        assert word not in left.replace("\u00ad", ""), (text, said)
    assert back == text
    assert not POLICY.detect(ChatRequest(model="a", size=1, messages=[Message("user", said)])).labels.categories & NAMED


@pytest.mark.parametrize(
    ("rules", "lists", "said"),
    [
        (RULES, {}, "there is no file"),
        ({"names": [{"name": "a", "file": "a.csv", "columns": ["x"]}]}, {"rules/a.csv": b"y\nz\n"}, "no column 'x'"),
        ({"names": [{"name": "a", "file": "a.txt"}]}, {"rules/a.txt": b"# none\n"}, "holds no name"),
        ({"names": [{"name": "a", "file": "a.txt"}]}, {"rules/a.txt": b"\xff\xfe"}, "not UTF-8"),
    ],
)
def test_a_register_that_would_protect_nobody_is_refused(rules, lists, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        policy_with(rules, lists)


def test_a_policy_about_names_in_replies_is_refused_since_none_is_searched() -> None:
    when = 'when { context.categories.contains("project") }'
    forbid = f'forbid(principal, action == Action::"release_reply", resource) {when};'
    with pytest.raises(BadInput, match="replies are not searched"):
        policy_with(cedar={"a.cedar": forbid})


@pytest.mark.parametrize(
    ("text", "name"),
    [("Dear Ms. Vera Quill,", "Vera Quill"), ("Name: Óscar Brandt\n", "Óscar Brandt"),
     ("Regards,\nTove Lind", "Tove Lind"), ("Dear Sir or Madam", None), ("Dear Team,", None),
     ("the name of the rose", None)],
)  # fmt: skip
def test_names_are_guessed_by_what_stands_around_them_where_that_is_asked_for(text: str, name: str | None) -> None:
    policy = compile_policy({}, files={"rules/a.yaml": RulesFile(also=("guessed_name",))})
    mine = [text[each.start : each.end] for each in policy.detect_text(text).found if each.category == "guessed_name"]
    assert mine == ([name] if name else [])
