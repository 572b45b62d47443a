"""What a draft still has to answer."""

import pytest

from fairlead.context.questions import unanswered

DRAFT = """---
title: Refunds
covers: [refunds]  # not answered yet
owner: care
---
# Refunds

## Who may grant goodwill?

{}

## When is the money paid?

Within a week.
"""


@pytest.mark.parametrize(
    "answer", ["*Not answered yet.*", "not answered yet", "- (Not answered yet!)", "", "<!-- ask Kim -->"]
)
def test_a_question_without_an_answer_is_open(answer: str) -> None:
    assert unanswered(DRAFT.format(answer)) == ("`covers` in the front matter", "Who may grant goodwill?")
    assert unanswered(DRAFT.format(answer).replace("\n", "\r\n"))[1:] == ("Who may grant goodwill?",)


def test_what_is_answered_and_confirmed_is_not_open() -> None:
    page = DRAFT.replace("  # not answered yet", "  # Kim has looked")
    assert unanswered(page.format("The shift lead.")) == ()
    assert unanswered(page.format("### Up to ten euros?\n\nAnybody.")) == (), "answers may have headings of their own"
    assert unanswered("Nobody has not answered yet. We hope.") == ()
    assert unanswered("") == ()


def test_an_answer_under_which_the_mark_was_left_is_not_yet_one() -> None:
    assert unanswered("# Where?\n\nHere, I think.\n\n*Not answered yet.*\n") == ("Where?",)
