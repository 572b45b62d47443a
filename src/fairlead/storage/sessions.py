"""Conversations that are remembered between calls, under the rights of the person who has them.

What was said is sealed under the person's key and vanishes with it. It belongs to the person as a member of a tenant:
for everybody else it does not exist. It is forgotten some time after its last use. Nothing here knows what a message
is, nor which protocol it came by. Every method reads or writes the database: call it in a thread.
"""

from hashlib import sha256
from typing import NoReturn

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.errors import BadInput, NotFound
from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.storage.session_rows import MOST_TURNS, OwnedBy, SessionRow, SessionRows, TurnRow
from fairlead.storage.store import Store
from fairlead.storage.types import NewTurn
from fairlead.storage.vault import SubjectKey, Vault


class Owner(Struct, frozen=True):
    """Whose conversations: a person, as a member of a tenant."""

    person: str
    tenant: str


class Turn(Struct, frozen=True, kw_only=True):
    """What one call adds to a conversation.

    `messages` is what a model must see of it later on; `asked` and `shown` are the input and the reply as their
    protocol has them, to be shown again. `labels` are those of the whole that was asked, its context included.
    """

    id: str
    messages: bytes
    labels: Labels = NO_LABELS
    asked: bytes = b""
    shown: bytes = b""


class Past(Struct, frozen=True):
    """What was said before, oldest first, with the labels of all of it and its size in bytes."""

    turns: tuple[Turn, ...] = ()
    labels: Labels = NO_LABELS
    size: int = 0


class Session(Struct, frozen=True):
    """A conversation that goes on under a name. `about` is whatever its maker wrote there."""

    id: str
    made_at: int
    about: bytes


class _Sealed(Struct, frozen=True, array_like=True):
    messages: bytes
    data_class: int
    categories: list[str]
    asked: bytes
    shown: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Sealed)


