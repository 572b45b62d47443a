"""What somebody has said to a question, as it is sealed for them: their reason, and who they were then, so that it can
be looked at later whether they still may."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from fairlead.errors import NotFound, Unauthenticated
from fairlead.execution.approval_question import Answer, about
from fairlead.identity.types import Caller
from fairlead.storage.approval_rows import AnswerRow
from fairlead.storage.vault import SubjectKey, Vault


class Said(Struct, frozen=True, array_like=True):
    """`who` is not known of answers from before it was kept."""

    reason: str
    who: Caller | None = None


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Said)
_PACKED = b"\x92"  # an array of two: no text in UTF-8 begins so


def sealed_answer(vault: Vault, key: SubjectKey, id_: str, reason: str, who: Caller) -> bytes:
    """For whoever says it, bound to this question."""
    return vault.seal(key, _encode(Said(reason, who)), about(id_))


def opened_answer(vault: Vault, row: AnswerRow) -> Said:
    """Raises `NotFound` once its person was erased."""
    plain = vault.open_sealed(row.approver, row.sealed, about(row.approval))
    return _decoder.decode(plain) if plain.startswith(_PACKED) else Said(plain.decode())


def answer_of(vault: Vault, row: AnswerRow) -> Answer:
    """The answer as people are told it: without reason and name where its person was erased."""
    try:
        reason = opened_answer(vault, row).reason
    except NotFound:
        reason = ""
    roles = tuple(msgspec.json.decode(row.roles, type=list[str]))
    return Answer(by=vault.name_of(row.approver) or "", roles=roles, allowed=row.allowed, at=row.at, reason=reason)


def still_counts(
    vault: Vault, row: AnswerRow, standing: Callable[[Caller], Caller], may: Callable[[Caller], frozenset[str]]
) -> bool:
    """Whether whoever said it earlier may say it now: `standing` gives them as they are by now, `may` the roles in
    which somebody's answer counts."""
    try:
        said = opened_answer(vault, row)
        roles = msgspec.json.decode(row.roles, type=list[str])
        return said.who is None or may(standing(said.who)).issuperset(roles)
    except (NotFound, Unauthenticated):  # erased, their key is gone, or their provider has sent them away
        return False
