"""Requests to owners: what is missing, old, unverified or contradicted, and what somebody would have changed.

One home for every need, whether a question felt it or upkeep found it. The same need is one request, however often it
comes back, so that nobody is buried. Its id follows from the need: whoever felt it can name it before it is stored.
No personal data stands in it: words and names are the workspace's own.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.storage.store import Store
from fairlead.storage.types import Entry

if TYPE_CHECKING:
    from fairlead.storage.request_rows import RequestRow, State

log = logging.getLogger("fairlead.requests")

Kind = Literal[
    "missing", "stale", "unverified", "contradicted", "expired", "review", "outdated", "changed", "vacancy", "edit"
]
_DAY: Final = 86_400_000
_QUIET: Final = 60.0  # seconds in which the same need is counted and not written
_REMEMBERED: Final = 2_048
_LONGEST: Final = 500  # characters


class Need(Struct, frozen=True, kw_only=True):
    """What somebody must see to. `need` is the name that the workspace gives a requirement, `item` and `section` what
    it is about where that exists, `cause` what makes it another need than before (a version, a day). `weight` ranks an
    owner's requests; `due` is how many days they have."""

    kind: Kind
    need: str = ""
    item: str = ""
    section: str = ""
    task: str = ""
    cause: str = ""
    owner: str = ""
    words: str = ""
    weight: int = 0
    due: int = 7

    @property
    def id(self) -> str:
        """The request's name. Who owns it, and how it is worded, may change under it."""
        about = msgspec.json.encode((self.kind, self.need, self.item, self.section, self.task, self.cause))
        return "req_" + hashlib.sha256(about).hexdigest()[:24]


class _Felt(Struct):
    """When a need was last written down, in seconds, and how often it was felt since."""

    at: float
    times: int = 0
    row: "RequestRow | None" = None


