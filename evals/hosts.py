"""Three hosts on one PostgreSQL, over TLS, each in a network of its own: what is decided on one counts on all.

Clients ask every host without pause. Under this load a policy is changed, a key revoked, a person stopped. Then a host
loses its link to the database (not those to clients and models), and while it is away a policy is changed again. Then a
host is killed (SIGKILL) and started again. What was sent after a command had returned, and is answered by the old
state, is a broken promise.

    old_policy            answers by a policy that a publish had replaced                                       (0)
    old_policy_apart      the same while one host is cut off, on all three                                      (0)
    revoked_key           answers to a key after its revocation                                                 (0)
    stopped_person        answers to a person after the kill switch                                             (0)
    beyond_lease          answers of the host that was cut off, from a lease and a second after the cut         (0)
    others_refused        503 of the other hosts meanwhile, beside `others_answered`                  (at most 2%)
    without_row, settled_twice, acknowledged_lost, money_astray, held_left, audit_ok     as with `evals.kill`
    back_after_s          seconds until the host that was cut off decides again
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.certificates import Authority
from tests.postgres import server as postgres_server
from tests.world import settings, write_workspace

from evals import network
from evals.stage import ROOT, Incomplete, Response, books, exchange, get, parser, provider, say, stop, told, written

PORT = 8700
LEASE_S = 5.0
_MARGIN_S = 1.0
_MASTER_KEY = hashlib.sha256(b"a key for tests").hexdigest()
_DENY = 'forbid (principal, action == Action::"call_model", resource) when { principal.department == "finance" };\n'
_ALLOW = "permit (principal, action, resource);\n"
ZERO = (
    "old_policy", "old_policy_apart", "revoked_key", "stopped_person", "beyond_lease",
    "without_row", "settled_twice", "acknowledged_lost", "money_astray", "held_left",
)  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """One answer: which host, whose key, when it was asked (seconds), what came."""

    host: int
    who: str
    sent: float
    status: int
    error: str
    run: str
    revision: str


@dataclass
class Deployment:
    """The hosts, and what runs on them."""

    folder: Path
    hosts: list[network.Host]
    database: str
    provider_url: str
    tls: ssl.SSLContext
    environment: dict[str, str]
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    stopping: bool = False
    words: int = 40  # of an answer, at a hundred a second

    def serve(self, host: network.Host) -> None:
        """Start Fairlead on a host."""
        command = [sys.executable, "-m", "fairlead", "serve", str(self.folder / "acme"), "--no-apply"]
        command += ["--data", str(self.folder / f"data{host.number}")]
        with (self.folder / f"host{host.number}.log").open("ab") as log:
            self.processes[host.number] = subprocess.Popen(
                host.command(command), cwd=self.folder, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    async def command(self, *given: str) -> str:
        """A command line, run where the database is. What it prints."""
        command = [sys.executable, "-m", "fairlead", *given, "-w", str(self.folder / "acme")]
        command += ["--data", str(self.folder / "data0")]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"fairlead {' '.join(given)}: {err.decode(errors='replace')[-1500:]}")
        return out.decode().strip()

    async def behave(self, always: str) -> None:
        """Tell the provider how to answer from now on."""
        await exchange(self.provider_url, written("POST", "/faults", json.dumps({"always": always}).encode()))

    def write_policy(self, text: str) -> None:
        (self.folder / "acme" / "policies" / "main.cedar").write_text(text)

    async def ask(self, host: network.Host, who: str) -> Seen:
        """One request. Status 0 where nothing came."""
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": f"say {self.words}"}]}).encode()
        request = written("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {self.keys[who]}"})
        sent = time.monotonic()
        try:
            got = await exchange(f"https://{host.front}:{PORT}", request, tls=self.tls, limit=60)
        except (OSError, Incomplete, TimeoutError) as error:
            return Seen(host.number, who, sent, 0, type(error).__name__, "", "")
        return Seen(
            host.number, who, sent, got.status, _error(got), got.headers.get("x-fairlead-run", ""), _revision(got)
        )

    async def keep_asking(self, host: network.Host, who: str) -> None:
        while not self.stopping:
            seen = await self.ask(host, who)
            self.seen.append(seen)
            await asyncio.sleep(0.02 if seen.status == 200 else 0.1)

    def answers(self, since: float, until: float = float("inf"), who: str = "", host: int = 0) -> list[Seen]:
        """Whole replies to what was sent in that time."""
        return [
            each
            for each in self.seen
            if each.status == 200 and since < each.sent < until and who in ("", each.who) and host in (0, each.host)
        ]


def _error(got: Response) -> str:
    """What went wrong, and why, "" for nothing."""
    try:
        error = json.loads(got.body).get("error") or {}
        return f"{error.get('message', '')}: {error['fairlead'].get('why', '')}" if error else ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return got.error


def _revision(got: Response) -> str:
    try:
        return str(json.loads(got.body)["fairlead"]["revision"])
    except (ValueError, KeyError, TypeError):
        return ""


@contextlib.asynccontextmanager
async def deployed(count: int, keep: bool) -> AsyncIterator[Deployment]:
    """Hosts that serve, and clients that ask, until the end."""
    folder = Path(mkdtemp(prefix="fairlead-hosts-"))
    home = f"{network.BACK}.{network.HOME}"
    with (
        network.hosts(count) as made,
        provider(folder, f"{network.FRONT}.{network.HOME}") as provider_url,
        postgres_server(fsync=True, network=f"{network.BACK}.0/24", address=home) as server,
    ):
        url = server.make_database()
        authority = Authority(folder)
        authority.issue("server", *(host.front for host in made))
        _write(folder, provider_url, url.replace("127.0.0.1", home))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_")}
        environment |= {"FAIRLEAD_MASTER_KEY": _MASTER_KEY, "PYTHONPATH": str(ROOT / "src")}
        tls = ssl.create_default_context(cafile=str(authority.path))
        it = Deployment(folder, made, url, provider_url, tls, environment)
        await it.command("migrate")
        await it.command("apply", "--yes")
        for who, department in (("kim", "sales"), ("lee", "finance"), ("max", "sales"), ("zoe", "legal")):
            given = ("key", "add", f"{who}-key", "--person", who, "--department", department)
            it.keys[who] = (await it.command(*given)).splitlines()[-1]
        try:
            for host in made:
                it.serve(host)
            for host in made:
                await _until_ready(it, host)
            yield it
        finally:
            for process in it.processes.values():
                stop(process)
    if keep:
        say(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, provider_url: str, url: str) -> None:
    model = {"use": "openai-compatible/tiny", "url": f"{provider_url}/v1", "plain_http": True}
    whole = {
        **settings(provider_url),
        "models": {"small": {**model, "placement": {"kind": "on_prem"}}},
        "prices": {"small": {"input": 2, "output": 8}},
        "keys": {},
        "budgets": {"organisation": {"total": 100_000}},
        "breaker": {"failures": 1_000_000, "least": 1_000_000},
        "storage": {"url": url},
        "server": {
            "host": "0.0.0.0", "port": PORT, "workers": 2, "drain": 5,
            "tls": {"certificate": str(folder / "server.crt"), "key": str(folder / "server.key")},
        },
    }  # fmt: skip
    write_workspace(folder / "acme", whole, {"policies/main.cedar": _ALLOW})


async def _until_ready(it: Deployment, host: network.Host) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and it.processes[host.number].poll() is None:
        with contextlib.suppress(OSError, Incomplete, TimeoutError):
            if (await exchange(f"https://{host.front}:{PORT}", written("GET", "/readyz"), tls=it.tls)).status == 200:
                return
        await asyncio.sleep(0.1)
    log = (it.folder / f"host{host.number}.log").read_text(errors="replace")
    raise RuntimeError(f"host {host.number} does not get ready:\n{log[-2000:]}")


async def _policy(it: Deployment, text: str) -> tuple[float, str]:
    """Publish; when the command had returned, and the revision that it put in force."""
    begun = time.monotonic()
    it.write_policy(text)
    said = await it.command("apply", "--yes")
    say(f"published in {time.monotonic() - begun:.1f} s")
    return time.monotonic(), said.splitlines()[-1]


async def play(it: Deployment) -> dict[str, Any]:
    """Every scene, one after the other. Counts of broken promises."""
    found: dict[str, Any] = {}
    say("policy change")
    await it.behave("trickle")  # so that calls are under way whenever something happens
    await asyncio.sleep(2)
    at, revision = await _policy(it, _ALLOW + _DENY)
    await asyncio.sleep(2)
    after = it.answers(at)
    found["old_policy"] = sum(each.revision != revision or each.who == "lee" for each in after)
    say("revocation")
    await it.command("key", "revoke", "max-key")
    at = time.monotonic()
    await asyncio.sleep(2)
    found["revoked_key"] = len(it.answers(at, who="max"))
    say("kill switch")
    await it.command("stop", "person", "zoe", "--reason", "a test of the kill switch")
    at = time.monotonic()
    await asyncio.sleep(2)
    found["stopped_person"] = len(it.answers(at, who="zoe"))
    found |= await _partition(it)
    await _kill(it, it.hosts[1])
    return found


async def _partition(it: Deployment) -> dict[str, Any]:
    apart, others = it.hosts[2], it.hosts[:2]
    say("partition")
    await _many_under_way(it)
    apart.cut_from_database()
    cut = time.monotonic()
    at, revision = await _policy(it, _ALLOW)
    await asyncio.sleep(max(0.0, cut + 20 - time.monotonic()))
    healed = time.monotonic()
    apart.joined_again()
    while not it.answers(healed, host=apart.number):
        if time.monotonic() - healed > 90:
            raise RuntimeError("the host that was cut off does not come back")
        await asyncio.sleep(0.1)
    back = time.monotonic() - healed
    await asyncio.sleep(2)
    others_refused = [
        each
        for each in it.seen
        if each.host in {host.number for host in others}
        and cut < each.sent < healed
        and each.status not in (200, 401, 403)
    ]
    for each in others_refused[:5]:
        say(f"another host: {each}")
    return {
        "old_policy_apart": sum(each.revision != revision for each in it.answers(at)),
        "beyond_lease": len(it.answers(cut + LEASE_S + _MARGIN_S, healed, host=apart.number)),
        "others_refused": len(others_refused),
        "others_answered": sum(len(it.answers(cut, healed, host=host.number)) for host in others),
        "back_after_s": round(back, 1),
    }


async def _many_under_way(it: Deployment) -> None:
    """Let what comes now find calls on every host in their middle: long ones were sent a moment ago."""
    it.words = 300
    await asyncio.sleep(2)
    it.words = 40


async def _kill(it: Deployment, host: network.Host) -> None:
    say("kill -9 of a host")
    await _many_under_way(it)
    process = it.processes[host.number]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    await asyncio.sleep(1)
    it.serve(host)
    await _until_ready(it, host)
    await asyncio.sleep(1)


async def _until_settled(it: Deployment) -> None:
    for _ in range(180):
        if not (await asyncio.to_thread(books, it.database)).open_holds:
            return
        await asyncio.sleep(0.5)


async def measure(clients: int, keep: bool = False) -> dict[str, Any]:
    """One run; returns what is printed. `clients` are per host and person."""
    async with deployed(3, keep) as it:
        asking = [
            asyncio.ensure_future(it.keep_asking(host, who))
            for host in it.hosts
            for who in it.keys
            for _ in range(clients)
        ]
        found = await play(it)
        it.stopping = True
        await asyncio.gather(*asking)
        await _until_settled(it)
        charges = json.loads((await get(it.provider_url, "/ledger")).body)
        state = books(it.database)
    outcomes = {each.run: each.outcome for each in state.records if each.kind == "call_model"}
    worked = [each for each in charges if each["outcome"] != "refused"]
    return {
        "hosts": 3,
        "answers": len(it.answers(0)),
        "charges": len(worked),
        "orphaned": sum(each.outcome == "orphaned" for each in state.records),
        **found,
        "without_row": sum(each["request"] not in state.attempts for each in worked),
        "settled_twice": sum(count > 1 for count in state.attempts.values()),
        "acknowledged_lost": sum(outcomes.get(each.run) != "done" for each in it.answers(0)),
        "money_astray": abs(state.spent["organisation"] - sum(each.cost for each in state.records)),
        "held_left": state.held,
        "audit_ok": state.audit_holds(),
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--clients", type=int, default=2, help="clients per host and person (default 2)")
    given = options.parse_args()
    network.inside()
    result = asyncio.run(measure(given.clients, given.keep))
    return told(result, not result["audit_ok"] or any(result[name] for name in (*ZERO, "others_refused")))


if __name__ == "__main__":
    sys.exit(main())
