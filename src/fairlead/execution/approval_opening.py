"""Questions as people are shown them: opened with the keys of those whose calls they are about.

What was sealed for somebody who was erased meanwhile is gone with them.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from fairlead.errors import NotFound
from fairlead.execution.approval_answers import answer_of
from fairlead.execution.approval_question import Approval, Question, about, decoded
from fairlead.storage.approval_rows import AnswerRow, ApprovalRow
from fairlead.storage.vault import Vault


def opened_approval(
    vault: Vault, row: ApprovalRow, answers: Sequence[AnswerRow], askers: tuple[str, ...], now: int
) -> Approval | None:
    """The question with its answers, as it stands `now` (milliseconds since 1970). None where it went with its person
    meanwhile."""
    question = _opened(vault, row)
    if question is None:
        return None
    over = row.state in ("pending", "granted") and row.expires_at <= now
    return Approval(
        id=row.id,
        state="expired" if over else row.state,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        ended_at=row.expires_at if over else row.ended_at,
        question=replace(question, revision=row.revision),  # it may stand under another by now
        answers=tuple(answer_of(vault, each) for each in answers),
        askers=askers,
    )


def still_asks(vault: Vault, row: ApprovalRow, question: Question) -> bool:
    """Whether a question of another revision is this one: nothing that it rests on is another by now."""
    if not question.basis or row.revision == question.revision:
        return False
    before = _opened(vault, row)
    return before is not None and before.stands_for(question)


def _opened(vault: Vault, row: ApprovalRow) -> Question | None:
    try:
        return decoded(vault.open_sealed(row.subject, row.sealed, about(row.id)))
    except NotFound:
        return None
