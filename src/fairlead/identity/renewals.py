"""Renewing the tokens of a grant: by one worker of all at a time, whatever dies in the middle.

Refresh tokens may rotate: two who renew at once lose the grant. So a renewal begins with a lease in the grant's row.
Nobody's wall clock decides when a lease is over: a worker that has watched the same one for longer than any renewal can
last takes it over, and tries the token that is stored. If that is taken no more, the new one was lost with whoever
died, or with an answer that never came: the grant is ended, and says so.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from fairlead.clock import Clock
from fairlead.errors import Broken, FairleadError, Upstream
from fairlead.identity.grant_server import PATIENCE, GrantServer
from fairlead.identity.grants import Grants, has_ended
from fairlead.identity.token_endpoint import Declined, Tokens
from fairlead.tools.failures import SystemFailed
from fairlead.tools.grant_settings import GrantSettings

if TYPE_CHECKING:
    from fairlead.storage.grant_rows import GrantRow

log = logging.getLogger("fairlead.grants")

LEASE: Final = 60.0
"""Seconds after which a lease that does not move is nobody's: longer than a question and the keeping of its answer."""

_PAUSE: Final = 5.0  # seconds between tries after one that failed
_KEEPING: Final = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)  # pauses while the database takes nothing
_MOST_KEPT: Final = 10_000
_Done = TypeVar("_Done")


class Renewals:
    """One per process."""

    def __init__(self, grants: Grants, server: GrantServer, clock: Clock) -> None:
        self._grants = grants
        self._server = server
        self._clock = clock
        self._under_way: set[asyncio.Task[Tokens]] = set()
        self._leases: dict[str, tuple[str, float]] = {}  # by grant: the lease that was seen, and since when
        self._failed: dict[str, tuple[float, FairleadError]] = {}

    async def close(self) -> None:
        """Let those that are under way come to their end: what is cut off in the middle may be lost."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=PATIENCE)
            for each in late:
                each.cancel()

    async def begun(
        self, row: "GrantRow", tokens: Tokens, settings: GrantSettings, person: str
    ) -> "asyncio.Task[Tokens] | None":
        """What will have new tokens, kept before anybody uses them; None where another renews it, or has just done so.
        Wait for it behind a shield: the provider may have given the new tokens already when whoever waits leaves.

        It raises `NoCredential` where the grant has ended, `Upstream` or `Broken` where it could not be renewed; so
        does this for a while after.
        """
        failed = self._failed.get(row.id)
        if failed is not None:
            if self._clock.monotonic() < failed[0]:
                raise failed[1]
            del self._failed[row.id]
        if row.lease and not self._is_over(row):
            return None
        lease = await asyncio.to_thread(self._grants.claim, row)
        if not lease:
            return None
        work = self._renew(row, lease, tokens, settings, person)
        renewing = asyncio.get_running_loop().create_task(work)
        self._under_way.add(renewing)
        renewing.add_done_callback(self._ended)
        return renewing

    def _ended(self, done: asyncio.Task[Tokens]) -> None:
        self._under_way.discard(done)
        if not done.cancelled():
            done.exception()  # whoever waits has it, and the next who asks is told again

    def _is_over(self, row: "GrantRow") -> bool:
        now = self._clock.monotonic()
        lease, since = self._leases.get(row.id, ("", now))
        if lease == row.lease:
            return now - since >= LEASE
        if len(self._leases) >= _MOST_KEPT:
            self._leases.clear()
        self._leases[row.id] = row.lease, now
        return False

    async def _renew(self, row: "GrantRow", lease: str, tokens: Tokens, settings: GrantSettings, person: str) -> Tokens:
        unsure = row.unsure  # an earlier renewal may have used the token up
        try:
            if tokens.refresh:
                form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
                answer = await self._server.tokens(settings, form)
            else:
                answer = Declined("over", "")
        except FairleadError as error:
            unsure |= isinstance(error, Upstream) and error.charged != "no"
            raise await self._given_up(row, lease, error, unsure) from error
        if isinstance(answer, Declined):
            raise await self._declined(row, lease, answer, unsure)
        if not answer.refresh:
            answer = msgspec.structs.replace(answer, refresh=tokens.refresh)
        if not await self._surely(lambda: self._grants.keep(row, lease, answer, person)):
            raise has_ended(row.system, "it was ended while it was renewed")
        return answer

    async def _declined(self, row: "GrantRow", lease: str, answer: Declined, unsure: bool) -> FairleadError:
        if answer.error in ("invalid_grant", "over"):
            reason = "over" if answer.error == "over" else "lost" if unsure else "refused"
            await self._surely(lambda: self._grants.end(row, reason, lease))
            return has_ended(row.system, reason)
        error = SystemFailed(
            f"the token for {row.system} cannot be renewed",
            why=answer.why,
            mend=f"have `systems.{row.system}.credential.grant` and its client's secret corrected",
            subject=row.system,
            retryable=False,
        )
        return await self._given_up(row, lease, error, unsure)

    async def _given_up(self, row: "GrantRow", lease: str, error: FairleadError, unsure: bool) -> FairleadError:
        """For now: the next try waits a little, and is told at once what was wrong."""
        if len(self._failed) >= _MOST_KEPT:
            self._failed.clear()
        self._failed[row.id] = self._clock.monotonic() + _PAUSE, error
        await self._surely(lambda: self._grants.release(row, lease, unsure=unsure))
        return error

    async def _surely(self, write: Callable[[], _Done]) -> _Done:
        """Write, and try again for as long as the lease is surely ours: what is not written may be lost."""
        for pause in _KEEPING:
            try:
                return await asyncio.to_thread(write)
            except Broken as error:
                log.warning("a renewed grant could not be kept yet: %s (%s)", error, error.why)
                await asyncio.sleep(pause)
        return await asyncio.to_thread(write)
