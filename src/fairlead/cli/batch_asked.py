"""`fairlead estimate FILE.jsonl`: what many requests would cost together, decided in this process, a request a line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from fairlead.cli.acting import acting
from fairlead.cli.output import json_data, say, table
from fairlead.cli.place import find
from fairlead.costs.told import Arrival
from fairlead.costs.types import BatchEstimate
from fairlead.costs.units import Unit
from fairlead.errors import BadInput
from fairlead.execution.quoting import BatchQuote, quote_batch
from fairlead.models.types import ChatRequest
from fairlead.server.openai.chat_request import read_request

_MOST: Final = 10_000  # requests


class _Line(msgspec.Struct):
    """A request, bare or as batch services of vendors want it. What is bare is read whole by the door's own reader."""

    body: msgspec.Raw = msgspec.Raw()


def requests_in(file: Path, model: str) -> list[ChatRequest]:
    """The requests of a file. Those that name no model are for `model`. Raises `BadInput` naming the line."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{file} cannot be read", why=str(error.strerror), mend="name a file of requests") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                found.append(_request(line, model))
            except (msgspec.DecodeError, BadInput) as error:
                raise BadInput(
                    f"line {number} of {file} is no request",
                    why=str(error),
                    mend='one JSON object a line, such as {"messages": [{"role": "user", "content": "…"}]}',
                ) from error
    if not 0 < len(found) <= _MOST:
        raise BadInput(f"{file} has {len(found):,} requests", mend=f"one to {_MOST:,}, one a line")
    return found


def _request(line: bytes, model: str) -> ChatRequest:
    shape = msgspec.json.decode(line, type=_Line)
    body = bytes(shape.body) or line
    named = msgspec.json.decode(body, type=dict[str, Any])
    if "model" not in named:
        body = msgspec.json.encode(named | {"model": model})
    return read_request(body).request


async def quoted_batch(workspace: Path | None, data: Path | None, file: Path, model: str, key: str) -> BatchQuote:
    """What the requests of a file would cost together. Each is recorded like every action, none is billed."""
    requests = requests_in(file, model)
    async with acting(find(workspace, data), key) as (fairlead, caller):
        return await quote_batch(fairlead, caller, requests, Arrival(door="cli", dry_run=True))


def show_batch(made: BatchQuote, json: bool) -> None:
    """Tell what a batch would cost, part by part and together."""
    refused = [{"line": number, "reason": reason} for number, reason in made.refused]
    if json:
        parts = [
            {"task": part.task, "model": part.model, "requests": part.requests} | _shown(part.estimate, made.unit)
            for part in made.parts
        ]
        whole = {"currency": made.unit.name, "most": made.unit.exact(made.most)} | _shown(made.whole, made.unit)
        json_data({**whole, "parts": parts, "refused": refused})
        return
    columns = ["requests", "low", "likely", "high"]
    rows = [[part.task, part.model, f"{part.requests:,}", *_money(part.estimate, made.unit)] for part in made.parts]
    if len(rows) > 1:
        rows.append(["together", "", f"{sum(part.requests for part in made.parts):,}", *_money(made.whole, made.unit)])
    table(["task", "model", *columns], rows, right=columns)
    for each in refused:
        say(f"request {each['line']} would be refused: {each['reason']}")
    say(f"in {made.unit.name}; low to high: four of five batches; at most {made.unit.shown(made.most)} would be held")
    say(rests_on(made.whole.outcomes, _day(made.whole.since)))


def rests_on(outcomes: int, since: str) -> str:
    """What an estimate rests on, in a sentence."""
    if not outcomes:
        return "no history yet: low and high are what is declared, from no reply to the longest"
    return f"rests on {outcomes:,} replies since {since}"


def _money(estimate: BatchEstimate, unit: Unit) -> list[str]:
    return [unit.shown(amount) for amount in (estimate.low, estimate.likely, estimate.high)]


def _shown(estimate: BatchEstimate, unit: Unit) -> dict[str, Any]:
    amounts = {name: unit.exact(getattr(estimate, name)) for name in ("low", "likely", "high")}
    return {**amounts, "outcomes": estimate.outcomes, "since": _day(estimate.since)}


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}" if at else ""
