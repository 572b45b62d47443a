from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.ranking import Postings, Ranked, Visible, postings_of, scores_of, visible_of, word_of
from fairlead.context.ranking import rank as rank_scores

LENGTHS = [800] * 6
ITEM_OF = [0, 0, 1, 2, 3, 3]
ALL = visible_of([0] * 6, frozenset([0]))


def of(*occurrences: tuple[int, str]) -> Postings:
    return postings_of(occurrences, LENGTHS)


def rank(words: list[Postings], visible: Visible, item_of: list[int], *, most: int, per_item: int) -> list[Ranked]:
    scores = scores_of((word_of(word, visible), 1.0) for word in words)
    return rank_scores(scores, item_of, most=most, per_item=per_item)


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common, rare = of(*((section, "body") for section in range(6))), of((3, "body"))
    assert rank([common, rare], ALL, ITEM_OF, most=1, per_item=1)[0].section == 3


def test_the_title_counts_more_than_the_heading_and_that_more_than_the_body() -> None:
    found = rank([of((0, "body"), (2, "heading"), (3, "title"))], ALL, ITEM_OF, most=9, per_item=1)
    assert [each.section for each in found][:2] == [3, 2]


def test_an_item_gives_no_more_sections_than_asked_for() -> None:
    word = of((0, "body"), (1, "body"), (2, "body"))
    assert [each.section for each in rank([word], ALL, ITEM_OF, most=9, per_item=1)] == [0, 2]
    assert len(rank([word], ALL, ITEM_OF, most=9, per_item=2)) == 3
    assert len(rank([word], ALL, ITEM_OF, most=2, per_item=2)) == 2


def test_nothing_is_found_by_no_word_or_with_no_rights() -> None:
    assert rank([], ALL, ITEM_OF, most=9, per_item=1) == []
    assert rank([of((0, "body"))], visible_of([0] * 6, frozenset()), ITEM_OF, most=9, per_item=1) == []


_WORDS = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["title", "heading", "body"])), max_size=8), max_size=4
)


@given(_WORDS, st.frozensets(st.integers(0, 2)))
def test_hidden_sections_change_neither_what_is_found_nor_its_order_nor_its_score(
    words: list[list[tuple[int, str]]], allowed: frozenset[int]
) -> None:
    access_of = [0, 0, 1, 2, 1, 1]
    kept = [section for section in range(6) if access_of[section] in allowed]
    number = {section: place for place, section in enumerate(kept)}
    visible = visible_of(access_of, allowed)
    found = rank([of(*word) for word in words], visible, ITEM_OF, most=9, per_item=2)
    alone = rank(
        [postings_of(((number[s], field) for s, field in word if s in number), LENGTHS) for word in words],
        visible_of([0] * len(kept), frozenset([0])),
        [ITEM_OF[section] for section in kept],
        most=9,
        per_item=2,
    )
    assert [(kept[each.section], each.score) for each in alone] == [(each.section, each.score) for each in found]
