"""Erasing a person, to the end, whatever dies meanwhile.

One transaction deletes the key, remembered conversations with it, and leaves a tombstone and a record: from then on
nothing that was sealed can be read. What remains is clearing away, a page at a time, so that nobody waits for it: the
ciphertexts that nothing opens any more. Whoever comes upon an unfinished tombstone finishes it. A call that was under
way may still leave a last ciphertext, which is as unreadable; it is cleared away for a day after.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, delete, func, or_, select

from fairlead.errors import NotFound
from fairlead.storage.legal_holds import require_no_hold
from fairlead.storage.people_rows import note_erasure
from fairlead.storage.personal_tables import example, memory, session, session_turn
from fairlead.storage.schema import payload, subject
from fairlead.storage.store import Store
from fairlead.storage.tombstones import SUBJECT, Tombstone, bury, mark_done, tombstones
from fairlead.storage.types import Entry

_PAGE: Final = 500
_AFTERWARDS: Final = 86_400_000  # milliseconds for which calls that were under way may leave something


class Kept(Struct, frozen=True):
    """How much is kept of a subject: payloads of runs, conversations and turns of them, what is remembered, examples of
    their runs or answered by them."""

    payloads: int
    sessions: int
    turns: int
    memories: int = 0
    examples: int = 0


def kept_of(connection: Connection, subject_id: str) -> Kept:
    """How much there is. Looks through all payloads."""
    found = [
        connection.execute(select(func.count()).select_from(table).where(table.c.subject == subject_id)).scalar() or 0
        for table in (payload, session, session_turn, memory)
    ]
    mine = or_(example.c.subject == subject_id, example.c.by == subject_id)
    found.append(connection.execute(select(func.count()).select_from(example).where(mine)).scalar() or 0)
    return Kept(*map(int, found))


def erase_subject(
    store: Store,
    subject_id: str,
    entry: Entry,
    at: int,
    announce: Callable[[Connection], None],
    last: Callable[[Connection], Sequence[Entry]] = lambda _: (),
) -> Tombstone:
    """The one transaction after which nothing of the subject can be read. `announce` begins the epoch in it; `last`
    tells what the log must keep of what goes with them.

    Raises BadInput where a legal hold forbids it, NotFound if somebody else was faster.
    """
    with store.erasing("subject") as connection:
        require_no_hold(connection, subject_id)
        entries = [entry, *last(connection)]
        if connection.execute(delete(subject).where(subject.c.id == subject_id)).rowcount != 1:
            raise NotFound(f"the subject {subject_id} was erased meanwhile", mend="there is nothing left to do")
        note_erasure(connection)
        stone = bury(connection, SUBJECT, subject_id, at)
        store.database.append(connection, entries)
        announce(connection)
    return stone


def clear_away(store: Store, now: int) -> int:
    """Delete what erased subjects have left, and return how many ciphertexts there were. Safe to repeat, and to cut
    short anywhere: whoever calls it next goes on."""
    store.bring_in_order()
    with store.reading() as connection:
        stones = [each for each in tombstones(connection) if each.kind == SUBJECT]
    cleared = 0
    for stone in stones:
        if stone.done_at and now - stone.at > _AFTERWARDS:
            continue
        cleared += _clear(store, stone.what, stone.seq if stone.done_at else 0)
        if not stone.done_at:
            with store.writing() as connection:
                mark_done(connection, stone.n, now)
    return cleared


def _clear(store: Store, subject_id: str, first: int) -> int:
    cleared = 0
    while True:
        mine = (payload.c.subject == subject_id) & (payload.c.seq >= first)
        with store.reading() as connection:
            page = (
                connection.execute(select(payload.c.seq).where(mine).order_by(payload.c.seq).limit(_PAGE))
                .scalars()
                .all()
            )
        if not page:
            return cleared
        cleared += delete_payloads(store, list(page))
        first = page[-1] + 1


def delete_payloads(store: Store, seqs: list[int]) -> int:
    """Delete these payloads, leaving nothing of them in the pages of a file."""
    with store.writing() as connection:
        store.database.wipe(connection)
        return connection.execute(delete(payload).where(payload.c.seq.in_(seqs))).rowcount
