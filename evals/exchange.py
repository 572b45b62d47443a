"""Token exchange (RFC 8693) at a real identity provider, through the governed path to a real service.

    python -m evals.exchange

The provider is npm's `oidc-provider` with a handler for the grant (`evals/interop/provider.mjs`); `tools/interop.sh
oidc-provider` installs it, and `make interop` does both.

    checks, failed   what was looked at, and which of it was otherwise (0)
    exchanges        tokens that the provider was asked to exchange
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from tests.tools.services import Seen, Service, json_reply, running
from tests.world import World, world

from evals.stage import say, told
from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError, Unauthenticated, Upstream
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.net.http import Http, Patience
from fairlead.tools.failures import NotAuthorised

PROGRAM = Path(__file__).parent / "interop" / "provider.mjs"
SHOP, CRM = "https://shop.example", "https://crm.example"
_START_S = 60.0
_NEW_KEYS_S = 45.0  # keys are looked for at most every thirty seconds
_PEOPLE_GRANT = "urn:example:person"
DESCRIPTION = json.dumps(
    {"openapi": "3.1.0", "paths": {"/mine": {"get": {"operationId": "mine", "parameters": [], "responses": {}}}}}
)
POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
"""


class Idp:
    """The provider as a program. It may be stopped and started again, with other keys."""

    def __init__(self, modules: Path, http: Http) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._modules = modules
        self._http = http
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = ("node", str(PROGRAM), str(self._modules), str(self.port))
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        async with asyncio.timeout(_START_S):
            while True:
                with contextlib.suppress(Upstream):
                    await self.control()
                    return
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def control(self, **told_: Any) -> dict[str, Any]:
        return await self._post("/control", json.dumps(told_).encode())

    async def token(self, person: str, life: int = 600) -> str:
        """The one with which somebody comes to Fairlead."""
        body = f"grant_type={_PEOPLE_GRANT}&person={person}&life={life}".encode()
        account = base64.b64encode(b"agent:agents-secret").decode()
        found = await self._post("/token", body, authorization=f"Basic {account}")
        return str(found["access_token"])

    async def _post(self, path: str, body: bytes, **headers: str) -> dict[str, Any]:
        given = {"content-type": "application/x-www-form-urlencoded", "accept-encoding": "identity", **headers}
        deadline = SystemClock().monotonic() + 10
        async with await self._http.ask(
            "POST", self.url + path, given, body, deadline=deadline, patience=Patience(), subject="provider"
        ) as answer:
            return dict(msgspec.json.decode(await answer.read(1 << 20)))


class Checks:
    """What was looked at."""

    def __init__(self) -> None:
        self.done: dict[str, bool] = {}

    def see(self, name: str, holds: bool) -> None:
        self.done[name] = holds
        say(f"{'ok    ' if holds else 'FAILED'} {name}")


def system(idp: Idp, service: Service, **more: str) -> dict[str, Any]:
    asked = {"token_url": f"{idp.url}/token", "client": "fairlead", "secret": "env:CLIENT", **more}
    return {
        "use": "openapi", "description": "api.json", "url": service.url, "at_home": True,
        "credential": {"exchange": asked},
    }  # fmt: skip


def claims(seen: Seen) -> dict[str, Any]:
    """Those of the token that a service was shown."""
    part = seen.headers["authorization"].split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


async def call(w: World, token: str, name: str = "shop.mine") -> ToolAnswer:
    """As a door does it."""
    caller = await w.fairlead.current().authenticator.authenticate(f"Bearer {token}", loopback=False)
    return await call_tool(w.fairlead, caller, ToolRequest(name=name, arguments={}), Arrival(door="mcp", token=token))


async def refused(w: World, token: str, name: str = "shop.mine") -> FairleadError | None:
    try:
        await call(w, token, name)
    except FairleadError as error:
        return error
    return None


async def given(w: World, idp: Idp, service: Service, checks: Checks) -> None:
    """What a service gets to see."""
    kim = await idp.token("kim")
    answer = await call(w, kim)
    mine = claims(service.last)
    checks.see("the service gets a token for itself", mine["aud"] == SHOP and mine["iss"] == idp.url)
    checks.see("of the person", mine["sub"] == "kim")
    checks.see("which names who acts", mine["act"] == {"sub": "fairlead"})
    checks.see("narrowed to what the workspace says", mine["scope"] == "orders:read")
    checks.see("that ends when the provider says", mine["exp"] - mine["iat"] == 120)
    checks.see("and never the one that the person came with", kim not in str(service.saw))
    (record,) = w.records("call_tool", answer.run)
    checks.see("the record says by which right", record.rights == "exchange")
    before = (await idp.control())["exchanges"]
    await asyncio.gather(*(call(w, kim) for _ in range(8)))
    checks.see("one exchange serves until its end", (await idp.control())["exchanges"] == before)
    await call(w, kim, "crm.mine")
    checks.see("another system gets another token", claims(service.last)["aud"] == CRM)
    await call(w, await idp.token("lee"))
    checks.see("another person gets their own", claims(service.last)["sub"] == "lee")


