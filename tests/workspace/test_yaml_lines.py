"""YAML with lines: values, places, and everything that is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.workspace.problems import Problem
from fairlead.workspace.yaml_lines import MOST_BYTES, Document, parse_yaml


def parsed(source: str) -> Document:
    document = parse_yaml("fairlead.yaml", source.encode())
    assert isinstance(document, Document), document
    return document


def refused(source: str | bytes) -> Problem:
    problem = parse_yaml("fairlead.yaml", source if isinstance(source, bytes) else source.encode())
    assert isinstance(problem, Problem)
    return problem


def test_scalars_follow_the_core_schema_of_yaml_1_2() -> None:
    document = parsed(
        "day: 2026-01-01\nword: yes\nflag: true\nnone:\ntilde: ~\nnumber: -12\nexponent: 1.5e3\n"
        "quoted: 'true'\ntagged: !!str 5\nhex: 0x10\ntime: 12:30\nblock: |\n  two\n  lines\n"
    )
    assert document.data == {
        "day": "2026-01-01",
        "word": "yes",
        "flag": True,
        "none": None,
        "tilde": None,
        "number": -12,
        "exponent": 1500.0,
        "quoted": "true",
        "tagged": "5",
        "hex": "0x10",
        "time": "12:30",
        "block": "two\nlines\n",
    }


def test_every_value_knows_its_line_and_column() -> None:
    document = parsed("a: 1\nmodels:\n  small:\n    key: x\n  list:\n    - one\n    - two: 2\n")
    assert document.place(("models", "small", "key")) == (4, 5)
    assert document.place(("models", "list", 1, "two")) == (7, 7)
    assert document.place(("models", "list", 0)) == (6, 7)


def test_a_path_that_does_not_exist_is_placed_at_the_nearest_key_above() -> None:
    document = parsed("a: 1\nmodels:\n  small:\n    key: x\n")
    assert document.place(("models", "small", "price", "input")) == (3, 3)
    assert document.place(("nothing",)) == (1, 1)


def test_an_empty_text_is_an_empty_mapping() -> None:
    assert parsed("").data == {}
    assert parsed("# only a comment\n").data == {}


def test_a_byte_order_mark_is_ignored() -> None:
    assert parsed("\ufeffa: 1").data == {"a": 1}


def test_aliases_repeat_a_value() -> None:
    assert parsed("a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "aliases" in refused("\n".join(lines)).message


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "stands twice", 3),
        ("a: !!python/object/apply:os.system [ls]\n", "tag", 1),
        ("a: !mine 1\n", "tag", 1),
        ("a: !!int word\n", "type", 1),
        ("a: 1\n---\nb: 2\n", "second document", 2),
        ("a: &x [*x]\n", "anchor", 1),
        ("<<: {a: 1}\n", "merge keys", 1),
        ("? [a, b]\n: 1\n", "key", 1),
        ("a: [1,\n", "not YAML", 2),
        ("a: 1\n\tb: 2\n", "not YAML", 2),
        ("a: \x00\n", "not YAML", 1),
        ("[" * 50_000, "nested", 1),
        ("a: 1e999\n", "too large", 1),
    ],
)
def test_what_is_refused_is_refused_at_its_line(source: str, said: str, line: int) -> None:
    problem = refused(source)
    assert said in problem.message
    assert problem.line == line


def test_text_that_is_not_utf_8_is_refused_at_its_line() -> None:
    problem = refused(b"a: 1\nb: \xff\n")
    assert (problem.message, problem.line) == ("not UTF-8 text", 2)


def test_a_text_that_is_too_large_is_refused() -> None:
    assert "larger" in refused("#" * (MOST_BYTES + 1)).message


def test_a_digit_bomb_stays_text() -> None:
    digits = "9" * 10_000
    assert parsed(f"a: {digits}\n").data == {"a": digits}


@given(st.binary(max_size=300))
def test_any_bytes_give_a_document_or_a_problem(source: bytes) -> None:
    assert isinstance(parse_yaml("f.yaml", source), Document | Problem)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#, \n\t?<~1", max_size=60))
def test_any_punctuation_gives_a_document_or_a_problem(source: str) -> None:
    assert isinstance(parse_yaml("f.yaml", source.encode()), Document | Problem)
