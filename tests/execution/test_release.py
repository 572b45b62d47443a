"""What leaves of a reply, and when."""

import asyncio
import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import Withheld
from fairlead.execution.choices import ReplyChoice, merged_logprobs
from fairlead.execution.release import Release
from fairlead.execution.thinking import NewScreen
from fairlead.identity.types import Caller
from fairlead.models.content import Thought
from fairlead.models.types import Chunk, Model, Placement, ToolCallDelta, Usage
from fairlead.policy import Asked, Redaction, Rule, RulesFile, Screen, compile_policy
from fairlead.policy.settings import FactSetting

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
    return lambda arguments: policy.screen(CALLER, Asked("chat"), MODEL, redaction, arguments=arguments)


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


@pytest.mark.parametrize("new_screen", [None, WITHHOLD_CARDS, MASK_CARDS])
@pytest.mark.parametrize(
    ("said", "stops", "told"),
    [
        ("END", ["STOP", "END"], "END"), ("", ["END"], "END"), ("", ["STOP", "END"], ""),
        ("end_turn", ["END"], None), ("END", [], None), (None, ["END"], None),
    ],
)  # fmt: skip
def test_only_the_callers_own_stop_sequence_is_told(
    new_screen: NewScreen | None, said: str | None, stops: list[str], told: str | None
) -> None:
    for deliver in (None, Collected()):
        release = Release("run_1", deliver)
        release.begin(MODEL, new_screen, 400, stops=stops)
        asyncio.run(release.push(Chunk(text="a", finish="stop", stop=said)))
        assert release.check().choices[0].stop == told


@pytest.mark.parametrize("new_screen", [WITHHOLD_CARDS, MASK_CARDS])
def test_a_stop_sequence_that_may_not_leave_is_not_told(new_screen: NewScreen) -> None:
    release = Release("run_1", None)
    release.begin(MODEL, new_screen, 400, stops=[CARD])
    asyncio.run(release.push(Chunk(text="a", finish="stop", stop=CARD)))
    assert release.check().choices[0].stop == ""


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


def thinking(*pieces: str, then: str = "Done.") -> list[Chunk]:
    """Reasoning in pieces, each with its proof, and an answer."""
    proofs = [Chunk(thought=Thought(signature=f"v:{number}")) for number in range(len(pieces))]
    return [
        *(chunk for piece, proof in zip(pieces, proofs, strict=True) for chunk in (Chunk(reasoning=piece), proof)),
        Chunk(text=then, finish="stop"),
    ]


def collected(new_screen: NewScreen | None, chunks: list[Chunk]) -> ReplyChoice:
    release = Release("run_1", None)
    release.begin(MODEL, new_screen, 400)

    async def push() -> None:
        for chunk in chunks:
            await release.push(chunk)

    asyncio.run(push())
    return release.check().choices[0]


def streamed(new_screen: NewScreen | None, chunks: list[Chunk]) -> tuple[list[Chunk], ReplyChoice]:
    door, release = released(new_screen, chunks)
    reply = release.check()
    return [*door.chunks, *reply.tail], reply.choices[0]


def as_a_door_sees_it(chunks: list[Chunk]) -> list[Thought]:
    """The proven pieces, put together from a stream alone."""
    thoughts, since = [], ""
    for chunk in chunks:
        since += chunk.reasoning
        if chunk.thought is not None:
            thoughts.append(msgspec.structs.replace(chunk.thought, text=since))
            since = ""
    return thoughts


BOTH_KEPT = (Thought("Add two and two. ", "v:0"), Thought("It is four", "v:1"))
JUDGED_WHOLE = {
    "main": """
permit(principal, action, resource) unless { action == Action::"release_reply" };
permit(principal, action == Action::"release_reply", resource)
when { !context.categories.contains("payment_card") && context.facts has ok };
"""
}


def whole_screen(arguments: bool) -> Screen:
    facts = [FactSetting(name="ok", pattern="(?i)four", type="bool")]
    policy = compile_policy(JUDGED_WHOLE, [], {"rules/a.yaml": RulesFile(facts=tuple(facts))})
    return policy.screen(CALLER, Asked("chat"), MODEL, arguments=arguments)


@pytest.mark.parametrize("new_screen", [None, MASK_CARDS, WITHHOLD_CARDS])
def test_reasoning_keeps_its_proofs_streamed_and_not(new_screen: NewScreen | None) -> None:
    chunks = thinking("Add two and two. ", "It is four", then="Four.")
    assert collected(new_screen, chunks).thoughts == BOTH_KEPT
    seen, choice = streamed(new_screen, chunks)
    assert choice.thoughts == BOTH_KEPT
    assert choice.reasoning == "Add two and two. It is four"
    assert as_a_door_sees_it(seen) == list(BOTH_KEPT)
    proofs = [index for index, chunk in enumerate(seen) if chunk.thought is not None]
    answer = next(index for index, chunk in enumerate(seen) if chunk.text)
    assert max(proofs) < answer, "a proof comes before the answer that it led to"


