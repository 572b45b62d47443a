"""Attack systems as persons who want each other's rows: a matrix of persons, rows and attacks.

Every row holds a mark of whom it belongs to. A trial is one call, by a person's token through the door or the path,
that tries to get at a mark, or to change a row, that is not the caller's. It leaks if another's mark is shown in a
result or an error, if a token opens that should not, or if a row of another's has changed in the end; a mark or a token
in the log or in the state is a leak as well.

    leaks      calls that got what was not theirs, and marks and tokens found where none may be (0)
    trials     calls (at least 10,000 over all targets)
    own        answers in which somebody saw a row of theirs: that the systems do answer
    by_target  trials by attack

Targets: `postgresql`, a real server with row policies, each person by a certificate of their own; `openapi`, a service
that knows people by exchanged tokens and is careless about all else; `desk` and `desk-older`, servers by the SDK of the
Model Context Protocol in both revisions. One Fairlead has all of them, with its authenticator, exchange, pools, caches.

With `--control` leaks are planted in every one of these places, and have to be found.
"""

import asyncio
import logging
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.certificates import Authority
from tests.execution.test_stopping import throw

from evals.rights_mcp import mcp
from evals.rights_postgresql import Postgresql, postgresql
from evals.rights_service import openapi
from evals.rights_stage import PEOPLE, Provider, Stage, Tally, Trial, mark, providers, staged
from evals.stage import parser, say, told

TARGETS = ("postgresql", "openapi", "desk", "desk-older")
_AFTER = 40  # calls after a right has ended, for each target and way
_STOPPED, _BARRED, _REVOKED = "eve", "ben", "Ada"


@asynccontextmanager
async def opened(
    names: tuple[str, ...], issuer: Provider, authority: Authority, tallies: dict[str, Tally]
) -> AsyncIterator[list[Any]]:
    """The targets, running."""
    async with AsyncExitStack() as stack:
        found: list[Any] = []
        for name in names:
            tally = tallies[name] = Tally()
            if name == "postgresql":
                found.append(await stack.enter_async_context(postgresql(authority, tally)))
            elif name == "openapi":
                found.append(await stack.enter_async_context(openapi(issuer, tally)))
            else:
                found.append(await stack.enter_async_context(mcp(issuer, tally, older=name == "desk-older")))
        yield found


async def ended(stage: Stage, targets: list[Any]) -> None:
    """Rights that end while credentials for them are kept: by a stop, at the provider, in the database."""
    await asyncio.to_thread(throw, stage.world.store, stage.world.clock, "person", f"idp|{_STOPPED}")
    await stage.run([_after(stage, each, "after_a_stop", _STOPPED) for each in targets for _ in range(_AFTER)])
    for each in targets:
        if isinstance(each, Postgresql):
            each.take_away(_REVOKED)
            await stage.run([_after(stage, each, "after_a_revocation", _REVOKED) for _ in range(_AFTER)])
    exchanging = [each for each in targets if not isinstance(each, Postgresql)]
    if exchanging:
        stage.issuer.barred.add(_BARRED)
        await asyncio.sleep(
            stage.issuer.life - 29
        )  # what was exchanged before counts until half a minute before its end
        await stage.run(
            [_after(stage, each, "after_the_provider", _BARRED) for each in exchanging for _ in range(_AFTER)]
        )


def _after(stage: Stage, target: Any, attack: str, person: str) -> Trial:
    async def trial() -> None:
        tool, arguments = target.probe()
        shown = await stage.by_door(person, tool, arguments)
        target.tally.count(attack, person, shown, leaked=mark(person)[:-1] in shown)

    return trial


def around(stage: Stage, folder: Path) -> list[str]:
    """Marks and tokens where nobody may see them: in the log, and in the state beside what is encrypted."""
    found = []
    kept = [mark(person)[:-1] for person in PEOPLE] + stage.secrets()
    log = "\n".join(stage.overheard.lines)
    found += [f"log: {each[:24]}" for each in kept if each in log]
    state = b"".join(path.read_bytes() for path in sorted(folder.glob("data/**/*")) if path.is_file())
    # A person's own mark may stand in what they asked for themselves, and that is encrypted.
    return found + [f"state: {each[:24]}" for each in kept if each.encode() in state]


def planted(stage: Stage) -> None:
    """Leaks of each kind: now and then somebody else's credential, a mark in the log, a token in the state."""
    credentials: Any = stage.world.fairlead.deployment.credentials
    usual, chance = credentials.of, random.Random(7)

    async def confused(caller: Any, token: str, system: Any, deadline: float) -> Any:
        if chance.random() < 0.02:
            caller = type(caller)(person="idp|zo\u00e9")
            token = token and stage.tokens["zo\u00e9"]
        return await usual(caller, token, system, deadline)

    credentials.of = confused
    logging.getLogger("fairlead.planted").info("row %s", mark("ada", 1))
    (stage.world.folder / "data" / "planted").write_text(stage.tokens["ada"])


async def measure(names: tuple[str, ...], seed: int, control: bool) -> dict[str, Any]:
    """One run; returns what is printed."""
    tallies: dict[str, Tally] = {}
    chance = random.Random(seed)
    with TemporaryDirectory(prefix="fairlead-rights-") as place:
        folder = Path(place)
        authority = Authority(folder, "rights authority")
        async with providers() as issuers, opened(names, issuers[0], authority, tallies) as targets:
            systems = {name: each for target in targets for name, each in target.systems.items()}
            files = {name: each for target in targets for name, each in target.files.items()}
            async with staged(folder / "world", issuers, chance, systems, files, authority) as stage:
                if control:
                    planted(stage)
                trials = [trial for target in targets for trial in target.trials(stage)]
                say(f"{len(trials)} trials, {len(targets)} targets")
                await stage.run(trials)
                await ended(stage, targets)
                for target in targets:
                    target.after()
            aside = around(stage, folder / "world")
    return _told(tallies, aside)


def _told(tallies: dict[str, Tally], aside: list[str]) -> dict[str, Any]:
    leaks = [f"{name}: {leak}" for name, tally in tallies.items() for leak in tally.leaks] + aside
    return {
        "leaks": len(leaks),
        "trials": sum(tally.trials.total() for tally in tallies.values()),
        "own": {name: tally.own for name, tally in tallies.items()},
        "leaks_by_target": {**{name: len(tally.leaks) for name, tally in tallies.items()}, "log_and_state": len(aside)},
        "by_target": {name: dict(sorted(tally.trials.items())) for name, tally in tallies.items()},
        "examples": [leak[:160] for leak in leaks[:8]],
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--targets", nargs="+", choices=TARGETS, default=TARGETS)
    options.add_argument("--control", action="store_true", help="plant leaks, which have to be found")
    given = options.parse_args()
    result = asyncio.run(measure(tuple(given.targets), given.seed, given.control))
    if given.control:
        return told({"control": True, **result}, not all(result["leaks_by_target"].values()))
    return told(result, bool(result["leaks"]) or not all(result["own"].values()))


if __name__ == "__main__":
    sys.exit(main())
