"""`fairlead trace` of a workflow's run: its steps as a tree, and at the root of what it failed of which step, model and
input."""

import asyncio
import json as jsons
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.output import data, json_data
from fairlead.cli.place import Place, currency_of, secrets
from fairlead.cli.when import shown as moment
from fairlead.clock import SystemClock
from fairlead.costs.money import exact_money, format_money

PREFIX = "wf_"
"""What the ids of workflows' runs begin with."""


def trace_workflow(place: Place, run: str, value: str, *, json: bool) -> None:
    """Print it, or where a value of it came from. Raises `NotFound`, `BadInput`, `Broken`."""
    from fairlead.workflows.runs import Runs
    from fairlead.workflows.tracing.attributing import attributed
    from fairlead.workflows.tracing.slicing import origins
    from fairlead.workflows.tracing.tree import origins_data, shown
    from fairlead.workspace.tracing import LoggedFacts, opened_again

    clock = SystemClock()
    with closing(open_store(place)) as store:
        vault = open_vault(place, store)
        runs = Runs(store, vault, clock)
        found = asyncio.run(opened_again(runs, runs.named(run)))
        facts = LoggedFacts(store, vault, clock, secrets(place.workspace), found)
        came = [origins_data(each) for each in origins(found, facts, value)] if value else []
        told = {} if value else shown(found, facts, attributed(found, facts))
    if json:
        json_data({"run": found.opened.run.id, "values": came} if value else _with_money(told))
        return
    for line in _origins(came) if value else _lines(told, currency_of(place)):
        data(line)


def _origins(came: list[dict[str, Any]]) -> Iterator[str]:
    for each in came:
        yield f"{each['name']}: {jsons.dumps(each['value'], ensure_ascii=False)}"
        for source in each["sources"]:
            parts = [
                source["input"],
                f"model {source['model']}" if source["model"] else "",
                f"({source['run']})" if source["run"] else "",
            ]
            where = f"step {source['at']}" if source["at"] else "the input"
            said = "" if source["value"] is None else f" {jsons.dumps(source['value'], ensure_ascii=False)}"
            yield f"  {where}{said}: {source['what']}: {', '.join(filter(None, parts))}"
            yield f"    {source['why']}"
            if source["chain"]:
                yield "    " + " ← ".join(_link(link) for link in source["chain"])
        if not each["sources"]:
            yield "  nothing is known of where it came from"


def _link(link: dict[str, Any]) -> str:
    said = "" if link["value"] is None else f" {jsons.dumps(link['value'], ensure_ascii=False)}"
    model = f" ({link['model']})" if link["model"] else ""
    return f"{link['at']}.{link['took']}{said}{model}"


def _with_money(node: Any) -> Any:
    """Nano-units as exact amounts."""
    if isinstance(node, dict):
        return {
            key: exact_money(each) if key == "cost" and isinstance(each, int) else _with_money(each)
            for key, each in node.items()
        }
    return [_with_money(each) for each in node] if isinstance(node, list) else node


def _lines(told: dict[str, Any], currency: str) -> Iterator[str]:
    begun = f"begun {moment(told['begun_at'])} UTC"
    yield f"{told['run']}  {told['workflow']}  {told['status']}, {begun}, {format_money(told['cost'], currency)}"
    for step in told["steps"]:
        yield from _step(step, 1, currency)
    for each in told["waits"]:
        yield f"waits at {each}"
    if told["attribution"] is not None:
        yield from _why(told["attribution"])
    if not told["same"]:
        yield f"what is recorded of it does not come out the same: fairlead replay {told['run']}"
    for each in told["mend"]:
        yield f"  {each}"


def _step(step: dict[str, Any], depth: int, currency: str) -> Iterator[str]:
    cost = f"  {format_money(step['cost'], currency)}" if step["cost"] else ""
    error = f"  {step['error']['kind']}: {step['error']['message']}" if step["error"] else ""
    yield f"{'  ' * depth}{step['at']}  {step['kind']}  {step['state']}{cost}{error}"
    for each in step["did"]:
        failed = each["error"] if each["error"] != step["error"] else None  # it is told once
        said = f"{failed['kind']}: {failed['message']}" if failed else ""
        yield "  " * (depth + 1) + "  ".join(filter(None, (*_did(each, step["at"]), said)))
    for inner in step["steps"]:
        yield from _step(inner, depth + 1, currency)


def _did(each: dict[str, Any], at: str) -> Iterator[str]:
    yield each["kind"] if each["at"] == at else f"{each['at']} {each['kind']}"
    yield each["name"] or ""
    yield each["model"] or ""
    yield each["state"] if each["state"] != "done" else ""
    yield "; ".join(f"{one['model']} failed: {one['error']}" for one in each["tried"] if one["error"])
    yield f"{each['ms']} ms" if each["ms"] is not None else ""
    yield f"({each['run']})" if each["run"] else ""


def _why(found: dict[str, Any]) -> Iterator[str]:
    said = "the root" if found["proven"] else "nothing speaks for a cause; it came from"
    parts = {"model": found["model"], "tool": found["tool"], "input": found["input"]}
    where = [f"step {found['at'] or 'input'}", *(f"{name} {each}" for name, each in parts.items() if each)]
    yield f"failed at {found['surfaced'] or 'its input'}: {found['message']}"
    yield f"{said}: {found['cause'].replace('_', ' ')}, {', '.join(where)}"
    value = "" if found["value"] is None else f" ({jsons.dumps(found['value'], ensure_ascii=False)})"
    yield f"  {found['why']}{value}"
    if found["chain"]:
        yield "  " + " → ".join(each["at"] for each in found["chain"])
