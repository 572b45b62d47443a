"""Whatever comes from a model's server, in whatever order, is a well-formed message to the official accumulator."""

import itertools
import json
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from fairlead.costs.units import Unit
from fairlead.errors import CutOff
from fairlead.execution import Answer, Reply, ReplyChoice
from fairlead.models.content import Thought
from fairlead.models.types import Chunk, Function, Model, Placement, ToolCall, ToolCallDelta, Usage
from fairlead.server.anthropic.message_reply import encode_reply
from fairlead.server.anthropic.message_stream import MessageEvents

MODEL = Model(name="house", endpoint="e", remote="tiny", placement=Placement("device"))
EVENTS: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
COUNTS = Usage(input=10, output=4)
WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)


def answer(*tail: Chunk, usage: Usage = COUNTS, **choice: Any) -> Answer:
    """A settled action whose stream ends with `tail`."""
    choices = (ReplyChoice(index=0, **{"text": "", **choice}),)
    return Answer(
        run="run_1", revision="r", task="chat", model=MODEL, reply=Reply(choices=choices, usage=usage, tail=tail),
        cost=5, currency="EUR", unit=Unit("EUR"), price="p", why="", candidates=("house",), dropped=(), citations=(),
        redacted=(),
        warnings=(), flags=(),
    )  # fmt: skip


def events(written: bytes) -> list[dict[str, Any]]:
    found = []
    for piece in written.decode().split("\n\n")[:-1]:
        name, data = piece.split("\n", 1)
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def streamed(*chunks: Chunk, tail: tuple[Chunk, ...] = (Chunk(finish="stop"),)) -> list[dict[str, Any]]:
    writer = MessageEvents("run_1", MODEL, 7)
    return events(b"".join([*(writer.event(chunk) for chunk in chunks), writer.end(answer(*tail))]))


def accumulated(found: list[dict[str, Any]]) -> Any:
    """The message that the official client makes of the events."""
    snapshot, buffers = None, {}
    for event in found:
        snapshot = accumulate_event(event=EVENTS.validate_python(event), current_snapshot=snapshot, json_bufs=buffers)
    return snapshot


def blocks_are_in_order(found: list[dict[str, Any]]) -> None:
    """One block after the other: begun, continued, ended."""
    names = [event["type"] for event in found]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    is_open, index = False, -1
    for event in found[1:-2]:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                is_open, index = True, index + 1
            case "content_block_delta":
                assert is_open
            case "content_block_stop":
                assert is_open
                is_open = False
            case other:
                raise AssertionError(other)
        assert event["index"] == index
    assert not is_open


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[str], list[Chunk]]:
    """The arguments of some tool calls, and their pieces mixed in any order that keeps each call's own."""
    arguments = draw(
        st.lists(st.dictionaries(WORDS, WORDS | st.integers(), max_size=2).map(json.dumps), min_size=1, max_size=3)
    )
    rows: list[list[Chunk]] = []
    for number, text in enumerate(arguments):
        cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=3))})
        pieces = [text[a:b] for a, b in itertools.pairwise(cuts)]
        first = ToolCallDelta(number, f"call_{number}", "look_up")
        rows.append(
            [Chunk(tool_calls=(first,)), *(Chunk(tool_calls=(ToolCallDelta(number, arguments=p),)) for p in pieces)]
        )
    mixed: list[Chunk] = [rows[0].pop(0)]
    begun = 1
    while any(rows):
        able = [n for n, row in enumerate(rows) if row and n <= begun]
        number = draw(st.sampled_from(able))
        begun = max(begun, number + 1)
        mixed.append(rows[number].pop(0))
    return arguments, mixed


PROSE = st.builds(Chunk, text=WORDS) | st.builds(Chunk, reasoning=WORDS)
PROOFS = st.builds(lambda sign: Chunk(thought=Thought(signature=sign)), WORDS) | st.builds(
    lambda data: Chunk(thought=Thought(sealed=data)), WORDS
)


