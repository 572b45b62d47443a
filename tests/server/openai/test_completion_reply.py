"""Completions have one text for all that a model says."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.anthropic.test_message_stream import MODEL, answer

from fairlead.models.types import Chunk
from fairlead.server.openai.completion_reply import CompletionEvents, encode_reply


def streamed(*chunks: Chunk) -> str:
    writer = CompletionEvents("run_1", MODEL, 1, with_usage=False)
    found = [json.loads(writer.event(chunk).removeprefix(b"data: ")) for chunk in chunks]
    return "".join(each["choices"][0]["text"] for each in found)


@pytest.mark.parametrize(
    ("text", "refusal", "said"),
    [
        ("yes", "", "yes"),
        ("", "I may not", "I may not"),
        ("guaranteed ", "profit", "guaranteed \n\n[refusal] profit"),
    ],
)
def test_a_refusal_never_continues_the_text_before_it(text: str, refusal: str, said: str) -> None:
    whole = json.loads(encode_reply(answer(text=text, refusal=refusal), 1))
    assert whole["choices"][0]["text"] == said
    assert streamed(*[Chunk(text=each) for each in text], *[Chunk(refusal=each) for each in refusal]) == said
    assert streamed(Chunk(text=text, refusal=refusal)) == said


@given(st.lists(st.tuples(st.booleans(), st.text("ab ", min_size=1)), max_size=8))
def test_text_and_refusal_touch_nowhere(pieces: list[tuple[bool, str]]) -> None:
    said = streamed(*[Chunk(refusal=text) if refused else Chunk(text=text) for refused, text in pieces])
    changes = sum(one[0] != other[0] for one, other in itertools.pairwise(pieces))
    assert said.count("\n\n[") == changes
    assert said.replace("\n\n[refusal] ", "").replace("\n\n[answer] ", "") == "".join(text for _, text in pieces)
