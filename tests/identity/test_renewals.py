"""Whatever workers, people and providers do in whatever order: nobody renews beside another, no token that was replaced
is shown but to find out what was lost, what has ended stays so, and why is told truly."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import mkdtemp

from aiohttp import web
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.databases import migrated_file
from tests.identity.authorization_server import AuthorizationServer
from tests.identity.issuer import ToldClock
from tests.identity.test_grant_tokens import Worker, connected, system, worker

from fairlead.errors import FairleadError, Upstream
from fairlead.identity.grants import Grant
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.renewals import LEASE
from fairlead.storage.store import Store

workers = st.integers(0, 1)


class RenewalMachine(RuleBasedStateMachine):
    """Two workers on one database, and a server whose books say what is true."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = ToldClock()
        self.store = Store.open(shutil.copyfile(migrated_file(), self.folder / "state.db"), synchronous="off")
        self.server = AuthorizationServer(self.clock)
        self.grant: Grant | None = None
        self.lost = False  # whether tokens of the grant in force were given to nobody
        self.revoked = False

    @initialize()
    def start(self) -> None:
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.stack = AsyncExitStack()
        serving: web.AppRunner = await self.server.serve()
        self.stack.push_async_callback(serving.cleanup)
        self.crm = system(self.server)
        self.workers: list[Worker] = [
            await self.stack.enter_async_context(worker(self.store, self.clock, self.server)) for _ in range(2)
        ]

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.runner.run(self.stack.aclose())
        self.runner.close()
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(which=workers)
    def connect(self, which: int) -> None:
        self.grant = connected(self.workers[which], self.server, self.crm)
        self.lost = self.revoked = False
        self._epoch()

    @precondition(lambda self: self.grant)
    @rule(which=workers)
    def revoke(self, which: int) -> None:
        assert self.grant is not None
        was = self.workers[which].tokens.grants.revoke(self.grant, "person", "key:ada")
        self.revoked |= was is not None
        self._epoch()

    @precondition(lambda self: self.grant)
    @rule()
    def provider_ends_it(self) -> None:
        self.server.end(self.book)

    @precondition(lambda self: self.grant)
    @rule(which=workers)
    def die_in_the_middle(self, which: int) -> None:
        """The provider has given new tokens, and the worker that asked for them is no more."""
        grants = self.workers[which].tokens.grants
        row = grants.row_of("ada", "", "crm")
        if row is not None and row.state == "active" and not row.lease and grants.claim(row):
            self.server.tokens(self.book)
            self.lost = True

    @rule(says=st.sampled_from(["", "", "", "garbage", "nothing", "down", "pause", "refused"]))
    def mood(self, says: str) -> None:
        self.server.says = says

    @rule(forgives=st.booleans(), rotates=st.booleans())
    def habits(self, forgives: bool, rotates: bool) -> None:
        self.server.forgives, self.server.rotates = forgives, rotates

    @rule(seconds=st.sampled_from([6, 35, 250, 400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.passes(seconds)

    @rule(calls=st.lists(st.tuples(workers, st.booleans()), min_size=1, max_size=4))
    def call(self, calls: list[tuple[int, bool]]) -> None:
        self.runner.run(self._calls(calls))

    async def _calls(self, calls: list[tuple[int, bool]]) -> None:
        before = self.server.renewals
        row = self.workers[0].tokens.grants.row_of("ada", "", "crm")
        if row is not None and row.lease:  # nobody waits a minute here
            for each in self.workers:
                await asyncio.gather(each.token(self.crm, within=0.02), return_exceptions=True)
            self.clock.passes(LEASE + 1)
        asked = [self._one(self.workers[which], refused) for which, refused in calls]
        await asyncio.gather(*asked)
        await asyncio.gather(*[task for each in self.workers for task in each.tokens._renewals._under_way],
                             return_exceptions=True)  # fmt: skip
        if self.server.says in ("garbage", "nothing") and self.server.renewals > before and self.server.rotates:
            self.lost = True

    async def _one(self, asking: Worker, refused: bool) -> None:
        known = asking.tokens._kept.get(("ada", "", "crm"))
        bad = known.tokens.access if refused and known is not None else ""
        try:
            token = await asking.token(self.crm, refused=bad)
        except NoCredential:
            return
        except Upstream:
            return
        except FairleadError as error:
            raise AssertionError(f"{error} is no answer to a call") from error
        assert (token is None) == (self.grant is None)
        if token is not None:
            assert not self.revoked
            assert token in self.server.grants[self.book]["access"]
            assert token != bad

    @property
    def book(self) -> str:
        return next(reversed(self.server.grants))

    def _epoch(self) -> None:
        for each in self.workers:
            each.tokens.forget()

    @invariant()
    def nobody_renews_beside_another(self) -> None:
        assert self.server.most_at_once <= 1

    @invariant()
    def what_is_told_is_true(self) -> None:
        if self.grant is None:
            return
        (found,) = self.workers[0].tokens.grants.all()
        book = self.server.grants[self.book]
        if self.revoked:
            assert found.state == "revoked"
        elif found.state == "ended":
            assert book["over"]
            assert self.lost or "the provider has ended it" in found.reason
        elif not self.lost and self.server.says not in ("garbage", "nothing"):
            row = self.workers[0].tokens.grants.row_of("ada", "", "crm")
            assert row is not None
            assert self.workers[0].tokens.grants.opened(row).refresh == book["refresh"]


RenewalMachine.TestCase.settings = settings(settings.get_profile("quick"), max_examples=8, stateful_step_count=15)
TestRenewals = RenewalMachine.TestCase