class Requests:
    """All requests of a deployment. `note` is for the event loop; everything else reads or writes the database: call it
    in a thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._felt: dict[str, _Felt] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        # Pairs of pages that contradict each other as long as a request about both is open, as last looked.
        self.disputed: frozenset[frozenset[str]] = frozenset()

    def note(self, need: Need) -> str:
        """The request's id, at once; it is written beside what goes on, at most once a minute for the same need. That
        it cannot be written is logged, and tried again when the need is felt again."""
        id_, now = need.id, self._clock.monotonic()
        felt = self._felt.get(id_)
        if felt is not None and now - felt.at < _QUIET:
            felt.times += 1
            return id_
        times = 1 + (felt.times if felt is not None else 0)
        if felt is None and len(self._felt) >= _REMEMBERED:
            self._felt.pop(next(iter(self._felt)))
        self._felt[id_] = _Felt(now)
        task = asyncio.ensure_future(self._written(need, times))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return id_

    async def asked(self, need: Need) -> "RequestRow | None":
        """As `note`, for whoever tells people of it: the request as it stands in the database, or stood there within
        the last minute. None where it cannot be written."""
        id_, now = need.id, self._clock.monotonic()
        felt = self._felt.get(id_)
        if felt is not None and felt.row is not None and now - felt.at < _QUIET:
            felt.times += 1
            return felt.row
        try:
            row = await asyncio.to_thread(self._asked, need, 1 + (felt.times if felt is not None else 0))
        except FairleadError as error:
            log.error("the request %s cannot be written: %s (%s)", id_, error, error.why)
            return None
        if felt is None and len(self._felt) >= _REMEMBERED:
            self._felt.pop(next(iter(self._felt)))
        self._felt[id_] = _Felt(now, 0, row)
        return row

    def _asked(self, need: Need, times: int) -> "RequestRow":
        return self.one(self.ask(need, times))

    async def _written(self, need: Need, times: int) -> None:
        try:
            await asyncio.to_thread(self.ask, need, times)
        except FairleadError as error:
            log.error("the request %s cannot be written: %s (%s)", need.id, error, error.why)
            self._felt.pop(need.id, None)

    async def settle(self) -> None:
        """Wait for what is being written."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    def ask(self, need: Need, times: int = 1) -> str:
        """The id of the one request for this need: made, counted once more, or opened again where it was done. One that
        was dismissed stays so."""
        from fairlead.storage import request_rows as table

        now = self._clock.now()
        with self._store.writing() as connection:
            row = table.one(connection, need.id)
            if row is None:
                table.insert_request(connection, row_of(need, times, now))
            else:
                owner = need.owner[:_LONGEST] or row.owner
                weight, words = max(need.weight, row.weight), need.words[:_LONGEST]
                table.felt_again(connection, row, times, weight, owner, words, now)
        return need.id

    def found(self, needs: Sequence[Need], kinds: Collection[str], rest: Callable[[str], int]) -> None:
        """All that is the matter by now, of these kinds: what is new is asked for, what is over is taken back. What was
        done and is still so opens again once `rest` (milliseconds, by kind; 0: never) is over."""
        from fairlead.storage import request_rows as table

        now = self._clock.now()
        wanted = {need.id: need for need in needs}
        with self._store.writing() as connection:
            known = table.among(connection, wanted)
            for id_, need in wanted.items():
                row = known.get(id_)
                if row is None:
                    table.insert_request(connection, row_of(need, 1, now))
                elif row.state == "open" or _rested(row, rest(row.kind), now):
                    words, owner = need.words[:_LONGEST], need.owner[:_LONGEST]
                    table.found_again(connection, row, need.weight, owner, words, now)
            table.take_back(connection, kinds, wanted, now)

    def over(self, reasons: Iterable[tuple[str, str]]) -> None:
        """End open requests, each (id) with its reason."""
        from fairlead.storage import request_rows as table

        now = self._clock.now()
        with self._store.writing() as connection:
            for id_, why in reasons:
                table.close(connection, id_, why[:_LONGEST], now)

    async def follow(self) -> None:
        """Look which contradictions are open, now and then."""
        rows = await asyncio.to_thread(self.listed, "open")
        self.disputed = frozenset(
            frozenset((row.item, row.cause)) for row in rows if row.kind == "contradicted" and row.item and row.cause
        )

    def listed(self, *states: "State") -> "list[RequestRow]":
        """All, or those in these states, the weightiest first."""
        from fairlead.storage import request_rows as table

        with self._store.reading() as connection:
            return table.listed(connection, states)

    def one(self, id_: str) -> "RequestRow":
        """The request of this id; the beginning of one will do. Raises `NotFound`."""
        from fairlead.storage import request_rows as table

        with self._store.reading() as connection:
            found = table.beginning_with(connection, id_) if len(id_) > len("req_") else []
            row = table.one(connection, found[0]) if len(found) == 1 else table.one(connection, id_)
        if row is None:
            several = f"several requests begin with {id_!r}" if found else f"there is no request {id_!r}"
            raise NotFound(several, mend="`fairlead context requests --all` lists them", subject=id_)
        return row

    def end(self, id_: str, state: "State", entry: Entry) -> "RequestRow":
        """It was seen to (`done`), or will not be (`dismissed`). `entry` is the log's, which says who says so. Raises
        `NotFound`, `BadInput` where it has ended already."""
        from fairlead.storage import request_rows as table

        row = self.one(id_)
        with self._store.writing() as connection:
            if not table.end(connection, row.id, state, self._clock.now()):
                raise BadInput(
                    f"the request {row.id} is not open",
                    why=f"it is {row.state}",
                    mend="nothing is left to do: it opens again by itself if the need comes back",
                )
            self._store.database.append(connection, [entry])
        return self.one(row.id)


def _rested(row: "RequestRow", rest: int, now: int) -> bool:
    return row.state == "done" and rest > 0 and now - row.ended_at >= rest


def row_of(need: Need, times: int, now: int) -> "RequestRow":
    """The request for a need that nobody has felt before."""
    from fairlead.storage.request_rows import RequestRow

    due = need.due * _DAY
    return RequestRow(
        id=need.id,
        kind=need.kind,
        need=need.need[:_LONGEST],
        item=need.item[:_LONGEST],
        section=need.section[:_LONGEST],
        task=need.task[:_LONGEST],
        cause=need.cause[:_LONGEST],
        owner=need.owner[:_LONGEST],
        words=need.words[:_LONGEST],
        state="open",
        times=times,
        weight=need.weight,
        due=due,
        asked_at=now,
        last_at=now,
        due_at=now + due,
        told_at=0,
        escalated_at=0,
        ended_at=0,
    )