@given(before=st.lists(PROSE | PROOFS, max_size=6), called=calls(), after=st.lists(PROSE, max_size=3), data=st.data())
def test_every_order_of_pieces_is_a_message(
    before: list[Chunk], called: tuple[list[str], list[Chunk]], after: list[Chunk], data: st.DataObject
) -> None:
    arguments, pieces = called
    chunks = [*before, *pieces, *after]
    held = data.draw(st.integers(0, len(chunks)))  # from here on everything comes with the tail, as when it is screened
    found = streamed(*chunks[:held], tail=(*chunks[held:], Chunk(finish="tool_calls")))
    blocks_are_in_order(found)
    message = accumulated(found)
    content = message.content
    assert "".join(b.text for b in content if b.type == "text") == "".join(c.text for c in chunks)
    assert "".join(b.thinking for b in content if b.type == "thinking") == "".join(c.reasoning for c in chunks)
    uses = [b for b in content if b.type == "tool_use"]
    assert [(b.id, b.input) for b in uses] == [(f"call_{n}", json.loads(a)) for n, a in enumerate(arguments)]
    sealed = [c.thought.sealed for c in chunks if c.thought is not None and c.thought.sealed]
    assert [b.data for b in content if b.type == "redacted_thinking"] == sealed
    signed = [c.thought.signature for c in chunks if c.thought is not None and c.thought.signature]
    assert [b.signature for b in content if b.type == "thinking" and b.signature] == signed
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens == 4


def test_a_proof_belongs_to_the_reasoning_right_before_it() -> None:
    found = streamed(
        Chunk(reasoning="first"), Chunk(thought=Thought(signature="a")), Chunk(reasoning="second"),
        Chunk(thought=Thought(signature="b")), Chunk(text="so"),
    )  # fmt: skip
    assert [block.to_dict() for block in accumulated(found).content[:2]] == [
        {"type": "thinking", "thinking": "first", "signature": "a"},
        {"type": "thinking", "thinking": "second", "signature": "b"},
    ]


def test_a_second_call_waits_only_for_what_is_not_yet_complete() -> None:
    writer = MessageEvents("run_1", MODEL, 7)

    def piece(number: int, arguments: str, name: str | None = None) -> list[str]:
        return [
            event["type"]
            for event in events(writer.event(Chunk(tool_calls=(ToolCallDelta(number, name, name, arguments),))))
        ]

    assert piece(0, '{"a":', "one") == ["message_start", "content_block_start", "content_block_delta"]
    assert piece(1, "{}", "two") == []
    assert piece(0, "1}") == ["content_block_delta"]
    assert piece(2, "{}", "three")[:2] == ["content_block_stop", "content_block_start"]


def test_a_whole_reply_has_every_piece_of_reasoning_and_its_proof() -> None:
    thoughts = (Thought("first", "a"), Thought("bare", sealed="b"))
    whole = json.loads(encode_reply(answer(text="so", reasoning="firstbareand more", thoughts=thoughts)))
    assert whole["content"] == [
        {"type": "thinking", "thinking": "first", "signature": "a"},
        {"type": "thinking", "thinking": "bare", "signature": ""},
        {"type": "redacted_thinking", "data": "b"},
        {"type": "thinking", "thinking": "and more", "signature": ""},
        {"type": "text", "text": "so"},
    ]


def test_an_empty_reply_is_a_message_without_content() -> None:
    found = streamed()
    blocks_are_in_order(found)
    message = accumulated(found)
    assert (message.content, message.stop_reason) == ([], "end_turn")


