"""What the targets of `evals.rights` share: people and the marks of their rows, an identity provider, one Fairlead with
all systems behind its door, and eyes on everything that anybody is shown."""

import asyncio
import hashlib
import json
import logging
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode
from tests.certificates import Authority
from tests.identity.issuer import Issuer
from tests.tools.mcp_world import served
from tests.world import World, world

from fairlead.clock import SystemClock
from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError
from fairlead.execution.tool_asking import ToolRequest
from fairlead.execution.tool_call import call_tool
from fairlead.net.http import Http, Patience
from fairlead.server.mcp.door import McpDoor

# Names that are easily taken for one another: by case, by a blank, by a letter of another script, by composition.
PEOPLE = ("ada", "Ada", "ada ", "\u0430da", "zo\u00e9", "zoe\u0301", "ben", "eve")
STRANGERS = ("ada", "eve")  # of another identity provider, called like people of ours
ROWS = 6
AT_ONCE = 24
_DOOR = {"content-type": "application/json", "accept": "application/json", "accept-encoding": "identity"}
_MARK = re.compile(r"mk[0-9a-f]{12}n")
POLICIES = """
@id("staff") permit(principal, action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
"""


def mark(person: str, number: int = 0) -> str:
    """A text that stands in this row of this person's and nowhere else, and that nobody could make up."""
    return f"mk{hashlib.sha256(b'of ' + person.encode()).hexdigest()[:12]}n{number}"


OWNERS = {mark(person)[:-1]: person for person in PEOPLE}
# A mark that was turned round, written in hexadecimal or in capitals is still one.
_DISGUISED = {
    person: (kept[::-1], kept.encode().hex(), kept.upper(), kept.encode("utf-16-be").hex())
    for kept, person in OWNERS.items()
}


def foreign(person: str, shown: str) -> bool:
    """Whether what a person was shown holds a mark of somebody else's. A stranger has no marks here."""
    if any(OWNERS.get(found) != person for found in _MARK.findall(shown)):
        return True
    return any(each in shown for other, forms in _DISGUISED.items() if other != person for each in forms)


def pairs() -> list[tuple[str, str]]:
    return [(person, other) for person in PEOPLE for other in PEOPLE if other != person]


class Tally:
    """What was tried on one target, and what came of it."""

    def __init__(self) -> None:
        self.trials: Counter[str] = Counter()
        self.leaks: list[str] = []
        self.own = 0  # answers in which somebody saw a row of theirs

    def count(self, attack: str, person: str, shown: str, *, leaked: bool = False) -> None:
        self.trials[attack] += 1
        if leaked or foreign(person, shown):
            self.leaks.append(f"{attack}: {person}: {shown}"[:240])
        elif _MARK.search(shown):
            self.own += 1

    def found(self, what: str) -> None:
        self.leaks.append(what[:240])


Trial = Callable[[], Awaitable[None]]


class Provider(Issuer):
    """The identity provider. Besides giving tokens it can tell a service whose one is."""

    def whose(self, token: str, audience: str) -> str | None:
        """The person of a token that is genuine, not over, and meant for this audience."""
        head, _, signature = token.rpartition(".")
        try:
            claims = json.loads(urlsafe_b64decode(head.split(".")[1].encode()))
            signed = urlsafe_b64decode(signature.encode())
            if not JWSRegistry.algorithms["EdDSA"].verify(head.encode(), signed, self.key):
                return None
        except (ValueError, IndexError):
            return None
        fit = claims["iss"] == self.url and claims["aud"] == audience and claims["exp"] > self.clock.now() / 1000
        return str(claims["sub"]) if fit else None


