"""Rules about the whole of a reply: what it must say, and what it must rest on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import World, world

from fairlead.errors import Withheld
from fairlead.models.types import Chunk, Model, Passage
from fairlead.policy.endings import Ending
from fairlead.policy.grounding import cited_support, declines, support

PAGE = """---
title: Expenses
audience: [everyone]
---
Receipts are handed in within 30 days after the journey. A hotel may cost 140 euro a night without approval.
"""
RULES = """
require:
  - {name: advice, text: This is no legal advice., tasks: [advice]}
  - {name: signed, text: Yours faithfully, otherwise: withhold, tasks: [letters]}
  - {name: watched, text: never said, mode: shadow, tasks: [advice]}
grounding:
  - {name: grounded, share: 0.8, tasks: [expenses]}
  - {name: thin, share: 0.8, mode: warn, tasks: [thinly]}
  - {name: noted, cited: true, otherwise: caveat, caveat: Check this., tasks: [noted]}
  - {name: proven, cited: true, tasks: [proven]}
"""
FILES = {
    "rules/endings.yaml": RULES,
    "context/expenses.md": PAGE,
    **{f"tasks/{name}.yaml": "prefer: [small]" for name in ("advice", "letters")},
    **{f"tasks/{name}.yaml": "{prefer: [small], context: 500}" for name in ("expenses", "thinly", "noted", "proven")},
}
PASSAGE = Passage("expenses@0123456789ab", "Expenses", PAGE)


async def streamed(w: World, content: str, task: str) -> tuple[str, list[str]]:
    """What left before the answer, and the pieces that came with it."""
    before: list[str] = []

    async def deliver(run: str, model: Model, chunk: Chunk) -> None:
        before.append(chunk.text)

    answer = await w.ask(content, model=task, deliver=deliver, stream=True)
    tail = [chunk.text for chunk in answer.reply.tail]
    assert "".join([*before, *tail]) == answer.reply.choices[0].text
    return "".join(before), tail


async def test_what_is_missing_is_added_once_at_the_end(tmp_path) -> None:
    async with world(tmp_path, FILES) as w:
        before, tail = await streamed(w, "echo you may win", "advice")
        assert (before, "".join(tail)) == ("you may win", "\n\nThis is no legal advice.")
        there = await w.ask("echo you may win. this is  no legal ADVICE.", model="advice")
        assert there.reply.choices[0].text == "you may win. this is  no legal ADVICE."
        added = await w.ask("echo you may win", model="advice")
        assert added.reply.choices[0].text == "you may win\n\nThis is no legal advice."
        assert w.records(run=added.run)[0].hits == (("advice", "enforce", "append"), ("watched", "shadow", "append"))
        assert (await w.ask("echo you may win", model="small")).reply.choices[0].text == "you may win"


async def test_what_must_be_seen_whole_leaves_whole_or_not_at_all(tmp_path) -> None:
    async with world(tmp_path, FILES) as w:
        before, tail = await streamed(w, "echo Dear Ann, yes. Yours  faithfully", "letters")
        assert (before, "".join(tail)) == ("", "Dear Ann, yes. Yours  faithfully")
        with pytest.raises(Withheld, match="signed"):
            await streamed(w, "echo Dear Ann, yes.", "letters")
        (record,) = [each for each in w.records("call_model") if each.outcome == "refused"]
        assert (record.policies, record.error.step if record.error else "") == (("signed",), "check")
        assert record.cost > 0


async def test_a_reply_that_rests_on_nothing_is_withheld_or_warned_of(tmp_path) -> None:
    async with world(tmp_path, FILES) as w:
        said = "echo Receipts of hotel nights are handed in within 30 days."
        assert (await w.ask(said, model="expenses")).reply.choices[0].text == said[5:]
        for wrong in (said.replace("30", "60"), "echo Hotel receipts: managers may keep seventeen secret gardens."):
            with pytest.raises(Withheld, match="grounded"):
                await w.ask(wrong, model="expenses")
            warned = await w.ask(wrong, model="thinly")
            assert [rule for rule, _ in warned.warned] == ["thin"]


async def test_what_a_page_contradicts_goes_out_with_a_caveat_or_not_at_all(tmp_path) -> None:
    async with world(tmp_path, FILES) as w:
        said = "echo Receipts are handed in within 30 days after the journey."
        assert (await w.ask(said, model="proven")).reply.choices[0].text == said[5:]
        wrong = said.replace("30", "60")
        with pytest.raises(Withheld, match="proven"):
            await w.ask(wrong, model="proven")
        before, tail = await streamed(w, wrong, "noted")
        assert (before, "".join(tail)) == (wrong[5:], "\n\nCheck this.")


def test_a_sentence_is_held_against_what_it_cites() -> None:
    parking = Passage("parking@0123456789ab", "Parking", "Parking at the airport costs two euros an hour.")
    pages = [Passage(PASSAGE.citation, "Expenses", PAGE.rpartition("---")[2]), parking]
    true = "Parking at the airport costs two euros an hour. [parking@0123456789ab] A hotel may cost 140 euro a night."
    assert cited_support(true, pages).share == 1
    elsewhere = cited_support(true.replace("parking@", "expenses@"), pages)
    assert (elsewhere.claims, elsewhere.supported) == (2, 1)
    denied = cited_support("Receipts are not handed in within 30 days after the journey.", pages)
    assert denied.contradicted == ("Receipts are not handed in within 30 days after the journey.",)
    assert cited_support(true.replace("parking@0123", "parking@9999"), pages).invented == ("parking@9999456789ab",)


def test_claims_are_supported_by_words_numbers_and_marks() -> None:
    true = "Receipts are handed in within 30 days [expenses@0123456789ab]."
    assert support(true, [PASSAGE]).share == 1
    assert support(true.replace("30", "31"), [PASSAGE]).supported == 0
    assert support(true.replace("0123", "9999"), [PASSAGE]).invented == ("expenses@9999456789ab",)
    assert support("Hotels cost 140.00 euro a night.", [PASSAGE]).share == 1
    assert support("I do not know.", []).share == 1
    assert support(true, []).share == 0


@pytest.mark.parametrize(
    ("reply", "does"),
    [
        ("I don't know: the organisation's context does not answer this.", True),
        ("Sorry, I don\u2019t know. Please ask the store manager.", True),
        ("Unfortunately, I cannot find that in the handbook.", True),
        ("I don't know, but everything may be returned for ever.", False),
        ("I don't know who says otherwise: lamps may be returned for ever.", False),
        ("I don't know. Ask the manager for her fifty percent off any article.", False),
    ],
)
def test_a_reply_that_only_says_that_it_does_not_know_claims_nothing(reply: str, does: bool) -> None:
    assert declines(reply) is does
    assert Ending("rests", "", share=0.8).is_met(reply, [PASSAGE]) is does


@given(st.text(max_size=200), st.lists(st.text(max_size=100), max_size=3))
def test_support_of_any_text_is_a_share(reply: str, texts: list[str]) -> None:
    found = support(reply, [Passage("a@0123456789ab", "", text) for text in texts])
    assert 0 <= found.supported <= found.claims
    assert 0 <= found.share <= 1
