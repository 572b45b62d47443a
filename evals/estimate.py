"""What will a reply cost, and a batch of a hundred, as told before they run?

All `requests/*.parquet` of `--data`, in the order of time: of each request, and of each batch of 100 in a row (one
begins every 50), the interval is what `costs.histories` says from the requests before it, and nothing else. A file is
one task type and model, its inputs are known, its outputs are what is estimated; both are priced by `--input-price` and
`--output-price` for a million. `coverage80` and `coverage80_batch` are how often the cost lay within, `width` the
interval's mean width as a share of the mean cost, and `declared_*` the same of the bounds that are told without a
history: from no output to `--max-output` (default: the longest reply of the file, as a careful person would declare).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from evals.stage import parser, say, told
from fairlead.costs.estimates import batch, declared, estimate
from fairlead.costs.histories import History
from fairlead.costs.types import Rate, Tier

_BATCH, _EVERY = 100, 50


def requests(path: Path) -> list[tuple[int, int]]:
    """Input and output tokens, in order."""
    import duckdb

    table = duckdb.read_parquet(str(path)).order("ts").select("in_tok, out_tok")
    return [(int(given), int(output)) for given, output in table.fetchall() if given is not None and output is not None]


class Counted:
    """How often a cost lay within what was told, and how wide that was."""

    def __init__(self) -> None:
        self.asked = self.within = 0
        self.width = self.came = 0.0

    def add(self, low: int, high: int, came: int) -> None:
        self.asked += 1
        self.within += low <= came <= high
        self.width += high - low
        self.came += came

    @property
    def coverage(self) -> float | None:
        return round(self.within / self.asked, 4) if self.asked else None

    @property
    def wide(self) -> float | None:
        return round(self.width / self.came, 3) if self.came else None


def measured(rows: list[tuple[int, int]], rate: Rate, most: int) -> dict[str, Counted]:
    """Every request and batch of a file, each by what came before."""
    found = {name: Counted() for name in ("one", "batch", "declared one", "declared batch")}
    history = History()
    for at, (given, output) in enumerate(rows):
        ahead = [(each, most) for each, _ in rows[at : at + _BATCH]]
        if at % _EVERY == 0 and len(ahead) == _BATCH and (sums := batch(ahead, history, rate)).outcomes:
            came = sum(_cost(*row, rate) for row in rows[at : at + _BATCH])
            found["batch"].add(sums.low, sums.high, came)
            bounds = [declared("m", each, most, rate) for each, _ in ahead]
            found["declared batch"].add(sum(each.low for each in bounds), sum(each.high for each in bounds), came)
        said, came = estimate("m", given * 4, most, 1, rate, history), _cost(given, output, rate)
        if said.outcomes:
            found["one"].add(said.low, said.high, came)
            bound = declared("m", given, most, rate)
            found["declared one"].add(bound.low, bound.high, came)
        history.note(given, output, at)
    return found


def _cost(given: int, output: int, rate: Rate) -> int:
    from fairlead.costs.prices import cost
    from fairlead.models.types import Usage

    return cost(Usage(input=given, output=output), rate)


def _figures(found: dict[str, Counted]) -> dict[str, Any]:
    return {
        "coverage80": found["one"].coverage,
        "coverage80_batch": found["batch"].coverage,
        "width": found["one"].wide,
        "width_batch": found["batch"].wide,
        "declared_coverage": found["declared one"].coverage,
        "declared_coverage_batch": found["declared batch"].coverage,
        "declared_width": found["declared one"].wide,
        "declared_width_batch": found["declared batch"].wide,
        "requests": found["one"].asked,
        "batches": found["batch"].asked,
    }


def _rate(options: argparse.Namespace) -> Rate:
    given, output = round(options.input_price * 1e6), round(options.output_price * 1e6)
    return Rate("stated", (Tier(0, given, output, given, given),))


def main() -> int:
    given = parser(__doc__)
    given.add_argument("--data", type=Path, required=True, help="the folder with `requests`")
    given.add_argument("--input-price", type=float, default=2.5, help="of a million tokens (default 2.5)")
    given.add_argument("--output-price", type=float, default=10.0, help="of a million tokens (default 10)")
    given.add_argument(
        "--max-output", type=int, default=0, help="the declared limit (default: the longest of the file)"
    )
    options = given.parse_args()
    whole = {name: Counted() for name in ("one", "batch", "declared one", "declared batch")}
    files: dict[str, dict[str, Any]] = {}
    for path in sorted((options.data / "requests").glob("*.parquet")):
        rows = requests(path)
        say(f"{path.stem}: {len(rows)} requests")
        found = measured(rows, _rate(options), options.max_output or max(output for _, output in rows))
        files[path.stem] = _figures(found)
        for name, each in found.items():
            sums = whole[name]
            sums.asked, sums.within = sums.asked + each.asked, sums.within + each.within
            sums.width, sums.came = sums.width + each.width, sums.came + each.came
    return told({**_figures(whole), "files": files}, bad=False)


if __name__ == "__main__":
    sys.exit(main())
