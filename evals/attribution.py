"""How well `fairlead trace` finds what a run failed of: planted faults in chains of three agents, through the governed
path, with real pages, policies and systems, and models that say what they are told to say.

    .venv/bin/python -m evals.attribution --seed 7 [--each 20]
    .venv/bin/python -m evals.attribution --unseen
    .venv/bin/python -m evals.attribution --cases evals/attribution_fresh.yaml [--half open|kept]
    (or attribution_third.yaml, attribution_fourth.yaml, attribution_mended.yaml)

Of each of five kinds so many faults are planted, drawn by chance, or (`--unseen`) written by hand, each another; a
fault counts as found where the exact step, model and input are named. Runs without a fault, which end well or for an
honest reason, must not be blamed on any of the five. Prints one line of JSON.
"""

import argparse
import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from tests.world import MASTER_KEY, World, world

from evals import attribution_stage as stage
from evals.attribution_cases import KINDS, Case, drawn
from evals.attribution_fresh import HALVES, fresh
from evals.attribution_unseen import systems as written_systems
from evals.attribution_unseen import unseen
from fairlead.storage.fleet import Fleet
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition
from fairlead.workflows.opened import Started
from fairlead.workflows.segments import Segments
from fairlead.workflows.taking import Taking
from fairlead.workflows.tracing.attributing import Attribution, attributed
from fairlead.workflows.walk import StepResult
from fairlead.workspace.load import read_folder
from fairlead.workspace.publish import publish
from fairlead.workspace.tracing import LoggedFacts, opened_again

Stood = tuple[dict[str, str], dict[str, Any], tuple[str, ...]]
"""Files of systems, what fairlead.yaml says of these, and models beside."""


class Running:
    """One deployment in which the cases are run, one after the other."""

    def __init__(self, w: World, models: stage.Models) -> None:
        self.w = w
        self._models = models
        worker, runs = w.fairlead.ledger.journal.worker, w.running.runs
        self._taking = Taking(w.store, w.clock, runs, worker)
        self._segments = Segments(w.fairlead, runs, self._taking, worker)

    async def run(self, case: Case) -> str:
        """Run a case, and those before it; gives the id of its run."""
        await self.publish(case.policies)
        for each in case.earlier:
            await self._once(each)
        id_ = await self._once(case)
        await self.publish(dict.fromkeys(case.policies | case.later_policies))
        return id_

    async def _once(self, case: Case) -> str:
        w, runs = self.w, self.w.running.runs
        stage.TABLES.clear()
        stage.TABLES.update(case.tables)
        self._models.script = _script(case)
        flows = {name: msgspec.convert(each, Definition) for name, each in case.subflows.items()}
        bundle = Bundle(
            name="chain", definition=msgspec.convert(case.definition, Definition), subflows=flows, results=case.results
        )
        what = Started(workflow="chain", digest=bundle.digest, body=bundle.body, input=case.input)
        run = runs.begin(w.caller("kim"), what)[0]
        await self._walk()
        while (row := runs.one(run.id)).status == "waiting":
            await self.publish({f"context/{name}.md": text for name, text in case.later_pages.items()}
                               | case.later_policies)  # fmt: skip
            opened = runs.open(run.id)
            for wait, _ in runs.waits(opened):
                said = StepResult(value={"approved": case.approves, "by": ["lee"], "note": ""} | case.answers)
                runs.answer(opened, wait.place, said, by="lee", kind="workflow_answered")
            await self._walk()
        assert row.status == case.ends, (case.kind, case.mode, case.shape, row.status, row.error)
        return run.id

    async def _walk(self) -> None:
        """Until nothing is left to be done for now."""
        while ready := await asyncio.to_thread(self._taking.take, 8):
            for each in ready:
                await self._segments.walk(each.id, each.segment)

    async def publish(self, files: Mapping[str, str | None]) -> None:
        """Write these files (None: delete), publish, and wait for this process to follow."""
        if not files:
            return
        workspace = self.w.folder / "acme"
        for path, text in files.items():
            file = workspace / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True) if text is None else file.write_text(text)
        clock, store = self.w.clock, self.w.store
        made = await asyncio.to_thread(
            publish, store, Fleet(store, clock), read_folder(workspace), lambda _: None, by="eval", clock=clock
        )
        async with asyncio.timeout(30):
            while self.w.fairlead.current().revision != made.revision:  # noqa: ASYNC110 another thread follows
                await asyncio.sleep(0.02)

    async def said(self, id_: str) -> Any:
        """What the command itself says of a run."""
        folder = self.w.folder
        command = [sys.executable, "-m", "fairlead", "trace", id_, "--json", "-w", str(folder / "acme"), "--data",
                   str(folder / "data")]  # fmt: skip
        environment = {**os.environ, "FAIRLEAD_MASTER_KEY": base64.b64encode(MASTER_KEY).decode()}
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        return json.loads(out)["attribution"]

    async def traced(self, id_: str) -> Attribution | None:
        """In a thread, since this process serves beside."""
        return await asyncio.to_thread(self._traced, id_)

    def _traced(self, id_: str) -> Attribution | None:
        back = asyncio.run(opened_again(self.w.running.runs, id_))
        assert back.same, (back.differences, back.made, back.kept)
        vault = self.w.fairlead.ledger.vault
        return attributed(back, LoggedFacts(self.w.store, vault, self.w.clock, lambda _: None, back))