def test_what_was_thought_out_of_sight_comes_back_sealed() -> None:
    chunks = [Chunk(thought=Thought(sealed="v:abc")), Chunk(text="Four.", finish="stop")]
    for new_screen in (None, MASK_CARDS):
        seen, choice = streamed(new_screen, chunks)
        assert choice.thoughts == (Thought(sealed="v:abc"),) == tuple(as_a_door_sees_it(seen))
        assert collected(new_screen, chunks).thoughts == choice.thoughts


def test_a_proof_is_dropped_where_its_text_was_changed_and_so_are_those_behind_it() -> None:
    chunks = thinking("First. ", f"The card is {CARD}. ", "Last.")
    seen, choice = streamed(MASK_CARDS, chunks)
    assert choice.reasoning == "First. The card is [redacted payment_card]. Last."
    assert "".join(chunk.reasoning for chunk in seen) == choice.reasoning
    assert choice.thoughts == (Thought("First. ", "v:0"),) == tuple(as_a_door_sees_it(seen))
    whole = collected(MASK_CARDS, chunks)
    assert (whole.reasoning, whole.thoughts) == (choice.reasoning, choice.thoughts)


def test_a_proof_is_dropped_where_what_was_redacted_was_put_back() -> None:
    new_screen = screening(Rule(withhold=("secret",)), Redaction({"[PAYMENT_CARD_1]": CARD}))
    chunks = thinking("They gave [PAYMENT_CARD_1]. ")
    seen, choice = streamed(new_screen, chunks)
    assert choice.reasoning == f"They gave {CARD}. "
    assert choice.thoughts == () == tuple(as_a_door_sees_it(seen))
    assert collected(new_screen, chunks).thoughts == ()


@given(st.lists(st.integers(0, 10_000), max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_a_value_never_leaves_whole_in_reasoning_however_it_is_proven_and_cut(ends: list[int], cuts: list[int]) -> None:
    text = f"Their card is {CARD}, they said, and it is fine."
    places = sorted({place % (len(text) + 1) for place in ends})
    chunks = []
    for at, (low, high) in enumerate(itertools.pairwise([0, *places, len(text)])):
        chunks += [Chunk(reasoning=each.text) for each in cut(text[low:high], [place - low for place in cuts])]
        chunks.append(Chunk(thought=Thought(signature=f"v:{at}")))
    seen, choice = streamed(MASK_CARDS, chunks)
    assert CARD not in choice.reasoning
    assert "".join(chunk.reasoning for chunk in seen) == choice.reasoning
    assert choice.reasoning.startswith("Their card is ")
    assert choice.reasoning.endswith("and it is fine.")
    assert "".join(thought.text for thought in choice.thoughts) in text
    assert tuple(as_a_door_sees_it(seen)) == choice.thoughts
    with pytest.raises(Withheld):
        streamed(WITHHOLD_CARDS, chunks)


def test_reasoning_of_a_reply_that_is_judged_whole_leaves_with_its_proofs_before_the_text() -> None:
    chunks = thinking("Two and two, four. ", "So four. ", then="Four.")
    door, release = released(whole_screen, chunks)
    assert door.chunks == []
    reply = release.check()
    assert as_a_door_sees_it(list(reply.tail)) == list(reply.choices[0].thoughts)
    assert [thought.signature for thought in reply.choices[0].thoughts] == ["v:0", "v:1"]
    assert [bool(chunk.text) for chunk in reply.tail] == [False, False, True]
    assert [chunk.finish for chunk in reply.tail] == [None, None, "stop"]


def test_a_tool_call_keeps_its_proof_unless_its_words_were_changed() -> None:
    def calling(arguments: str) -> list[Chunk]:
        call = ToolCallDelta(0, "c1", "pay", arguments, "v:proof")
        return [Chunk(tool_calls=(call,), finish="tool_calls")]

    for new_screen in (None, MASK_CARDS):
        seen, choice = streamed(new_screen, calling('{"sum": 1}'))
        assert (
            choice.tool_calls[0].signature == "v:proof" == collected(new_screen, calling("{}")).tool_calls[0].signature
        )
        assert [call.signature for chunk in seen for call in chunk.tool_calls] == ["v:proof"]
    seen, choice = streamed(MASK_CARDS, calling(f'{{"card": "{CARD}"}}'))
    assert choice.tool_calls[0].signature is msgspec.UNSET
    assert [call.signature for chunk in seen for call in chunk.tool_calls] == [""]
    assert collected(MASK_CARDS, calling(f'{{"card": "{CARD}"}}')).tool_calls[0].signature is msgspec.UNSET


def test_a_reply_without_proofs_says_nothing_of_them() -> None:
    choice = collected(None, [Chunk(reasoning="hm", text="Four."), Chunk(tool_calls=(ToolCallDelta(0, "c1", "f"),))])
    assert choice.thoughts == ()
    assert choice.reasoning == "hm"
    assert choice.tool_calls[0].signature is msgspec.UNSET