class Overheard(logging.Handler):
    """All that anything logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@dataclass
class Stage:
    """Everything, running. Tokens are those with which people come to Fairlead."""

    world: World
    issuer: Provider
    partner: Provider
    http: Http
    door: str
    chance: random.Random
    overheard: Overheard
    tokens: dict[str, str] = field(default_factory=dict)

    async def by_door(self, person: str, tool: str, arguments: Mapping[str, Any], **more: str) -> str:
        """A call as an agent makes it, over HTTP: all that the person is shown."""
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
        message |= {"params": {"name": tool.replace(".", "__"), "arguments": arguments}}
        return await self.post(person, message, **more)

    async def post(self, person: str, message: Mapping[str, Any], **more: str) -> str:
        headers = {**_DOOR, "authorization": f"Bearer {self.tokens[person]}", **more}
        deadline, body = self.world.clock.monotonic() + 60, json.dumps(message).encode()
        try:
            async with await self.http.ask(
                "POST", f"{self.door}/mcp", headers, body, deadline=deadline, patience=Patience(), subject="door"
            ) as answer:
                # What is escaped once more inside a text is still a mark: marks are ASCII.
                return f"{answer.status} {answer.headers} {(await answer.read(1 << 26)).decode()}"
        except FairleadError as error:
            return f"{error} {error.why} {error.mend}"

    async def by_token(self, token: str, tool: str, arguments: Mapping[str, Any]) -> tuple[bool, str]:
        """A call with any token: whether it was done, and all that it shows."""
        fairlead = self.world.fairlead
        try:
            said = f"Bearer {token}"
            caller = await fairlead.current().authenticator.authenticate(said, loopback=False)
            arrival = Arrival(door="mcp", token=token)
            answer = await call_tool(fairlead, caller, ToolRequest(name=tool, arguments=arguments), arrival)
        except FairleadError as error:
            return False, f"{error} {error.why} {error.mend}"
        return not answer.result.failed, str(answer)

    def forged(self, person: str, other: str) -> dict[str, str]:
        """Tokens by which nobody may be `other`."""
        mine, now = self.tokens[person], self.world.clock.now() // 1000
        head, body, signature = self.tokens[other].split(".")
        mine_head, _, mine_signature = mine.split(".")
        theirs = {"sub": other, "aud": "fairlead"}
        return {
            "unsigned": f"eyJhbGciOiJub25lIn0.{body}.",
            "resigned": f"{mine_head}.{body}.{mine_signature}",
            "cut": f"{head}.{body}.{signature[:-4]}",
            "expired": self.issuer.token(**theirs, exp=now - 60, iat=now - 900),
            "of_tomorrow": self.issuer.token(**theirs, nbf=now + 3600, exp=now + 7200),
            "other_audience": self.issuer.token(sub=other, aud="payroll", exp=now + 3600),
            "for_a_system": self.issuer.token(sub=other, aud="shop", exp=now + 3600),
            "other_issuer": self.partner.token(**theirs, iss=self.issuer.url, exp=now + 3600),
            "bound_to_a_key": self.issuer.token(**theirs, exp=now + 3600, cnf={"jkt": "x"}),
        }

    def replays(self, tally: Tally, tool: str, arguments: Callable[[str], Mapping[str, Any]]) -> list[Trial]:
        """Calls with tokens that must open nothing, and with another provider's for somebody of the same name."""

        def one(person: str, other: str, kind: str, token: str) -> Trial:
            async def trial() -> None:
                done, shown = await self.by_token(token, tool, arguments(other))
                tally.count(f"token_{kind}", person, shown, leaked=done)

            return trial

        made = [
            one(person, other, kind, token)
            for person, other in pairs()
            for kind, token in self.forged(person, other).items()
        ]
        made += [self._acting(tally, person, other, tool, arguments(other)) for person, other in pairs()]
        for name in STRANGERS:
            token = self.partner.token(sub=name, aud="fairlead", exp=self.world.clock.now() // 1000 + 3600)
            made += [one("", name, "of_a_stranger", token)] * 20
        return made

    def _acting(self, tally: Tally, person: str, other: str, tool: str, arguments: Mapping[str, Any]) -> Trial:
        """By a program of one person's, which is called like another person: it has its person's rights."""
        end = self.world.clock.now() // 1000 + 3600
        named = self.chance.choice(({"act": {"sub": other}}, {"azp": other}, {"client_id": f"idp|{other}"}))
        token = self.issuer.token(sub=person, aud="fairlead", exp=end, **named)

        async def trial() -> None:
            tally.count("agent_named_like_another", person, (await self.by_token(token, tool, arguments))[1])

        return trial

    def lists(self, tally: Tally) -> list[Trial]:
        """Everybody asks for the list of tools, several times."""

        def one(person: str) -> Trial:
            async def trial() -> None:
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
                tally.count("lists", person, await self.post(person, message))

            return trial

        return [one(person) for person in PEOPLE for _ in range(10)]

    async def run(self, trials: list[Trial]) -> None:
        """All of them, so many at once, in an order in which people and attacks meet."""
        self.chance.shuffle(trials)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(trial: Trial) -> None:
            async with places:
                await trial()

        await asyncio.gather(*map(one, trials))

    def secrets(self) -> list[str]:
        """What must stand in no log and no record: every token that was ever given."""
        return [*self.issuer.issued, *self.partner.issued]


def exchange(issuer: Issuer, audience: str) -> dict[str, Any]:
    told = {"token_url": f"{issuer.url}/exchange", "client": "fairlead", "secret": "env:CLIENT", "scope": "all"}
    return {"exchange": told | {"audience": audience}}


async def _provider() -> tuple[Provider, Any]:
    made = Provider(SystemClock())
    made.life = 40  # of which Fairlead uses ten seconds: tokens are renewed while everybody calls
    return made, await made.serve()


@asynccontextmanager
async def providers() -> AsyncIterator[tuple[Provider, Provider]]:
    """Ours, and a partner's."""
    ours, runner = await _provider()
    theirs, other = await _provider()
    try:
        yield ours, theirs
    finally:
        await runner.cleanup()
        await other.cleanup()


@asynccontextmanager
async def staged(
    folder: Path,
    issuers: tuple[Provider, Provider],
    chance: random.Random,
    systems: Mapping[str, Any],
    files: Mapping[str, str],
    authority: Authority,
) -> AsyncIterator[Stage]:
    """Fairlead, compiled from a workspace with these systems, behind its own door."""
    issuer, partner = issuers
    overheard = Overheard()
    logging.basicConfig(force=True, handlers=[overheard], level=logging.INFO)  # the SDK has put its own there
    logging.getLogger("fairlead").setLevel(logging.DEBUG)
    known = {"idp": issuer, "partner": partner}
    identity = {
        "providers": [{"name": name, "issuer": each.url, "audience": "fairlead"} for name, each in known.items()]
    }
    secrets = {"env:CLIENT": "s3&cret", "env:CA": authority.bundle}.get
    whole = {"policies/main.cedar": POLICIES, **files}
    async with (
        world(folder, whole, secrets=secrets, systems=systems, identity=identity) as w,
        served(_Door(McpDoor(w.fairlead, 1 << 20, lambda scope, question: ""))) as door,
        Http(w.clock) as http,
    ):
        stage = Stage(w, issuer, partner, http, door, chance, overheard)
        end = w.clock.now() // 1000 + 7200
        stage.tokens = {each: issuer.token(sub=each, aud="fairlead", exp=end, groups=["staff"]) for each in PEOPLE}
        for token in stage.tokens.values():  # so that whoever guesses later does not keep them waiting
            await w.fairlead.current().authenticator.authenticate(f"Bearer {token}", loopback=False)
        yield stage


class _Door:
    """The door as an application of its own."""

    def __init__(self, door: McpDoor) -> None:
        self._door = door

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
        else:
            await self._door(scope, receive, send)
