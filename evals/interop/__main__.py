"""Real model servers and the suites of real clients: what passes straight at a server passes through Fairlead too.

    python -m evals.interop [--upstream NAME…] [--suite NAME…] [--keep FOLDER]

Each suite runs against each server twice, straight and through a Fairlead whose workspace declares the server's quirks
(`upstreams/`). `tools/interop.sh` installs what is needed; `make interop` does both.

    direct_pass    tests that passed straight at a server
    through_pass   tests that passed through Fairlead
    lost           passed straight and not through Fairlead, and not declared                                      (0)
    deliberate     the same, declared with its reason in `deliberate.py`
    won            passed through Fairlead only
"""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp

from evals.interop import deliberate
from evals.interop.running import run, say, suites
from evals.interop.servers import NAMES, fairlead, free_port, running, upstream
from evals.stage import told

Outcomes = Mapping[str, str]
Lost = list[tuple[str, str, str]]


class Tally:
    """What was counted so far."""

    def __init__(self) -> None:
        self.direct = self.through = 0
        self.won = 0
        self.lost: Lost = []
        self.meant: Lost = []
        self.parts: dict[str, str] = {}

    def add(self, name: str, suite: str, direct: Outcomes, through: Outcomes) -> None:
        """The two runs of one suite."""
        passed = {test for test, outcome in direct.items() if outcome == "passed"}
        kept = {test for test, outcome in through.items() if outcome == "passed"}
        self.direct += len(passed)
        self.through += len(kept)
        self.won += len(kept - passed)
        for test in sorted(passed - kept):
            why = deliberate.reason(name, suite, test)
            (self.meant if why else self.lost).append((name, suite, test))
            say(f"  {'deliberate' if why else 'LOST'}: {name} {suite} {test}{': ' if why else ''}{why}")
        self.parts[f"{name}/{suite}"] = f"{len(passed)} {len(kept)}"
        say(f"{name} {suite}: {len(passed)} straight, {len(kept)} through, of {len(direct)}")


def measure(names: list[str], wanted: list[str], cache: Path, folder: Path) -> Tally:
    """Everything, one server after another."""
    tally, known = Tally(), suites(cache)
    for name in names:
        port, place = free_port(), folder / name
        place.mkdir(parents=True)
        with (
            running(upstream(name, cache, port), port, place / "server.log") as straight,
            fairlead(name, port, place) as through,
        ):
            for suite in wanted:
                found = [run(known[suite], name, url, cache, place / way) for way, url in
                         (("direct", straight), ("through", through))]  # fmt: skip
                tally.add(name, suite, *found)
    return tally


def main() -> int:
    cache = Path(os.environ.get("FAIRLEAD_INTEROP", "~/.cache/fairlead-interop")).expanduser()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--suite", nargs="+", choices=sorted(suites(cache)), default=sorted(suites(cache)))
    parser.add_argument("--keep", type=Path, help="where reports and logs stay; else they are removed")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with this
    if asked.keep:
        shutil.rmtree(asked.keep, ignore_errors=True)
    folder = asked.keep.absolute() if asked.keep else Path(mkdtemp(prefix="fairlead-interop-"))
    tally = measure(asked.upstream, asked.suite, cache, folder)
    if not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    if set(asked.upstream) == set(NAMES) and len(asked.suite) == len(suites(cache)):
        for pattern in deliberate.unused(tally.meant):
            say(f"no longer lost, so no longer to be declared: {pattern}")
    result = {
        "direct_pass": tally.direct,
        "through_pass": tally.through,
        "lost": len(tally.lost),
        "deliberate": len(tally.meant),
        "won": tally.won,
        "suites": tally.parts,
    }
    return told(result, bad=bool(tally.lost))


if __name__ == "__main__":
    sys.exit(main())