class Sessions:
    """All conversations of a deployment. `keep` is in milliseconds, 0 for none; `most_bytes` bounds each of them.

    Both are replaced when another revision comes into force.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock, *, keep: int = 0, most_bytes: int = 4 << 20) -> None:
        self.store = store
        self.keep = keep
        self.most_bytes = most_bytes
        self._rows = SessionRows(store)
        self._vault = vault
        self._clock = clock

    def recall(self, owner: Owner, *, previous: str = "", session: str = "", new: bool = False) -> Past:
        """What was said up to a turn, or in a session; with `new` nothing in one that is not there. Raises `NotFound`,
        or `BadInput` where it has grown too long."""
        _, mine = self._mine(owner)
        last = previous
        if session:
            found = self._rows.session(mine, session, self._since())
            if found is None and new:
                return Past()
            if found is None:
                _unknown("conversation", session)
            last = found.head
        if not last:
            return Past()
        rows = self._rows.chain(mine, last, self._since())
        if not rows or rows[-1].id != last:
            _unknown("response", last)
        size = sum(row.size for row in rows)
        if len(rows) > MOST_TURNS or size > self.most_bytes:
            raise BadInput(
                f"the conversation has grown to {len(rows)} turns and {size} bytes",
                why=f"{MOST_TURNS} turns and {self.most_bytes} bytes (`sessions.most_bytes`) are the most",
                mend="begin a new one with a summary of this one",
            )
        if rows[0].previous:
            raise NotFound(
                "what was said before is not complete any more",
                why="a part of the conversation was deleted or has expired",
                mend="begin a new one",
            )
        turns = tuple(self._open(row) for row in rows)
        labels = NO_LABELS
        for turn in turns:
            labels = labels.joined(turn.labels)
        return Past(turns, labels, size)

    def remember(self, owner: Owner, turn: Turn, past: Past, *, previous: str = "", session: str = "") -> None:
        """Keep a turn that comes by no action. Durable when this returns. Raises `NotFound` if the session, or the
        person, is gone."""
        if not self._rows.append(self.new_turn(owner, turn, past, previous=previous, session=session)):
            _unknown("conversation", session)

    def new_turn(
        self,
        owner: Owner,
        turn: Turn,
        past: Past,
        *,
        previous: str = "",
        session: str = "",
        begins: bytes | None = None,
    ) -> NewTurn:
        """A turn that goes on with `past`, sealed, for the journal to keep in the commit that settles it.

        With `begins` the session is begun with it, under this description, unless it is there.
        """
        key, mine = self._mine(owner)
        labels, tenant = turn.labels, mine.tenant
        plain = _encode(
            _Sealed(turn.messages, int(labels.data_class), sorted(labels.categories), turn.asked, turn.shown)
        )
        sealed_about = None
        if begins is not None:
            sealed_about = self._vault.seal(key, begins, _about("session", session, tenant))
        return NewTurn(
            id=turn.id,
            subject=mine.subject,
            tenant=tenant,
            session=session,
            previous=previous,
            at=self._clock.now(),
            size=len(turn.messages),
            sealed=self._vault.seal(key, plain, _about("turn", turn.id, tenant)),
            data_class=int(labels.data_class),
            used=tuple(each.id for each in past.turns),
            begins=sealed_about,
            since=self._since(),
        )

    def turn(self, owner: Owner, id_: str) -> Turn:
        """One turn. Raises `NotFound`."""
        _, mine = self._mine(owner)
        row = self._rows.turn(mine, id_, self._since())
        return _unknown("response", id_) if row is None else self._open(row)

    def forget_turn(self, owner: Owner, id_: str) -> None:
        """Delete one turn. What goes on from it cannot be gone on with any more. Raises `NotFound`."""
        _, mine = self._mine(owner)
        if self._rows.turn(mine, id_, self._since()) is None or not self._rows.delete_turn(mine, id_):
            _unknown("response", id_)

    def begin(self, owner: Owner, about: bytes) -> Session:
        """A new conversation under a name. Raises `BadInput` where none are remembered."""
        self.require()
        key, mine = self._mine(owner)
        id_, now = new_id(self._clock, "conv"), self._clock.now()
        sealed = self._vault.seal(key, about, _about("session", id_, mine.tenant))
        if not self._rows.begin(SessionRow(id_, mine.subject, mine.tenant, "", now, now, sealed)):
            _unknown("conversation", id_)
        return Session(id_, now, about)

    def named(self, owner: Owner, name: str) -> str:
        """The id of the session that its owner calls by a name, whether or not it is there."""
        _, mine = self._mine(owner)
        return "sess_" + sha256(f"{mine.subject}\x00{mine.tenant}\x00{name}".encode()).hexdigest()[:32]

    def session(self, owner: Owner, id_: str) -> Session:
        """One conversation. Raises `NotFound`."""
        _, mine = self._mine(owner)
        row = self._rows.session(mine, id_, self._since())
        if row is None:
            _unknown("conversation", id_)
        return Session(
            id_, row.made_at, self._vault.open_sealed(row.subject, row.sealed, _about("session", id_, row.tenant))
        )

    def forget_session(self, owner: Owner, id_: str) -> None:
        """Delete a conversation with all that was said in it. Raises `NotFound`."""
        _, mine = self._mine(owner)
        if self._rows.session(mine, id_, self._since()) is None or not self._rows.delete_session(mine, id_):
            _unknown("conversation", id_)

    def sweep(self) -> int:
        """Delete some of what has expired, and tell how much."""
        return self._rows.sweep(self._since())

    def require(self) -> None:
        """Raises `BadInput` where the workspace has nothing remembered."""
        if not self.keep:
            raise BadInput(
                "no conversations are remembered here",
                why="`sessions.keep` is 0, or payloads are not kept",
                mend="send the whole conversation each time, with store: false",
            )

    def _mine(self, owner: Owner) -> tuple[SubjectKey, OwnedBy]:
        key = self._vault.subject_for(owner.person)
        return key, OwnedBy(key.id, owner.tenant)

    def _since(self) -> int:
        return self._clock.now() - self.keep

    def _open(self, row: TurnRow) -> Turn:
        plain = self._vault.open_sealed(row.subject, row.sealed, _about("turn", row.id, row.tenant))
        kept = _decoder.decode(plain)
        return Turn(
            id=row.id,
            messages=kept.messages,
            labels=Labels(DataClass(kept.data_class), frozenset(kept.categories)),
            asked=kept.asked,
            shown=kept.shown,
        )


def _about(kind: str, id_: str, tenant: str) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return f"{kind}\x00{id_}\x00{tenant}".encode()


def _unknown(what: str, id_: str) -> NoReturn:
    # The same for what never was, what has gone and what is somebody else's.
    raise NotFound(
        f"there is no {what} {id_!r} for you here",
        why="it never was, was deleted, has expired, or belongs to somebody else",
        mend="begin a new one",
    )
