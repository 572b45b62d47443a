"""What to see to next: by how many questions it stands in the way of, with owner and command."""

from tests.context.readiness.company import facts, need, page, people, task

from fairlead.context.readiness import Draft, Traffic, readiness
from fairlead.context.readiness.types import Step
from fairlead.tasks.requirements import RequirementSettings


def draft(id: str, topic: str, *questions: str) -> Draft:
    return Draft(
        id=id, title=id, kind="page", status="draft", topics=frozenset({topic}), owner="kim", questions=questions
    )


def test_what_most_questions_wait_for_comes_first_and_a_small_gap_weighs_less() -> None:
    known = facts(
        tasks=(task("rare", need("rare")), task("often", need("old", fresh=10)), task("some", need("absent"))),
        pages=(page("old"),),
        traffic=Traffic(calls={("rare", "sales"): 1, ("often", "sales"): 100, ("some", "sales"): 50}),
    )
    steps = readiness(known).steps
    assert [(step.verb, step.tasks, step.calls) for step in steps] == [
        ("review", ("often",), 100),
        ("write", ("some",), 50),
        ("write", ("rare",), 1),
    ]
    assert steps[0].command == "fairlead context verify old"
    assert "10 days are allowed" in steps[0].what
    assert steps[0].owner == "care"
    assert len(readiness(known, 2).steps) == 2


def test_what_work_is_refused_for_comes_before_what_it_goes_on_without() -> None:
    refused = RequirementSettings(need="b", topics=("b",), otherwise="abstain")
    known = facts(tasks=(task("one", need("a")), task("two", refused)))
    assert [step.tasks for step in readiness(known).steps] == [("two",), ("one",)]


def one(**said: object) -> Step:
    (step,) = readiness(facts(tasks=(task("refund", need("refunds")),), **said)).steps
    return step


def test_what_is_missing_is_a_draft_to_finish_a_pack_to_start_with_or_a_page_to_write() -> None:
    drafts = (draft("a", "refunds", "Who?", "When?"), draft("b", "refunds", "Who?"), draft("c", "other"))
    finish = one(drafts=drafts, packs={"refunds": "sales"})
    assert (finish.verb, finish.owner, finish.command) == ("publish", "kim", "fairlead context publish b")
    assert finish.what == "answer 1 question(s) in b"
    assert one(drafts=(draft("d", "refunds"),)).what == "publish d"
    assert one(packs={"refunds": "sales"}).command == "fairlead context start sales"
    assert one().what == "write refunds: topics refunds"
    asked = RequirementSettings(need="x", item="a/b", otherwise="caveat", owner="care")
    (step,) = readiness(facts(tasks=(task("refund", asked),))).steps
    assert (step.page, step.owner, step.command) == ("a/b", "care", "edit context/a/b.md")


def test_one_deed_that_several_kinds_of_work_wait_for_is_one_step() -> None:
    known = facts(
        tasks=(task("one", need("refunds", verified=True)), task("two", need("refunds", verified=True))),
        pages=(page("refunds", verified=""),),
        people=(people("sales"), people("hr")),
        traffic=Traffic(calls={("one", "sales"): 2, ("two", "hr"): 3}),
    )
    (step,) = readiness(known).steps
    assert (step.verb, step.tasks, step.departments, step.calls) == ("verify", ("one", "two"), ("hr", "sales"), 5)


def test_what_is_hidden_names_whom_it_is_to_be_shown_to() -> None:
    known = facts(
        tasks=(task("refund", need("refunds")),), pages=(page("refunds", frozenset({"board"})),), people=(people(""),)
    )
    (step,) = readiness(known).steps
    assert step.what == "show refunds to people without a department, or write one for them"
    assert step.command == "edit `audience` in context/refunds.md"