async def denied(w: World, idp: Idp, service: Service, checks: Checks) -> None:
    """What nobody gets."""
    kim, reached = await idp.token("kim"), len(service.saw)
    for name, word in (("wide", "invalid_scope"), ("nowhere", "invalid_target"), ("stranger", "invalid_client")):
        error = await refused(w, kim, f"{name}.mine")
        final = isinstance(error, NotAuthorised) and word in error.why and not error.retryable
        checks.see(f"{word} is final and told", final)
        checks.see(f"{word} tells no token", error is not None and kim not in f"{error} {error.why} {error.mend}")
    await idp.control(barred=["max"])
    checks.see("who has left gets no first token", await _is_barred(idp, "max"))
    sam = await idp.token("sam")
    await idp.control(barred=["max", "sam"])
    error = await refused(w, sam)
    checks.see("who has left gets none for a system", isinstance(error, NotAuthorised) and "invalid_grant" in error.why)
    checks.see("nothing of it reached a service", len(service.saw) == reached)
    await call(w, kim)
    shown = service.last.headers["authorization"].removeprefix("Bearer ")
    checks.see("a system's token opens nothing here", isinstance(await refused(w, shown), Unauthenticated))
    short = await idp.token("kim", life=1)
    await asyncio.sleep(2)
    checks.see("a token that has ended opens nothing", isinstance(await refused(w, short), Unauthenticated))


async def _is_barred(idp: Idp, person: str) -> bool:
    try:
        await idp.token(person)
    except KeyError:
        return True
    return False


async def over(w: World, idp: Idp, service: Service, checks: Checks) -> None:
    """Ends of tokens, and of the provider."""
    await idp.control(life=32)
    ann = await idp.token("ann")
    await call(w, ann)
    first = service.last.headers["authorization"]
    await asyncio.sleep(3)
    await call(w, ann)
    checks.see("a token is renewed before its end", service.last.headers["authorization"] != first)
    await idp.control(life=600)
    eve, bob = await idp.token("eve"), await idp.token("bob")
    await call(w, eve)
    await w.fairlead.current().authenticator.authenticate(f"Bearer {bob}", loopback=False)
    await idp.stop()
    reached = len(service.saw)
    error = await refused(w, bob)
    down = isinstance(error, Upstream) and not isinstance(error, NotAuthorised)
    checks.see("without the provider a new person is told so, and may try again", down)
    checks.see("and nothing else stands in for it", len(service.saw) == reached)
    checks.see("whoever has a token goes on", (await call(w, eve)).result.failed is False)
    await idp.start()
    checks.see("a token by keys that are gone is refused", isinstance(await refused(w, bob), NotAuthorised))
    again, error = await idp.token("bob"), await refused(w, await idp.token("bob"))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_NEW_KEYS_S):
            while error is not None:
                await asyncio.sleep(2)
                error = await refused(w, again)
    checks.see("the provider's new keys are found within the pause between two looks", error is None)


@contextlib.contextmanager
def service_() -> Iterator[Service]:
    with running() as service:
        service.reply = lambda _: json_reply({"mine": True})
        yield service


@asynccontextmanager
async def opened(folder: Path, modules: Path) -> AsyncIterator[tuple[World, Idp, Service]]:
    secrets = {"env:CLIENT": "s3&cret of fairlead", "env:WRONG": "another"}
    async with Http(SystemClock()) as http:
        idp = Idp(modules, http)
        await idp.start()
        try:
            with service_() as service:
                systems = {
                    "shop": system(idp, service, audience=SHOP, scope="orders:read"),
                    "crm": system(idp, service, resource=CRM),
                    "wide": system(idp, service, audience=SHOP, scope="orders:read people:read"),
                    "nowhere": system(idp, service, audience="https://nowhere.example"),
                    "stranger": system(idp, service, audience=SHOP, secret="env:WRONG"),
                }
                provider = {"name": "idp", "issuer": idp.url, "audience": "fairlead", "leeway": 0}
                files = {"policies/main.cedar": POLICIES, "systems/api.json": DESCRIPTION}
                identity = {"providers": [provider]}
                async with world(folder, files, secrets=secrets.get, systems=systems, identity=identity) as w:
                    yield w, idp, service
        finally:
            await idp.stop()


async def measure(modules: Path) -> dict[str, Any]:
    """One run; returns what is printed."""
    checks = Checks()
    with TemporaryDirectory(prefix="fairlead-exchange-") as place:
        async with opened(Path(place) / "world", modules) as (w, idp, service):
            await given(w, idp, service, checks)
            await denied(w, idp, service, checks)
            exchanges = (await idp.control())["exchanges"]
            await over(w, idp, service, checks)
            kept = b"".join(w.raw_records()).decode()
            checks.see("no token stands in a record", "eyJ" not in kept)
    failed = [name for name, holds in checks.done.items() if not holds]
    return {"checks": len(checks.done), "failed": len(failed), "exchanges": exchanges, "which": failed}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("FAIRLEAD_INTEROP", Path.home() / ".cache" / "fairlead-interop"))
    options.add_argument("--cache", type=Path, default=cache, help="where tools/interop.sh has put the provider")
    given_ = options.parse_args()
    result = asyncio.run(measure(given_.cache / "oidc-provider" / "node_modules"))
    return told(result, bool(result["failed"]))


if __name__ == "__main__":
    sys.exit(main())
