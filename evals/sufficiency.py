"""Is there enough for any model to answer reliably? By rules over what is known of pages, and by what a text says.

`rule_cases` is the share of cases that were decided right, of workspaces made by chance, asked through real doors as
three persons, and compared with an oracle that was written apart: what was recorded, refused, asked of owners, left to
which model, noted in the text and told beside it. `rule_states` are how many there were of each state, `leaks` how
often a caller could tell apart two worlds that differ in pages they may not read (of `twins`).

The rest is about texts, read from `retrieval` and `nli` below the folder of `--data`, all files: see `evals.checker`.
"""

import sys
from pathlib import Path

from evals.checker import figures, with_embeddings
from evals.stage import parser, say, told
from evals.sufficiency_cases import STATES, decided


def main() -> int:
    given = parser(__doc__)
    given.add_argument("--data", type=Path, required=True, help="the folder with `retrieval` and `nli`")
    given.add_argument("--workspaces", type=int, default=12, help="workspaces of twenty task types each (default 12)")
    with_embeddings(given)
    options = given.parse_args()
    tally = decided(options.seed, options.workspaces)
    for each in tally.wrong:
        say(each)
    say("rules are asked; now texts are read")
    result = {
        **figures(options.data, embeddings=options.embeddings),
        "rule_cases": round(tally.right / tally.cases, 4),
        "cases": tally.cases,
        "rule_states": {state: tally.states[state] for state in STATES},
        "leaks": tally.leaks,
        "twins": tally.twins,
    }
    return told(result, tally.right < tally.cases or tally.leaks > 0)


if __name__ == "__main__":
    sys.exit(main())
