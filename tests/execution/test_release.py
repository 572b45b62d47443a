"""What leaves of a reply, and when."""

import asyncio
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import Withheld
from fairlead.execution.release import NewScreen, Release, merged_logprobs
from fairlead.identity.types import Caller
from fairlead.models.types import Chunk, Model, Placement, ToolCallDelta, Usage
from fairlead.policy import Redaction, Rule, compile_policy

CALLER = Caller(person="ann")
MODEL = Model(name="small", endpoint="e", remote="r", placement=Placement(kind="cloud"))
CARD = "4111 1111 1111 1111"


class Collected:
    """A door that keeps what it was given."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []

    async def __call__(self, run: str, model: Model, chunk: Chunk) -> None:
        assert (run, model) == ("run_1", MODEL)
        self.chunks.append(chunk)

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)


def screening(rule: Rule, redaction: Redaction | None = None) -> NewScreen:
    policy = compile_policy({}, [rule])
    return lambda arguments: policy.screen(CALLER, "chat", MODEL, redaction, arguments=arguments)


WITHHOLD_CARDS = screening(Rule(withhold=("payment_card",)))
MASK_CARDS = screening(Rule(redact=("payment_card",), audience="replies"))


def released(new_screen: NewScreen | None, chunks: list[Chunk]) -> tuple[Collected, Release]:
    door = Collected()
    release = Release("run_1", door)
    release.begin(MODEL, new_screen, 400)

    async def push() -> None:
        for chunk in chunks:
            await release.push(chunk)

    asyncio.run(push())
    return door, release


def cut(text: str, places: list[int]) -> list[Chunk]:
    edges = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [Chunk(text=text[a:b]) for a, b in itertools.pairwise(edges) if a < b]


def test_text_leaves_at_once_and_its_end_waits_for_the_bill() -> None:
    door, release = released(None, [Chunk(text="Hello"), Chunk(text=" there", finish="stop", usage=Usage(3, 2))])
    assert door.chunks == [Chunk(text="Hello"), Chunk(text=" there")]
    reply = release.check()
    assert reply.tail == (Chunk(finish="stop"),)
    assert reply.usage == Usage(3, 2)
    assert reply.choices[0].text == "Hello there"


def test_nothing_is_started_until_something_has_left() -> None:
    _, release = released(WITHHOLD_CARDS, [Chunk(text="4111")])
    assert not release.started
    _, release = released(WITHHOLD_CARDS, [Chunk(text="plain words. ")])
    assert release.started


def test_another_attempt_starts_from_nothing() -> None:
    _, release = released(None, [Chunk(usage=Usage(9, 9)), Chunk(reasoning="hm")])
    release.begin(MODEL, None, 40)
    assert release.usage_so_far() == Usage(input=10, output=0, estimated=True)
    assert release.check().choices == ()


def test_what_was_produced_is_estimated_when_nobody_says() -> None:
    _, release = released(None, [Chunk(text="x" * 41)])
    assert release.usage_so_far() == Usage(input=100, output=11, estimated=True)


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_a_withheld_value_never_leaves_however_the_stream_is_cut(places: list[int]) -> None:
    door = Collected()
    release = Release("run_1", door)
    release.begin(MODEL, WITHHOLD_CARDS, 0)

    async def push() -> None:
        for chunk in cut(f"Your card is {CARD}, as you asked.", places):
            await release.push(chunk)
        release.check()

    with pytest.raises(Withheld):
        asyncio.run(push())
    assert door.text in "Your card is "


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_a_masked_value_is_masked_however_the_stream_is_cut(places: list[int]) -> None:
    door, release = released(MASK_CARDS, cut(f"Your card is {CARD}, as you asked.", places))
    reply = release.check()
    whole = door.text + "".join(chunk.text for chunk in reply.tail)
    assert whole == "Your card is [redacted payment_card], as you asked." == reply.choices[0].text


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_a_redacted_value_comes_back_however_the_stream_is_cut(places: list[int]) -> None:
    new_screen = screening(Rule(withhold=("secret",)), Redaction({"[PAYMENT_CARD_1]": CARD}))
    door, release = released(new_screen, cut("You wrote [PAYMENT_CARD_1] and [other].", places))
    reply = release.check()
    assert door.text + reply.tail[0].text == f"You wrote {CARD} and [other]."


def test_arguments_of_tool_calls_are_judged_whole_before_they_leave() -> None:
    pieces = [
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "pay", '{"card": "4111 1111'),)),
        Chunk(tool_calls=(ToolCallDelta(0, arguments=' 1111 1111"}'),), finish="tool_calls"),
    ]
    door, release = released(WITHHOLD_CARDS, pieces)
    assert door.chunks == []
    with pytest.raises(Withheld):
        release.check()
    door, release = released(MASK_CARDS, pieces)
    reply = release.check()
    assert door.chunks == []
    assert reply.tail[0].tool_calls == (ToolCallDelta(0, "c1", "pay", '{"card": "[redacted payment_card]"}'),)
    assert reply.choices[0].tool_calls[0].function.arguments == '{"card": "[redacted payment_card]"}'
    assert reply.choices[0].finish == "tool_calls"


def test_tool_calls_pass_through_in_pieces_where_nothing_is_judged() -> None:
    pieces = [
        Chunk(tool_calls=(ToolCallDelta(0, "c1", "pay", '{"a"'),)),
        Chunk(tool_calls=(ToolCallDelta(0, arguments=": 1}"), ToolCallDelta(1, "c2", "wait", "{}"))),
    ]
    door, release = released(None, pieces)
    assert door.chunks == pieces
    calls = release.check().choices[0].tool_calls
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("c1", "pay", '{"a": 1}'),
        ("c2", "wait", "{}"),
    ]


def test_log_probabilities_do_not_spell_out_what_was_masked() -> None:
    spelt = msgspec.Raw(b'{"content":[{"token":"4111","logprob":-1,"bytes":null,"top_logprobs":[]}]}')
    door, release = released(MASK_CARDS, [Chunk(text=f"It is {CARD}.", logprobs=spelt)])
    assert all(chunk.logprobs is None for chunk in (*door.chunks, *release.check().tail))
    _, release = released(MASK_CARDS, [Chunk(text="Nothing to hide.", logprobs=spelt)])
    assert release.check().tail[0].logprobs == spelt


def test_pieces_of_log_probabilities_become_one_object() -> None:
    pieces = [msgspec.Raw(b'{"content":[1]}'), msgspec.Raw(b'{"content":[2,3],"refusal":[4]}')]
    merged = merged_logprobs(pieces)
    assert merged is not None
    assert msgspec.json.decode(merged) == {"content": [1, 2, 3], "refusal": [4]}
    assert merged_logprobs([]) is None


def test_choices_are_kept_apart() -> None:
    door, release = released(WITHHOLD_CARDS, [Chunk(text="one. ", index=1), Chunk(text="zero. ", index=0)])
    reply = release.check()
    assert [(choice.index, choice.text) for choice in reply.choices] == [(0, "zero. "), (1, "one. ")]
    assert {chunk.index for chunk in door.chunks} == {0, 1}
