"""`fairlead evaluate`: cases that say what a workflow should come to, run on a server as anybody's runs are."""

import json as jsons
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from msgspec import Meta, Struct

from fairlead.cli.ask import Key
from fairlead.cli.asking import got, posted
from fairlead.cli.brought import with_files
from fairlead.cli.later import PLAIN
from fairlead.cli.output import Json, data, json_data, say
from fairlead.cli.place import Url, Workspace, find, server_url
from fairlead.cli.resting import rests
from fairlead.cli.signing_in import key_or_login
from fairlead.costs.money import exact_money
from fairlead.errors import BadInput, FairleadError, NotFound, closest

FOLDER: Final = "evaluation"
_GLANCE: Final = 0.05  # seconds

app = typer.Typer(**PLAIN)


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of `evaluation/NAME.jsonl`. `files` and `texts` are brought into the input by key: see `workflow run
    --file`.

    `expect` is what the output must hold: of an object the keys that are named, of a list each item, all else equal.
    `asks` is what the question must hold that the run is to wait with.
    """

    name: str
    workflow: str
    input: dict[str, Any] = {}
    files: dict[str, str] = {}
    texts: dict[str, str] = {}
    status: Annotated[str, Meta(pattern="^(done|waiting|failed)$")] = "done"
    expect: Any = None
    asks: str = ""


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Those of evaluation/NAME.jsonl. Default: all.")] = "",
    least: Annotated[
        float, typer.Option("--least", min=0, max=1, help="End with status 1 where a smaller share comes out right.")
    ] = 1.0,
    key: Key = "",
    url: Url = "",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Run the cases of evaluation/*.jsonl on a server, and compare what comes out with what should.

    Cases are real runs: they are billed and recorded. A run that waits for a person is cancelled once it was looked at.
    """
    folder = find(workspace).workspace
    cases = list(cases_of(folder, name))
    address = url or server_url(workspace)
    key = key_or_login(key, address)
    results = []
    for case in cases:
        results.append(_result(case, address, key, folder))
        if not json:
            _tell(results[-1])
    summary = _summary(results)
    json_data({**summary, "cases": results}) if json else data(_said(summary))
    if summary["pass_rate"] < least:
        raise typer.Exit(1)


def cases_of(folder: Path, name: str) -> Iterator[Case]:
    """Raises `NotFound`, `BadInput` naming the line."""
    known = {path.stem: path for path in sorted((folder / FOLDER).glob("*.jsonl"))}
    if not known or (name and name not in known):
        mend = closest(name, known) or f"write {FOLDER}/NAME.jsonl, a case a line; templates have some: fairlead new"
        raise NotFound(f"there are no cases{f' of {name!r}' if name else ''} in {folder / FOLDER}", mend=mend)
    for stem, path in known.items():
        if name in ("", stem):
            for number, line in enumerate(path.read_bytes().splitlines(), 1):
                if line.strip():
                    yield _case(f"{FOLDER}/{path.name}:{number}", line)


def _case(where: str, line: bytes) -> Case:
    try:
        return msgspec.json.decode(line, type=Case)
    except msgspec.DecodeError as error:
        raise BadInput(f"{where}: {error}", why="a case is a JSON object on one line", mend="mend the line") from None


def _result(case: Case, address: str, key: str, folder: Path) -> dict[str, Any]:
    began = time.monotonic()
    given = with_files(case.input, case.files, case.texts, folder)
    with posted(address, {"input": given}, key, path=f"/v1/workflows/{case.workflow}/runs") as answer:
        run = jsons.loads(answer.read())["id"]
    found = got(address, f"/v1/workflows/runs/{run}", key)
    while not rests(found):
        time.sleep(_GLANCE)
        found = got(address, f"/v1/workflows/runs/{run}", key)
    wrong = wrong_in(case, found)
    if found["status"] == "waiting":
        _cancel(run, address, key)
    seconds = round(time.monotonic() - began, 3)
    asked = any(each["role"] for each in found.get("waits", ()))
    about = {"name": case.name, "workflow": case.workflow, "run": run, "status": found["status"], "asked": asked}
    about["straight_through"] = went_through(found)
    return {**about, "passed": not wrong, "wrong": wrong, "cost": found["cost"], "seconds": seconds}


def _cancel(run: str, address: str, key: str) -> None:
    try:
        with posted(address, {"do": "cancel"}, key, path=f"/v1/workflows/runs/{run}") as answer:
            answer.read()
    except FairleadError as error:
        say(f"  {run} goes on waiting: {error.message}")


def wrong_in(case: Case, found: dict[str, Any]) -> list[str]:
    """What differs from what the case expects."""
    if found["status"] != case.status:
        asked = ", ".join(each["ask"] or each["for"] for each in found.get("waits", ()))
        said = found.get("failure", {}).get("message") or asked
        return [f"it is {found['status']}, not {case.status}" + (f": {said}" if said else "")]
    wrong = list(differences(case.expect, found.get("output"), "output")) if case.expect is not None else []
    asks = " ".join(each["ask"] or "" for each in found.get("waits", ()))
    if case.asks and case.asks.casefold() not in asks.casefold():
        wrong.append(f"it asks {asks!r}, without {case.asks!r}")
    return wrong


def went_through(found: dict[str, Any]) -> bool:
    """Whether a run needed nobody: it is done, and does not say otherwise by `straight_through` in its output."""
    output = found.get("output")
    said = output.get("straight_through") if isinstance(output, dict) else None
    return found["status"] == "done" and said is not False


def differences(expected: Any, found: Any, at: str) -> Iterator[str]:
    """Where `found` does not hold what is expected: of an object the keys that are named, all else whole."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            if key not in found:
                yield f"{at}.{key} is not there"
            else:
                yield from differences(value, found[key], f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        one, other = (jsons.dumps(each, ensure_ascii=False)[:200] for each in (found, expected))
        yield f"{at} is {one}, not {other}"


def _summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    count, passed = len(results), sum(each["passed"] for each in results)
    through = sum(each["straight_through"] for each in results)
    return {
        "count": count,
        "passed": passed,
        "pass_rate": passed / count if count else 0.0,
        "straight_through_share": through / count if count else 0.0,
        "cost": sum(each["cost"] for each in results),
        "seconds": round(sum(each["seconds"] for each in results), 3),
    }


def _tell(result: dict[str, Any]) -> None:
    verdict = "right" if result["passed"] else "WRONG"
    say(f"{verdict}  {result['name']}  ({result['status']}, {result['seconds']:.2f} s)")
    for each in result["wrong"]:
        say(f"       {each}; fairlead workflow status {result['run']}")


def _said(summary: dict[str, Any]) -> str:
    through, cost = f"{summary['straight_through_share']:.0%}", exact_money(summary["cost"])
    right = f"{summary['passed']} of {summary['count']} right"
    return f"{right}; {through} went through without a person; cost {cost}, {summary['seconds']:.1f} s"


def commands() -> dict[str, Any]:
    return {"evaluate": typer.main.get_command(app)}
