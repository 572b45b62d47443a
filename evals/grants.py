"""Renew one grant from many processes at once, kill them again and again, and look whether it was ever renewed twice.

Processes call for the token of one person without pause, over one database, while the authorization server gives tokens
that live for a second and takes each refresh token once: whoever shows one a second time ends the grant, as real
servers do. A random process is killed (SIGKILL), often in the middle of a renewal, and another takes its place.

    renewals, kills        how many there were
    at_once                the most renewals of the grant that were under way at one time                     (1)
    shown_again            refresh tokens that were shown twice though nobody was killed with the answer       (0)
    wrong_tokens           tokens that a call got and that were never of the grant in force                    (0)
    lost, told             grants that were lost with a killed process, and those of them that said so      (equal)
    found                  tokens that stand in plain text in the files of an SQLite database                  (0)
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
from tests.identity.authorization_server import AuthorizationServer
from tests.postgres import server as postgres

from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.errors import Broken, Upstream
from fairlead.identity import renewals
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grants
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.token_endpoint import Tokens
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.storage.database import Where
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.tools.cards import NO_CARD
from fairlead.tools.settings import AnySystem
from fairlead.tools.systems import System, compile_system

_KEY = bytes(range(32))
_LEASE = 3.0  # seconds in place of a minute, so that much happens in a short time
_CLOCK = SystemClock()


def crm(url: str) -> System:
    grant = {"issuer": url, "client": "fairlead", "secret": "env:CLIENT"}
    whole = {"use": "python", "file": "a.py", "credential": {"grant": grant}}
    return compile_system("crm", msgspec.convert(whole, AnySystem), NO_CARD, (), {})


def grants_over(where: Where) -> Grants:
    store = Store.open(where, beside=Path(tempfile.gettempdir()))
    return Grants(store, Vault(_KEY, StoredSubjects(store), _CLOCK), _CLOCK, deed)


def calling(where: Where, url: str, secret: str, got: Connection) -> None:
    """One process: asks for the token again and again, and tells which it got."""
    renewals.LEASE = _LEASE  # type: ignore[misc]

    async def whole() -> None:
        system, caller = crm(url), Caller(person="ada")
        async with Http(_CLOCK) as http:
            tokens = GrantTokens(grants_over(where), GrantServer(http, _CLOCK, {"env:CLIENT": secret}.get), _CLOCK)
            while True:
                try:
                    held = await tokens.of(caller, system, _CLOCK.monotonic() + 10)
                    got.send(("token", held.secret if held else ""))
                except NoCredential as error:
                    got.send(("ended", error.why))
                    await asyncio.sleep(0.2)
                except (Upstream, Broken) as error:
                    got.send(("failed", error.message))
                await asyncio.sleep(0.02)

    asyncio.run(whole())


class Hunt:
    """Processes, the server, and what was seen."""

    def __init__(self, where: Where, processes: int, rng: random.Random) -> None:
        self.server = AuthorizationServer(_CLOCK)
        self.server.life, self.server.lingers = 1, 0.03
        self._where, self._count, self._rng = where, processes, rng
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["fairlead.identity.grant_tokens", "fairlead.storage.grant_rows", "aiohttp.web"]
        )
        self._processes: list[tuple[BaseProcess, Connection]] = []
        self.seen = {"token": 0, "ended": 0, "failed": 0}
        self.kills = self.lost = self.told = self.wrong = self.again = 0

    async def run(self, seconds: float) -> None:
        serving = await self.server.serve()
        self._connect()
        for _ in range(self._count):
            self._start()
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                await asyncio.sleep(self._rng.uniform(0.2, 0.6))
                self._look()
                if self._rng.random() < 0.5:
                    self._kill()
        finally:
            self._look()
            for each, _ in self._processes:
                each.kill()
            await serving.cleanup()

    def _connect(self) -> None:
        self.book, said = self.server.grant("ada")
        now = _CLOCK.now()
        tokens = Tokens(access=said["access_token"], refresh=said["refresh_token"], got_at=now, expires_at=now + 1000)
        settings = crm(self.server.url).settings.credential.grant
        assert settings is not None
        self._grants = grants_over(self._where)
        self._grants.put("ada", "", "crm", settings, ("*",), tokens, "eval")

    def _start(self) -> None:
        ours, theirs = self._context.Pipe(duplex=False)
        given = (self._where, self.server.url, self.server.secret, theirs)
        process = self._context.Process(target=calling, args=given, daemon=True)
        process.start()
        theirs.close()
        self._processes.append((process, ours))

    def _kill(self) -> None:
        victim, _ = self._processes.pop(self._rng.randrange(len(self._processes)))
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        self.kills += 1
        self._start()

    def _look(self) -> None:
        """What the processes told; and where the grant has ended, whether that was said truly."""
        for _, told in self._processes:
            while told.poll():
                kind, said = told.recv()
                self.seen[kind] += 1
                if kind == "token":
                    self.wrong += said not in self.server.made
        (found,) = self._grants.all()
        if found.state == "ended":
            if self.server.grants[self.book]["over"]:
                self.lost += 1
                self.told += "cut off in the middle" in found.reason
                self.again += "cut off in the middle" not in found.reason
            self._connect()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Where]:
    if kind == "sqlite":
        migrate(folder / "state.db")
        yield folder / "state.db"
        return
    with postgres() as running:
        url = running.make_database()
        migrate(url)
        yield url


def main() -> int:
    asked = argparse.ArgumentParser(description="Renew a grant from many processes, and kill them.")
    asked.add_argument("--seconds", type=float, default=60)
    asked.add_argument("--processes", type=int, default=3)
    asked.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    asked.add_argument("--seed", type=int, default=0)
    said = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, database(said.database, Path(folder)) as where:
        hunt = Hunt(where, said.processes, random.Random(said.seed))
        asyncio.run(hunt.run(said.seconds))
        stored = b"".join(each.read_bytes() for each in Path(folder).rglob("*") if each.is_file())
        marks = [each.encode() for each in (*hunt.server.made, hunt.server.secret)]
        found = sum(each in stored for each in marks) if said.database == "sqlite" else None
    result = {
        "database": said.database,
        "processes": said.processes,
        "calls": hunt.seen,
        "renewals": hunt.server.renewals,
        "kills": hunt.kills,
        "at_once": hunt.server.most_at_once,
        "shown_again": hunt.again,
        "wrong_tokens": hunt.wrong,
        "lost": hunt.lost,
        "told": hunt.told,
        "found": found,
    }
    print(json.dumps(result))
    well = hunt.server.most_at_once == 1 and not (hunt.again or hunt.wrong or found) and hunt.lost == hunt.told
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