@pytest.mark.parametrize(
    ("chunk", "finish", "reason"),
    [
        (Chunk(text="x"), "stop", "end_turn"),
        (Chunk(text="x"), "length", "max_tokens"),
        (Chunk(text="x"), "content_filter", "refusal"),
        (Chunk(refusal="I may not"), "stop", "refusal"),
        (Chunk(tool_calls=(ToolCallDelta(0, "c", "f", "{}"),)), "stop", "tool_use"),
    ],
)
def test_the_reason_why_it_ended_is_said_in_the_protocols_words(chunk: Chunk, finish: str, reason: str) -> None:
    assert streamed(chunk, tail=(Chunk(finish=finish),))[-2]["delta"]["stop_reason"] == reason
    calls = tuple(ToolCall(c.id or "", Function(c.name or "", c.arguments)) for c in chunk.tool_calls)
    whole = json.loads(encode_reply(answer(text=chunk.text, refusal=chunk.refusal, tool_calls=calls, finish=finish)))
    assert whole["stop_reason"] == reason
    assert [block["type"] for block in whole["content"]] == ["tool_use" if calls else "text"]


@pytest.mark.parametrize(
    ("stop", "finish", "said"),
    [
        ("END", "stop", ("stop_sequence", "END")),
        ("", "stop", ("stop_sequence", None)),
        (None, "stop", ("end_turn", None)),
        ("END", "length", ("max_tokens", None)),
    ],
)
def test_the_stop_sequence_is_said_as_far_as_it_is_known(stop: str | None, finish: str, said: tuple[str, Any]) -> None:
    settled = answer(Chunk(finish=finish), text="x", finish=finish, stop=stop)
    whole = json.loads(encode_reply(settled))
    assert (whole["stop_reason"], whole["stop_sequence"]) == said
    last = events(MessageEvents("run_1", MODEL, 7).end(settled))[-2]["delta"]
    assert (last["stop_reason"], last["stop_sequence"]) == said


def test_a_refusal_never_continues_the_text_before_it() -> None:
    found = streamed(Chunk(text="guaranteed "), Chunk(refusal="pro"), Chunk(refusal="fit"))
    blocks_are_in_order(found)
    assert [block.text for block in accumulated(found).content] == ["guaranteed ", "profit"]
    whole = json.loads(encode_reply(answer(text="guaranteed ", refusal="profit")))
    assert [block["text"] for block in whole["content"]] == ["guaranteed ", "profit"]


def test_what_was_cached_stands_beside_the_input_and_not_in_it() -> None:
    usage = Usage(input=100, output=9, cached_input=60, cache_write=30, cache_write_1h=10, reasoning=3, tier="default")
    expected = {
        "input_tokens": 10,
        "output_tokens": 9,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        "output_tokens_details": {"thinking_tokens": 3},
        "service_tier": "standard",
    }
    assert json.loads(encode_reply(answer(usage=usage)))["usage"] == expected
    writer = MessageEvents("run_1", MODEL, 7)
    assert events(writer.end(answer(Chunk(finish="stop"), usage=usage)))[-2]["usage"] == expected


def test_arguments_that_are_no_object_come_as_the_text_that_the_model_wrote() -> None:
    for arguments, expected in (
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ('{"a": ', {"INVALID_JSON": '{"a": '}),
        ("[1]", {"INVALID_JSON": "[1]"}),
    ):
        whole = json.loads(encode_reply(answer(tool_calls=(ToolCall("c", Function("f", arguments)),))))
        assert whole["content"][0]["input"] == expected


def test_a_stream_that_fails_says_so_and_ends() -> None:
    writer = MessageEvents("run_1", MODEL, 7)
    writer.event(Chunk(text="x"))
    error = CutOff("the model stopped", why="reset", mend="ask again")
    error.run = "run_1"
    (found,) = events(writer.fail(error))
    assert found == {
        "type": "error",
        "error": {"type": "api_error", "message": "the model stopped: reset"},
        "request_id": "run_1",
        "fairlead": {
            "code": "upstream_cut_off",
            "step": "attempt",
            "why": "reset",
            "help": "ask again",
            "run": "run_1",
        },
    }
