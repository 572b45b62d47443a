"""How well rules read contracts: deviations from preferred terms found, missed, invented, and citations that are wrong.

All sets are invented: `seen`, which the rules were written with; `apart`, written before the rules; `made`, put
together by a generator from other wordings, in numbering styles drawn by the seed; and, looked at clause by clause,
`unseen` and `unseen_again`, made likewise of wordings that are hard to read, `fresh`, `fresh_kept` and `fresh_last`, of
several writers' styles, and `looked` to `crossed_plain`, of ordinary English. RESULTS.md has the first figures of each,
from before any rule was changed because of it.

    python -m evals.contracts [--seed 7] [--made 60] [--only SET] [--show]

The last line is JSON. It runs the modules of the template as its workflow does on the embedded default: no model takes
part.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evals.contracts_made import made
from evals.contracts_strangers import became, idle, of_nothing, strangers, why, wrapped
from evals.contracts_unseen import Wordings, outcome
from fairlead.context.items import read_item
from fairlead.context.sections import split as sections_of
from fairlead.context.settings import ContextSettings
from fairlead.tools.python import load

HERE = Path(__file__).parent
TEMPLATE = HERE.parent / "src" / "fairlead" / "workspace" / "solutions" / "contract-review"
ORGANISATION = "Northlight Home"
FOLDERS = ("seen", "apart")
STRANGERS = ("looked", "aside", "last", "crossed", "crossed_aside", "crossed_last", "crossed_plain")
WORDINGS = ("unseen", "unseen_again", "fresh", "fresh_kept", "fresh_last")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument(
        "--data", type=Path, default=HERE / "contracts_kept", help="folders of contracts and expected.json"
    )
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--made", type=int, default=60, help="contracts to make")
    asked.add_argument("--unseen", type=int, default=150, help="contracts to make of wordings that are hard to read")
    asked.add_argument("--only", choices=(*FOLDERS, "made", *WORDINGS, *STRANGERS), help="one of the sets")
    asked.add_argument("--wrapped", action="store_true", help="break the lines of strangers' texts, as a PDF does")
    asked.add_argument("--show", action="store_true", help="tell what differs")
    given = asked.parse_args()
    reviewer = Reviewer()

    def wanted(names: tuple[str, ...]) -> list[str]:
        return [each for each in names if given.only in (None, each)]

    told: dict[str, Any] = {"eval": "contracts", "seed": given.seed}
    for name in wanted(FOLDERS):
        expected = json.loads((given.data / name / "expected.json").read_text())
        cases = ((each, (given.data / name / f"{each}.md").read_text(), set(codes)) for each, codes in expected.items())
        told[name] = scored(reviewer, cases, show=given.show)
    for name in wanted(("made",)):
        drawn = random.Random(given.seed)
        cases = (made(drawn, number, ORGANISATION) for number in range(given.made))
        told[name] = scored(reviewer, cases, show=given.show)
    for name in wanted(WORDINGS):
        wordings = Wordings(given.data / f"{name}.json")
        told[name] = clause_by_clause(reviewer, wordings, given.seed, given.unseen, show=given.show)
    for name in wanted(STRANGERS):
        told[name] = strange(reviewer, given.data / "strangers" / name, broken=given.wrapped, show=given.show)
    print(json.dumps(told))


class Reviewer:
    """The template's own modules and pages."""

    def __init__(self) -> None:
        steps = TEMPLATE / "workflows"
        self._run = {
            path.stem: {name: each.run for name, each in load(path.read_bytes(), path.name).functions.items()}
            for path in steps.glob("*.py")
        }
        self.pages = [_page(path) for path in sorted((TEMPLATE / "context" / "contracts").glob("*.md"))]

    def review(self, text: str) -> tuple[set[str], int, int]:
        """The codes of what was found, how many citations were checked, and how many of them are wrong."""
        result, proven = self.reviewed(text)
        codes = {each["code"] for each in result["deviations"]}
        codes |= {f"{each['kind']}:unread" for each in result["attention"] if each["kind"] == "language"}
        return codes, proven["checked"], len(proven["wrong"])

    def reviewed(self, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the template finds, and how its citations were borne out."""
        clauses, terms, proof = (self._run[f"contract_{each}"] for each in ("clauses", "terms", "proof"))
        found = clauses["extracted"](text, ORGANISATION)
        said = clauses["joined"](found, [], text)
        result = terms["compared"](found, said, text, self.pages)
        return result, proof["proven"](result, text, self.pages)


def _page(path: Path) -> Mapping[str, Any]:
    item = read_item(f"contracts/{path.name}", path.read_bytes(), ContextSettings())
    sections = [
        {"heading": each.heading, "text": each.text, "cite": f"{item.id}@{item.version}#{number}"}
        for number, each in enumerate(sections_of(item.text))
    ]
    return {"id": item.id, "trusted": True, "sections": sections}


def scored(reviewer: Reviewer, cases: Iterator[tuple[str, str, set[str]]], *, show: bool) -> dict[str, Any]:
    right = invented = missed = citations = wrong = contracts = 0
    began = time.process_time()
    for name, text, expected in cases:
        contracts += 1
        found, checked, false = reviewer.review(text)
        right, invented, missed = (
            right + len(found & expected),
            invented + len(found - expected),
            missed + len(expected - found),
        )
        citations, wrong = citations + checked, wrong + false
        if show and found != expected:
            print(name, "invented", sorted(found - expected), "missed", sorted(expected - found))
    seconds = (time.process_time() - began) / max(1, contracts)
    return {
        "contracts": contracts,
        "deviations": right + missed,
        "precision": round(right / max(1, right + invented), 3),
        "recall": round(right / max(1, right + missed), 3),
        "citations": citations,
        "citations_wrong": wrong,
        "cpu_ms_a_contract": round(1000 * seconds, 1),
    }


def clause_by_clause(
    reviewer: Reviewer, wordings: Wordings, seed: int, contracts: int, *, show: bool
) -> dict[str, Any]:
    """What became of each clause, and what was found (`invented`) or doubted (`doubted_for_nothing`) where nothing is
    said."""
    drawn = random.Random(seed)
    told = dict.fromkeys(("right", "doubted", "overstated", "understated", "overlooked"), 0)
    told |= {"invented": 0, "doubted_for_nothing": 0}
    citations = wrong = 0
    for _ in range(contracts):
        contract = wordings.contract(drawn, ORGANISATION)
        result, proven = reviewer.reviewed(contract.text)
        citations, wrong = citations + proven["checked"], wrong + len(proven["wrong"])
        for measure, level in contract.said.items():
            each = outcome(result, measure, level, contract.clauses[measure])
            told[each] += 1
            if show and each not in ("right", "doubted"):
                print(f"{each}: {measure} {level or 'as preferred'}: {contract.clauses[measure]}")
        for beside in result["deviations"]:
            if beside["standing"] != "missing" and beside["measure"] not in contract.said:
                told["doubted_for_nothing" if beside["standing"] == "unread" else "invented"] += 1
                if show:
                    print(f"of nothing: {beside['code']}: {beside['quote']}")
    return {"contracts": contracts, **told, "citations": citations, "citations_wrong": wrong}


def strange(reviewer: Reviewer, folder: Path, *, broken: bool, show: bool) -> dict[str, Any]:
    """What became of what ordinary agreements and single clauses say, and what was said of nothing."""
    told: dict[str, dict[str, int]] = {}
    citations = wrong = 0
    for each in strangers(folder):
        kind = told.setdefault("clauses" if each.name.startswith("clause ") else "agreements", {})
        result, proven = reviewer.reviewed(wrapped(each.text) if broken else each.text)
        citations, wrong = citations + proven["checked"], wrong + len(proven["wrong"])
        outcomes = [(measure, level, words, became(result, measure, level, words))
                    for measure, (level, words) in each.said.items()]  # fmt: skip
        invented, shown = of_nothing(each, result), idle(each, result)
        for what in (*(came for *_, came in outcomes), *("invented" for _ in invented), *("idle" for _ in shown)):
            kind[what] = kind.get(what, 0) + 1
        if show:
            for measure, level, words, came in outcomes:
                if came != "right":
                    reason = why(result, measure, words)
                    print(f"{each.name}: {came}: {measure} {level or 'as preferred'}: ...{words} ({reason})")
            for text in (*invented, *(f"idle: {text[:150]}" for text in shown)):
                print(f"{each.name}: {text}")
    return {**told, "citations": citations, "citations_wrong": wrong}


if __name__ == "__main__":
    main()
