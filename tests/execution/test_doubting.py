"""A task type that asks for it gets a caveat where the passages do not look as if they held the answer."""

from pathlib import Path

import pytest
from tests.world import world

from fairlead.errors import BadInput
from fairlead.tasks.settings import TaskSettings, compile_tasks

PAGE = """---
title: Refunds
audience: [everyone]
---
Customers get a refund within 14 days of a request. Refunds above 500 euros are approved by Ann Ash of customer care.
"""
FILES = {
    "context/refunds.md": PAGE,
    "tasks/sure.yaml": "{prefer: [small], context: 500, answerable: 0.3}",
    "tasks/plain.yaml": "{prefer: [small], context: 500}",
}


async def test_what_the_pages_do_not_seem_to_answer_has_a_caveat(tmp_path: Path) -> None:
    near = "echo Who does not approve refunds above 900 dollars in Marseille?"
    async with world(tmp_path, FILES) as w:
        doubtful = await w.ask(near, model="sure")
        said = doubtful.reply.choices[0].text
        assert "Please note: the pages that were found may not hold the answer (nothing is said of" in said
        assert "marseille" in said
        for content, task in (("echo Who approves refunds above 500 euros?", "sure"), (near, "plain")):
            answer = await w.ask(content, model=task)
            assert "Please note" not in answer.reply.choices[0].text


def test_it_is_asked_of_passages_so_there_must_be_some() -> None:
    with pytest.raises(BadInput, match=r"sure\.answerable needs sure\.context"):
        compile_tasks({"sure": TaskSettings(answerable=0.4)})
