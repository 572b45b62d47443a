"""Starter packs: pages of questions that a workspace can take as they are, and tasks that are met once they are
answered."""

from datetime import date

import msgspec
import pytest
import yaml

from fairlead.context.items import read_item
from fairlead.context.questions import unanswered
from fairlead.context.settings import ContextSettings
from fairlead.context.sufficiency import answers
from fairlead.context.types import Item
from fairlead.errors import BadInput, NotFound
from fairlead.labels import DataClass
from fairlead.tasks.settings import TaskSettings, compile_tasks
from fairlead.tasks.types import TaskType
from fairlead.workspace.starters import FUNCTIONS, starter, starter_files

TODAY = date(2026, 11, 21)
LEAST = 10


def packed(*functions: str) -> tuple[list[Item], list[TaskType]]:
    files = starter_files(functions, today=TODAY)
    pages = [
        read_item(path.removeprefix("context/"), text, ContextSettings())
        for path, text in files.items()
        if path.startswith("context/")
    ]
    kinds = {
        path.removeprefix("tasks/").removesuffix(".yaml"): msgspec.convert(yaml.safe_load(text), TaskSettings)
        for path, text in files.items()
        if path.startswith("tasks/")
    }
    found = compile_tasks(kinds).types
    return pages, [found[name] for name in kinds]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_pack_is_a_checklist_of_drafts_with_owner_topics_readers_and_a_day_to_look_again(function: str) -> None:
    pages, _ = packed(function)
    assert len(pages) >= LEAST
    for page in pages:
        assert page.status == "draft"
        assert all((page.owner, page.topics, page.audience))
        assert page.review_by > TODAY.isoformat()
    assert {"term", "flow", "decision"} <= {page.kind for page in pages}, "terms, approvals and decisions in each"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_question_of_a_pack_is_open_until_it_is_answered(function: str) -> None:
    texts = {path: text.decode() for path, text in starter_files((function,), today=TODAY, with_tasks=False).items()}
    asked = {f"context/{function}/{item.name}.md": item for item in starter(function).items}
    assert texts.keys() == asked.keys()
    for path, text in texts.items():
        assert unanswered(text)[-len(asked[path].ask) :] == asked[path].ask
        assert "why agents" not in read_item("page.md", text.encode(), ContextSettings()).text.lower(), "no model's"


def test_what_a_function_asks_for_is_answered_by_one_page_of_its_own_pack() -> None:
    pages, tasks = packed(*FUNCTIONS)
    for function, task in zip(FUNCTIONS, tasks, strict=True):
        assert task.requires
        for need in task.requires:
            assert [page.id.partition("/")[0] for page in pages if answers(page, need)] == [function], need.name
            assert need.owner in {page.owner for page in pages}


def test_owners_and_readers_are_filled_in_for_a_function_and_for_one_of_its_roles() -> None:
    files = starter_files(
        ("marketing",),
        today=TODAY,
        into="handbook",
        owners={"marketing": "kim", "legal": "a: b\n--- #"},
        audiences={"marketing": ("brand", "person:kim")},
    )
    defaults = ContextSettings()
    pages = {
        path: read_item(path.removeprefix("context/"), text, defaults)
        for path, text in files.items()
        if path.endswith(".md")
    }
    prefix = "context/handbook/marketing"
    assert pages[f"{prefix}/positioning.md"].owner == "kim"
    assert pages[f"{prefix}/positioning.md"].audience == {"brand", "person:kim"}
    assert pages[f"{prefix}/claims.md"].owner == "a: b\n--- #", "whatever is in a name, it is a name"
    assert pages[f"{prefix}/voice.md"].audience == {"everyone"}, "what all are to read stays theirs"
    assert pages[f"{prefix}/campaigns.md"].data_class == DataClass.confidential
    needs = yaml.safe_load(files["tasks/marketing-questions.yaml"])["requires"]
    assert {need["owner"] for need in needs} == {"kim", "a: b\n--- #"}


def test_names_that_no_pack_has_are_told() -> None:
    with pytest.raises(NotFound, match="no starter pack 'sale'"):
        starter_files(("sale",), today=TODAY)
    with pytest.raises(BadInput, match="--owner names 'salse'"):
        starter_files(("sales",), today=TODAY, owners={"salse": "kim"})
    with pytest.raises(BadInput, match="--audience names 'legal'"):
        starter_files(("sales",), today=TODAY, audiences={"legal": ("x",)})