def _script(case: Case) -> stage.Script:
    left = {name: list(replies) for name, replies in case.replies.items()}

    def said(model: str, body: dict[str, Any]) -> stage.Said:
        users = [each["content"] for each in body["messages"] if each["role"] == "user"]
        text = users[0] if isinstance(users[0], str) else json.dumps(users[0])
        task = text.partition("Task ")[2].partition(".")[0]
        replies = left[task]
        of = next((each for each in replies if each.of and each.of in text), None)
        return of or (replies.pop(0) if len(replies) > 1 else replies[0])

    return said


def found(case: Case, told: Attribution | None) -> bool:
    """Whether a planted fault was found: its kind, step, model and input."""
    wanted = case.expected
    if told is None or wanted is None:
        return False
    root, causes = told.root, case.causes or (case.kind,)
    kind = told.proven and root.cause in causes
    if not set(causes) & set(KINDS):  # a person: the place counts, and nobody else may be blamed
        kind = not (told.proven and root.cause in KINDS)
    return kind and root.step == wanted.step and root.model == wanted.model and _fits(wanted.input, root.input)


def _fits(wanted: str, told: str) -> bool:
    """The very input; where a case names no version of a page, no value of a result or no item of a list, any of it; of
    people and of memory, whatever was theirs."""
    if wanted in ("answer", "memory"):
        return wanted in told
    return told == wanted or told.startswith(wanted if wanted.endswith("@") else (wanted + "#", wanted + "["))


@dataclass
class Tally:
    """What came of the cases."""

    hits: Counter[str] = field(default_factory=Counter)
    blamed: int = 0
    accused: int = 0
    wrong: list[tuple[Case, Attribution | None]] = field(default_factory=list)
    told_alike: int = 0
    seconds: float = 0.0

    def count(self, case: Case, told: Attribution | None) -> None:
        if case.expected is not None:
            right = found(case, told)
            self.hits[case.kind] += right
            self.accused += not right and told is not None and told.proven
        else:
            right = told is None or not told.proven or told.root.cause not in KINDS
            self.blamed += not right
        if not right:
            self.wrong.append((case, told))


async def measured(cases: list[Case], stood: Stood, verbose: bool) -> dict[str, Any]:
    """Run the cases, in a workspace with these files and systems beside the stage's own."""
    files = (
        stood[0] | stage.files() | {f"context/{name}.md": text for each in cases for name, text in each.pages.items()}
    )
    tally = Tally()
    async with stage.models() as models:
        settings = stage.settings(models.url, *stood[2])
        settings["systems"] |= stood[1]
        settings["memory"] = {}
        async with world(Path(tempfile.mkdtemp()), files, **settings) as w:
            running = Running(w, models)
            for case in cases:
                await tallied(running, case, tally)
    for case, told in tally.wrong if verbose else ():
        root = told and (told.root.cause, told.root.weight, told.root.step, told.root.model, told.root.input)
        about = (case.kind, case.mode, case.shape, case.number)
        print(*about, case.expected, root, told and (told.root.value, told.root.why), file=sys.stderr)
    return _figures(cases, tally)


async def tallied(running: Running, case: Case, tally: Tally) -> None:
    id_ = await running.run(case)
    begun = time.process_time()
    told = await running.traced(id_)
    tally.seconds += time.process_time() - begun
    if case.number == 0 and told is not None:  # one of each kind by the command itself
        said, it = await running.said(id_), told.root
        tally.told_alike += (said["cause"], said["step"], said["model"], said["input"]) == (
            it.cause, it.step, it.model or None, it.input or None)  # fmt: skip
    tally.count(case, told)


def _figures(cases: list[Case], tally: Tally) -> dict[str, Any]:
    hits = tally.hits
    planted = Counter(case.kind for case in cases if case.expected is not None)
    return {
        "eval": "attribution",
        "faults": planted.total(),
        "attributed_share": round(hits.total() / planted.total(), 4),
        "by_kind": {kind: round(hits[kind] / count, 3) for kind, count in planted.items()},
        "wrongly_accused": tally.accused,
        "without_fault": len(cases) - planted.total(),
        "false_blame": tally.blamed,
        "commands_alike": tally.told_alike,
        "cpu_ms_a_trace": round(1000 * tally.seconds / len(cases), 1),
    }


def drawn_all(seed: int, each: int) -> list[Case]:
    """So many of each kind, and as many without a fault."""
    return [drawn(kind, number, seed) for kind in (*KINDS, "none") for number in range(each)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=20, help="faults of each kind, and runs without any")
    parser.add_argument("--unseen", action="store_true", help="the cases of attribution_unseen.yaml")
    parser.add_argument("--cases", type=Path, help="the cases of a file such as attribution_fresh.yaml")
    parser.add_argument("--half", choices=HALVES, default="both", help="of --cases: which of them")
    parser.add_argument("--verbose", action="store_true", help="tell what was not found")
    asked = parser.parse_args()
    if asked.cases:
        cases, name = fresh(asked.cases, asked.half), f"{asked.cases.stem}, {asked.half}"
    elif asked.unseen:
        cases, name = unseen(), "unseen"
    else:
        cases, name = drawn_all(asked.seed, asked.each), asked.seed
    written = asked.cases or asked.unseen
    stood: Stood = (*written_systems(cases), ("epsilon",)) if written else ({}, {}, ())
    result = asyncio.run(measured(cases, stood, asked.verbose))
    print(json.dumps({"cases": name} | result))
    return 0 if result["attributed_share"] >= 0.95 and not result["false_blame"] else 1


if __name__ == "__main__":
    sys.exit(main())
