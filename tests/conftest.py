"""Fixtures that any test may use; `tests.world` says what is in them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from evals import stage
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings

from fairlead.costs import ledger
from tests import programs
from tests.certificates import Authority
from tests.databases import empty_database, lent, lent_with_vectors, postgres, scored_where, store, where
from tests.statements import share
from tests.world import World, world

__all__ = ["empty_database", "lent", "lent_with_vectors", "postgres", "scored_where", "store", "where"]

# How long an example takes says something of the machine, and nothing of what is tested.
UNHURRIED = [HealthCheck.too_slow]
settings.register_profile("quick", deadline=None, max_examples=40, suppress_health_check=UNHURRIED)
settings.register_profile(
    "thorough", deadline=None, max_examples=500, suppress_health_check=UNHURRIED
)  # pytest --hypothesis-profile thorough
settings.load_profile("quick")

# Nor does how long an answer takes: the five seconds that are the default of httpx pass on a machine that others use as
# well. A test that is about time says about which.
for each in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, each, 60.0)

AMPLE = {"organisation": {"total": 1000}}


@pytest.fixture(scope="session", autouse=True)
def _trust(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients in these tests call nobody but this machine, and trust one authority in place of the world's hundreds:
    reading those takes a client longer than most of the tests do."""
    authority = Authority(tmp_path_factory.mktemp("trusted"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(authority.path))
        yield


@pytest.fixture(scope="session", autouse=True)
def _statements() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        share(patched)
        yield


@pytest.fixture(scope="session", autouse=True)
def _refusals() -> Iterator[None]:
    """Tests look at the record of a refusal as soon as they are told of it. However long a machine takes to write it:
    it is there then, unless the database is away."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger, "_PATIENCE", 60.0)
        yield


@pytest.fixture
def forked_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of an eval's stage are there at once: how they start is not what is tested."""
    monkeypatch.setattr(stage, "python", programs.command)


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    """A deployment in this loop, with an ample budget so that every unit spent is counted."""
    async with world(tmp_path, budgets=AMPLE) as deployed:
        yield deployed
