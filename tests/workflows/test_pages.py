"""A python step is given pages of the context as whoever began the run may read them, and cites their sections."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.world import World, world

from fairlead.execution import page_reading
from fairlead.storage.workflow_rows import Run
from fairlead.workflows.beginning import started
from fairlead.workflows.known import functions_in

TERMS = """---
title: Terms
owner: legal
audience: [staff]
class: confidential
---
# Terms

## Payment
We pay within thirty days of an invoice that is right, and never before the goods have come. Whoever wants to agree to
less asks the head of purchasing first, who looks at what the supplier has been given before.

## Law
The law of the country in which our head office stands, and its courts, because every other choice means lawyers whom we
do not know and judgments that are hard to enforce. Exceptions are for the general counsel, who has made none so far.
"""
SECRET = TERMS.replace("[staff]", "[leads]").replace("Terms", "Secret")
CODE = """
from typing import Any

from fairlead.tools import Person


def cited(pages: list[dict[str, Any]], word: str, who: Person) -> dict[str, Any]:
    found = [each["cite"] for page in pages for each in page["sections"] if word in each["text"]]
    return {"pages": [page["id"] for page in pages], "cited": found, "who": who.name}
"""
FLOW = """
steps:
  - id: look
    python: {function: "looking:cited", arguments: {word: invoice}, pages: [PATTERN]}
"""


def files(pattern: str) -> dict[str, str]:
    return {
        "context/legal/terms.md": TERMS,
        "context/legal/secret.md": SECRET,
        "workflows/looking.py": CODE,
        "workflows/look.yaml": FLOW.replace("PATTERN", pattern),
    }


async def walked(w: World, person: str) -> tuple[Run, Any]:
    runs = w.running.runs
    what = started(w.running.workflows.bundles, "look", {}, door="test")
    run = runs.begin(w.caller(person), what)[0]
    async with asyncio.timeout(120):
        while (found := runs.one(run.id)).status not in ("done", "failed"):
            await asyncio.sleep(0.05)
    return found, runs.result(runs.open(run.id))


async def test_pages_are_read_under_the_rights_of_whoever_began_the_run(tmp_path: Path) -> None:
    async with world(tmp_path, files("legal/*"), walks=2) as w:
        run, given = await walked(w, "kim")
        assert (run.status, given["value"]["pages"], given["value"]["who"]) == ("done", ["legal/terms"], "kim")
        (cite,) = given["value"]["cited"]
        (record,) = w.records("read_pages")
        assert cite in record.citations
        assert cite.startswith("legal/terms@")
        assert "#" in cite
        assert (record.data_class, record.snapshot) == ("confidential", w.fairlead.current().context.snapshot)
        assert (await walked(w, "lee"))[1]["value"]["pages"] == ["legal/secret", "legal/terms"]


async def test_a_page_that_is_hidden_is_one_that_is_not_there(tmp_path: Path) -> None:
    async with world(tmp_path, files("legal/secret"), walks=2) as w:
        hidden = (await walked(w, "kim"))[1]
        assert hidden["message"] == "there is no page 'legal/secret' in the context"
        assert hidden["kind"] == "refused"


async def test_more_pages_than_a_step_can_hold_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path, files("legal/*"), walks=2) as w:
        monkeypatch.setattr(page_reading, "MOST_PAGES", 1)
        run, refused = await walked(w, "lee")
        assert (run.status, refused["message"]) == ("failed", "the pages legal/* are 2 pages")
        monkeypatch.setattr(page_reading, "MOST_PAGES", 2)
        monkeypatch.setattr(page_reading, "MOST_LETTERS", 10)
        assert "letters" in (await walked(w, "lee"))[1]["message"]


def test_who_calls_is_no_argument_that_a_step_must_give() -> None:
    assert functions_in(CODE, "looking.py")["cited"].needs == {"pages", "word"}
