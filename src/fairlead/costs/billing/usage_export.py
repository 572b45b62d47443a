"""A provider's own usage export, read: CSV or JSON lines, whose columns everyone names otherwise."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput

FIELDS: Final = ("time", "model", "input", "output", "cost", "id")
_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "timestamp", "date", "day", "created_at", "start_time", "usage_date"),
    "model": ("model", "model_name", "model_id"),
    "input": ("input_tokens", "prompt_tokens", "tokens_in", "input"),
    "output": ("output_tokens", "completion_tokens", "tokens_out", "output"),
    "cost": ("cost", "amount", "total_cost", "price"),
    "id": ("request_id", "id", "idempotency_key"),
}
_NEEDED: Final = ("time", "model", "input", "output")
_MOST_TOKENS: Final = 10**15
_CENTS: Final = -2
_SECONDS: Final = 10**11  # numbers from here on count milliseconds
_decoder: "msgspec.json.Decoder[Any]" = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Line(Struct, frozen=True, kw_only=True):
    """One line: milliseconds since 1970, tokens, and the cost in nano-units where it says one, as exact as it does.
    `slack` is what its rounding may hide."""

    at: int
    model: str
    input: int
    output: int
    cost: Decimal | None
    slack: Decimal = Decimal(0)
    id: str


def read_export(data: bytes, columns: Mapping[str, str]) -> list[Line]:
    """The lines of an export. `columns` names the column of each of `FIELDS`, `a+b` for a sum of two; those that are
    not named are looked for under usual names. Raises `BadInput` naming the line."""
    for name in columns:
        if name not in FIELDS:
            raise BadInput(f"--columns names {name!r}", mend=f"choose from {', '.join(FIELDS)}")
    rows = list(_rows(data))
    if not rows:
        raise BadInput("the export has no lines", mend="export a period in which the provider was used")
    chosen = _chosen(rows[0][1], columns)
    lines = [_line(number, row, chosen) for number, row in rows]
    finest = min((_last_place(line.cost) for line in lines if line.cost is not None), default=0)
    slack = Decimal(5).scaleb(min(finest, _CENTS) - 1 + 9)  # half of the last place that the export tells
    return [
        msgspec.structs.replace(line, cost=line.cost.scaleb(9), slack=slack) if line.cost is not None else line
        for line in lines
    ]


def _rows(data: bytes) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("the export is not UTF-8", why=str(error), mend="save it as UTF-8") from None
    if not text.lstrip().startswith("{"):
        try:
            yield from enumerate(csv.DictReader(io.StringIO(text, newline=""), strict=True), 2)
        except csv.Error as error:
            raise BadInput("the export is no sound CSV", why=str(error)) from None
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, _decoder.decode(line)
            except msgspec.DecodeError as error:
                raise BadInput(f"line {number} of the export is no JSON object", why=str(error)) from None


def _chosen(first: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for field in FIELDS:
        if given := columns.get(field):
            chosen[field] = [each.strip() for each in given.split("+")]
        else:
            chosen[field] = [name for name in _USUAL[field] if name in first][:1]
        if field in _NEEDED and not chosen[field]:
            raise _no_column(field, first)
        for name in chosen[field]:
            if name not in first:
                raise BadInput(f"the export has no column {name!r}", mend=f"it has {', '.join(map(str, first))}")
    return chosen


def _no_column(field: str, first: Mapping[str, Any]) -> BadInput:
    return BadInput(
        f"which column of the export is the {field}?",
        why=f"it has {', '.join(map(str, first))}"[:500],
        mend=f"--columns {field}=NAME",
    )


def _line(number: int, row: Mapping[str, Any], chosen: Mapping[str, list[str]]) -> Line:
    cells = {field: [row.get(name) for name in names] for field, names in chosen.items()}
    return Line(
        at=_moment(number, cells["time"][0]),
        model=str(cells["model"][0] or ""),
        input=sum(_tokens(number, cell) for cell in cells["input"]),
        output=sum(_tokens(number, cell) for cell in cells["output"]),
        cost=_cost(number, cells["cost"]),
        id=str(cells["id"][0] or "") if cells["id"] else "",
    )


def _number(number: int, cell: object) -> Decimal:
    try:
        found = Decimal(str(cell).strip() or "0") if cell is not None else Decimal(0)
    except InvalidOperation:
        found = Decimal("NaN")
    if isinstance(cell, bool) or not found.is_finite() or abs(found) > _MOST_TOKENS:
        raise BadInput(f"line {number} of the export has no number: {str(cell)[:40]!r}", mend="export it without units")
    return found


def _tokens(number: int, cell: object) -> int:
    found = _number(number, cell)
    if found < 0 or found != found.to_integral_value():
        raise BadInput(f"line {number} of the export counts {str(cell)[:40]!r} tokens", mend="name another column")
    return int(found)


def _cost(number: int, cells: list[object]) -> Decimal | None:
    if all(cell is None or cell == "" for cell in cells):
        return None
    return sum((_number(number, cell) for cell in cells), Decimal(0))


def _last_place(value: Decimal) -> int:
    """The exponent of the last digit that is told."""
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _moment(number: int, cell: object) -> int:
    text = str(cell if cell is not None else "").strip()
    try:
        if re.fullmatch(r"[0-9]{9,16}(\.[0-9]+)?", text):
            value = Decimal(text)
            return int(value if value >= _SECONDS else value * 1000)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"line {number} of the export has no time: {text[:40]!r}",
            why="it is a day, a moment as ISO 8601 has it, or a number of seconds since 1970",
            mend="--columns time=NAME",
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
