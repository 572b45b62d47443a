"""A clock, an identity provider and the client that reaches it."""

from collections.abc import AsyncIterator

import pytest
from tests.identity.issuer import Issuer, ToldClock

from fairlead.identity.fetch import fetcher
from fairlead.identity.issuer_keys import Fetch
from fairlead.net.http import Http


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock()


@pytest.fixture
async def issuer(clock: ToldClock) -> AsyncIterator[Issuer]:
    made = Issuer(clock)
    runner = await made.serve()
    yield made
    await runner.cleanup()


@pytest.fixture
async def fetch(clock: ToldClock) -> AsyncIterator[Fetch]:
    async with Http(clock) as http:
        yield fetcher(http, clock)
