"""What a person's answer to a run is an example of: what was asked there, and what models had given."""

from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

import msgspec

from fairlead.identity.types import Caller
from fairlead.labels import Labels
from fairlead.learning.examples import Lesson, Message, Rejected, Source
from fairlead.storage.workflow_step_rows import Result
from fairlead.workflows.opened import Opened, unpacked
from fairlead.workflows.recorded import failure_in
from fairlead.workflows.walk import StepResult, Waiting, Work

EXPERT: Final = ".~expert"
"""What the place of a question to an expert ends with, behind that of its step."""
_MODEL: Final = "model:"


def lesson_of(opened: Opened, place: str, waiting: Waiting, who: Caller, answer: Any) -> Lesson:
    """What is learnt from this answer."""
    work = waiting.work or Work()
    step, _, again = place.rpartition(EXPERT) if EXPERT in place else (place, "", "")
    rows = sorted(_below(opened, step), key=lambda row: (row.at, row.place)) if step != place else []
    source: Source = "expert" if waiting.kind == "question" else "approval"
    given = list(_given(opened, rows))
    return Lesson(
        source=source,
        subject=opened.run.subject,
        person=who.person,
        tenant=opened.run.tenant,
        department=opened.run.department,
        messages=tuple(_messages(waiting, work)),
        answer=answer,
        schema=dict(waiting.answer),
        rejected=tuple(map(_rejected, given)),
        labels=reduce(Labels.joined, (each.labels for each in given), work.labels),
        sources=work.sources,
        role=waiting.role,
        task=work.task,
        workflow=opened.run.workflow,
        run=opened.run.id,
        place=f"{step}{again}",
        action=next((each.action for each in reversed(rows) if each.action), ""),
        reason=work.reason,
        code=work.code,
    )


def _messages(waiting: Waiting, work: Work) -> Iterator[Message]:
    """What was asked. What is shown beside a question of a workflow belongs to it; of a step that came to an expert it
    only says why."""
    if work.instructions:
        yield "system", work.instructions
    shown = waiting.show if waiting.kind == "approval" else None
    told = "" if shown is None else f"\n\n{msgspec.json.encode(shown).decode()}"
    yield "user", f"{waiting.ask}{told}"


def _below(opened: Opened, step: str) -> Iterator[Result]:
    """What is recorded of the step itself: its attempts, what was asked anew, an agent's turns."""
    beginnings = tuple(f"{step}{mark}" for mark in "#~[")
    return (row for at, row in opened.results.items() if at == step or at.startswith(beginnings))


def _given(opened: Opened, rows: list[Result]) -> Iterator[StepResult]:
    """What models gave there, in the order in which they did, replies in another form than was asked for too. Turns in
    which an agent called tools gave nothing."""
    for row in rows:
        plain = opened.key.open(row.place, row.sealed)
        result = _out_of_form(plain) if row.status == "failed" else unpacked(plain, StepResult)
        if result is None:
            continue
        called = isinstance(result.value, dict) and result.value.get("calls")
        if len(result.provenance) == 1 and result.provenance[0].startswith(_MODEL) and result.text and not called:
            yield result


def _out_of_form(plain: Any) -> StepResult | None:
    """The reply of a model that failed by its form alone."""
    failed = failure_in(plain)
    return failed.result if failed.code == "no_json" else None


def _rejected(given: StepResult) -> Rejected:
    return Rejected(given.provenance[0].removeprefix(_MODEL), given.run, given.text)
