"""What is asked of a person before a call is done, and what they say to it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import Refused
from fairlead.policy.approvals import Asker
from fairlead.policy.tool_rights import UNKNOWN
from fairlead.storage.approval_rows import AnswerRow, ApprovalRow, Same, State

LONGEST_REASON: Final = 1000  # characters


class ApprovalPending(Refused):
    """A person must approve this very call before it is done.

    The question is kept under the id in the message. Once it is approved (`fairlead approvals approve ID`), make the
    same call with the same arguments again: it passes once.
    """

    code = "approval_pending"

    def __init__(
        self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "", approval: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.approval = approval


class OwnCall(Refused):
    """Nobody approves their own call, nor does another program that acts for them.

    Somebody else who has the role must answer.
    """

    code = "own_call"


class NotOpen(Refused):
    """The question cannot be answered any more: it was answered, has expired, or the workspace was published anew.

    Where the call is still wanted, it is made again and asks anew.
    """

    code = "approval_not_open"


class Why(Struct, frozen=True):
    """A policy that asks, and its reason."""

    policy: str
    text: str


class Question(Struct, frozen=True, kw_only=True):
    """One call, as whoever answers sees it. All of it is sealed for whose call it is. `basis` is the digest of what
    decided that it is asked and who may answer; "" where another revision asks anew in any case."""

    person: str
    tenant: str
    agent: str
    department: str
    tool: str
    digest: str
    revision: str
    arguments: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, Any]
    reasons: tuple[Why, ...]
    wanted: Mapping[str, int]
    basis: str = ""

    def came(self, name: str) -> str:
        """Where an argument came from, for whoever answers. Of a value that nothing proves it may be anywhere: what had
        been read by then is told as that, since it may have nothing to do with it."""
        sources = self.sources.get(name, ())
        read = [each for each in sources if each not in UNKNOWN]
        if sources and len(read) == len(sources):
            return f"from {', '.join(read)}"
        return "not known where from" + (f"; read by then: {', '.join(read)}" if read else "")

    @property
    def policies(self) -> frozenset[str]:
        """The names of those that ask."""
        return frozenset(each.policy for each in self.reasons)

    def same(self, subject: str) -> Same:
        """What the very same call is found again by, for the subject with this id."""
        return Same(subject, self.tenant, self.agent, self.tool, self.digest)

    def stands_for(self, now: "Question") -> bool:
        """Whether what was asked under another revision is what is asked now, word for word, on the same grounds."""
        return self.basis != "" and encoded(msgspec.structs.replace(self, revision=now.revision)) == encoded(now)


class Answer(Struct, frozen=True, kw_only=True):
    """What one person said: for which roles it counts. `by` is "" where they were erased."""

    by: str
    roles: tuple[str, ...]
    allowed: bool
    at: int
    reason: str


class Approval(Struct, frozen=True, kw_only=True):
    """A question with what was said to it. Times in milliseconds since 1970, `ended_at` 0 while it is open.
    `askers` are the subject ids of those whose calls it is about, where several ask it together."""

    id: str
    state: State
    asked_at: int
    expires_at: int
    ended_at: int
    question: Question
    answers: tuple[Answer, ...] = ()
    askers: tuple[str, ...] = ()

    @property
    def asker(self) -> Asker:
        """Whose call it is, as policies on who may answer take them."""
        return Asker(self.question.person, self.question.tenant, self.question.department, self.asked_at)


class Standing(Struct, frozen=True):
    """How the question about a call stands: `roles` have let it pass, where it is granted."""

    id: str
    state: State
    roles: frozenset[str]


def plain(approval: Approval) -> dict[str, Any]:
    """An approval as JSON shows it, at every door and on the command line."""
    question = msgspec.to_builtins(approval.question)
    del question["basis"]
    return {
        "id": approval.id,
        "object": "fairlead.approval",
        "state": approval.state,
        **{name: question.pop(name) for name in ("tool", "arguments", "person", "agent", "department", "reasons")},
        **question,
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "ended_at": approval.ended_at,
        "answers": msgspec.to_builtins(approval.answers),
    }


_encode = msgspec.json.Encoder(order="sorted").encode
_decoder = msgspec.json.Decoder(Question)


def encoded(question: Question) -> bytes:
    """The question as it is kept, before it is sealed."""
    return _encode(question)


def decoded(plain: bytes) -> Question:
    """As `encoded` gave it."""
    return _decoder.decode(plain)


def row_of(asked: Approval, subject: str, sealed: bytes) -> ApprovalRow:
    """The row of a new question, `sealed` for the person with this id."""
    question = asked.question
    return ApprovalRow(
        id=asked.id,
        subject=subject,
        tenant=question.tenant,
        agent=question.agent,
        tool=question.tool,
        digest=question.digest,
        revision=question.revision,
        policies=msgspec.json.encode(sorted(question.policies)).decode(),
        wanted=msgspec.json.encode(question.wanted).decode(),
        state="pending",
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        ended_at=0,
        sealed=sealed,
    )


def covers(row: ApprovalRow, question: Question) -> bool:
    """Whether what was asked then is all that is asked now: a policy that asks for the first time is asked about."""
    wanted = msgspec.json.decode(row.wanted, type=dict[str, int])
    return question.policies <= set(msgspec.json.decode(row.policies, type=list[str])) and question.wanted == wanted


def standing(row: ApprovalRow) -> Standing:
    """How a question stands, without opening it."""
    return Standing(row.id, row.state, frozenset(msgspec.json.decode(row.wanted, type=dict[str, int])))


def agreed(wanted: Mapping[str, int], answers: list[tuple[str, ...]]) -> bool:
    """Whether as many agree for every role as must. `answers` are the roles of each who does."""
    return all(sum(role in roles for roles in answers) >= most for role, most in wanted.items())


def about(id_: str) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return f"approval\x00{id_}".encode()


def live(rows: Sequence[ApprovalRow], question: Question, once: str = "") -> Standing | None:
    """What this very call has used before (`once`) counts first, and what was granted before what was denied, and that
    before what waits."""
    mine = [row for row in rows if row.revision == question.revision and covers(row, question)]
    for row in mine:
        if once and row.state == "used" and row.used_by == once:
            return msgspec.structs.replace(standing(row), state="granted")
    for state in ("granted", "denied", "pending"):
        for row in mine:
            if row.state == state:
                return standing(row)
    return None


def after(wanted: Mapping[str, int], said: Sequence[AnswerRow]) -> State:
    """How a question stands after these answers: one denial is enough."""
    if not all(each.allowed for each in said):
        return "denied"
    roles = [tuple(msgspec.json.decode(each.roles, type=list[str])) for each in said]
    return "granted" if agreed(wanted, roles) else "pending"
