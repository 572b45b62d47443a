"""The official conformance suite of the Model Context Protocol: at the SDK's own fixture server, and at the same server
behind Fairlead.

    python -m evals.mcp_conformance [--revision R…] [--keep] [--straight-only]

`tools/interop.sh conformance` installs the suite, the Node that it needs and the fixture (the "everything" server in
the source of the Python SDK); `make interop` does all of it. Only what a revision requires is scored. Of each revision,
behind Fairlead and straight:

    scenarios, passed, failed    those that are scored                                                   (failed: 0)
    failures                     the names of those that failed
    checks                       single checks that passed in them
    unscored_failures            scenarios that the suite runs and does not score
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from evals.interop.servers import free_port, process, until
from evals.stage import say, told

REVISIONS: Final = ("2025-11-25", "2026-07-28")
POLICIES: Final = """
@id("all") permit(principal, action in Action::"call_tool", resource);
@id("results") permit(principal, action == Action::"release_result", resource);
"""
_TIMEOUT_S: Final = 300.0
_TIME: Final = re.compile(r"-\d{4}-\d\d-\d\dT.*")  # at the end of a folder's name


def workspace(folder: Path, port: int) -> Path:
    """One system: the fixture, with all that it offers."""
    whole = {
        "organisation": "conformance",
        "models": {"local": {"use": "local/extractive"}},
        "identity": {"anonymous": {"allow": True}},
        "systems": {
            "everything": {
                "use": "mcp",
                "url": f"http://127.0.0.1:{port}/mcp",
                "offers": ["resources", "prompts", "completions"],
                "passes": ["questions", "progress", "logs"],
            }
        },
    }
    made = folder / "workspace"
    (made / "policies").mkdir(parents=True)
    (made / "fairlead.yaml").write_text(json.dumps(whole))
    (made / "policies" / "main.cedar").write_text(POLICIES)
    return made


@contextlib.contextmanager
def fixture(cache: Path, folder: Path) -> Iterator[int]:
    """The fixture server, listening."""
    port = free_port()
    command = [str(cache / "everything" / "bin" / "python"), "-m", "mcp_everything_server"]
    command += ["--port", str(port), "--log-level", "WARNING"]
    log = folder / "fixture.log"
    with process(command, folder, os.environ, log) as started:
        until(f"http://127.0.0.1:{port}/mcp", started, log, any_status=True)
        yield port


@contextlib.contextmanager
def behind(folder: Path, port: int) -> Iterator[str]:
    """The address of the fixture's own endpoint in a Fairlead that has accepted its tools."""
    made, ours = workspace(folder, port), free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FAIRLEAD_")}
    program = [sys.executable, "-m", "fairlead"]
    accepting = [*program, "tools", "accept", "everything", "--yes", "--workspace", str(made)]
    accepted = subprocess.run(accepting, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if accepted.returncode:
        raise RuntimeError(accepted.stderr)
    command = [*program, "serve", str(made), "--data", str(folder / "data"), "--port", str(ours)]
    log = folder / "fairlead.log"
    with process(command, folder, environment, log) as started:
        until(f"http://127.0.0.1:{ours}/readyz", started, log)
        yield f"http://127.0.0.1:{ours}/mcp/everything"


def run(cache: Path, folder: Path, url: str, revision: str) -> dict[str, Any]:
    """What the suite says of one server, in one revision."""
    out = folder / f"checks-{revision}"
    node = cache / "conformance" / "node_modules"
    suite = node / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    command = [str(node / "node" / "bin" / "node"), str(suite), "server", "--url", url]
    command += ["--requirements", revision, "--output-dir", str(out)]
    with (folder / f"suite-{revision}.log").open("wb") as log:
        subprocess.run(command, cwd=folder, stdout=log, stderr=log, timeout=_TIMEOUT_S, check=False)
    listing = [*command[:2], "list", "--requirements", revision]
    listed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    return tallied(out, scored(listed))


def scored(listed: str) -> list[str]:
    """The scenarios for servers that count, as the suite lists them."""
    lines = listed.partition("Server scenarios")[2].partition("\n\n")[0].splitlines()[1:]
    return [line.removeprefix("  - ").split()[0] for line in lines if line.startswith("  - ")]


def tallied(out: Path, wanted: list[str]) -> dict[str, Any]:
    """A scenario that left no checks has failed: it did not come to its end."""
    failed: dict[str, bool] = {}
    checks = 0
    for folder in out.iterdir() if out.exists() else ():
        name = _TIME.sub("", folder.name.removeprefix("server-"))
        found = json.loads((folder / "checks.json").read_text())
        statuses = [each["status"] for each in found]
        failed[name] = "FAILURE" in statuses
        for each in found:
            if each["status"] == "FAILURE":
                say(f"  {name}: {each['id']}: {each.get('errorMessage', '')[:300]}")
        checks += statuses.count("SUCCESS") if name in wanted else 0
    failures = [name for name in wanted if failed.get(name, True)]
    return {
        "scenarios": len(wanted),
        "passed": len(wanted) - len(failures),
        "failed": len(failures),
        "failures": failures,
        "checks": checks,
        "unscored_failures": sorted(name for name, bad in failed.items() if bad and name not in wanted),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revision", action="append", choices=REVISIONS, help="default: both")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and single checks")
    parser.add_argument("--straight-only", action="store_true", help="only the control")
    given = parser.parse_args()
    cache = Path(os.environ.get("FAIRLEAD_INTEROP", "~/.cache/fairlead-interop")).expanduser()
    folder = Path(mkdtemp(prefix="fairlead-conformance-"))
    found: dict[str, Any] = {}
    with fixture(cache, folder) as port:
        for revision in given.revision or REVISIONS:
            (folder / "straight").mkdir(exist_ok=True)
            straight = run(cache, folder / "straight", f"http://127.0.0.1:{port}/mcp", revision)
            found[revision] = {"straight": straight}
        if not given.straight_only:
            (folder / "behind").mkdir()
            with behind(folder / "behind", port) as url:
                for revision in given.revision or REVISIONS:
                    found[revision] = {**run(cache, folder / "behind", url, revision), **found[revision]}
    if given.keep:
        say(f"kept: {folder}")
    return told(found, bad=any(each.get("failed", 0) for each in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
