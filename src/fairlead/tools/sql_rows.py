"""What comes back from a database, as data that models, policies and people read: plain values, caps, a short table."""

import base64
import datetime as dt
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from fairlead.tools.failures import ResultTooLarge
from fairlead.tools.types import Text, ToolResult

_MOST_SHOWN: Final = 40  # rows of the table for models; all of them stand in the data
_WIDEST: Final = 200  # characters of one cell there
_LARGEST_SAFE: Final = 1 << 63


class Rows:
    """Takes rows in portions until there are enough. `most_bytes` is of the values as JSON."""

    def __init__(self, columns: Iterable[str], most_rows: int, most_bytes: int, subject: str) -> None:
        self.columns: Final = tuple(_distinct(columns))
        self._most_rows = most_rows
        self._left = most_bytes
        self._subject = subject
        self._rows: list[dict[str, Any]] = []
        self.truncated = False

    def portion(self) -> int:
        """How many rows to ask for next: few at first, as nobody knows how large one is, and one more than are kept."""
        return min(len(self._rows) * 2 + 8, 512, self._most_rows + 1 - len(self._rows))

    def take(self, portion: Iterable[Sequence[Any]]) -> bool:
        """Whether more are wanted. Raises `ResultTooLarge`."""
        for row in portion:
            if len(self._rows) >= self._most_rows:
                self.truncated = True
                return False
            values = dict(zip(self.columns, map(plain, row), strict=True))
            self._left -= len(msgspec.json.encode(values))
            if self._left < 0:
                raise too_large(self._subject)
            self._rows.append(values)
        return True

    def result(self, changed: int | None = None) -> ToolResult:
        """`changed` is how many rows a write has touched."""
        data: dict[str, Any] = {"columns": list(self.columns), "rows": self._rows, "truncated": self.truncated}
        if changed is not None:
            data["changed"] = changed
        return ToolResult(pieces=(Text(self._table(changed)),), structured=data)

    def _table(self, changed: int | None) -> str:
        said = [] if changed is None else [f"{changed} rows changed"]
        if self.columns:
            shown = self._rows[:_MOST_SHOWN]
            said.append(" | ".join(map(_cell, self.columns)))
            said += [" | ".join(_cell(value) for value in row.values()) for row in shown]
            if left := len(self._rows) - len(shown):
                said.append(f"… and {left} more rows")
            if self.truncated:
                said.append(f"(only the first {self._most_rows} rows: ask more narrowly)")
            elif not self._rows:
                said.append("(no rows)")
        return "\n".join(said)


def failed(message: str, code: str = "") -> ToolResult:
    """The database's own error, which is an answer."""
    return ToolResult(pieces=(Text(f"the database says: {message}" + (f" ({code})" if code else "")),), failed=True)


def too_large(subject: str) -> ResultTooLarge:
    """For a result that would be larger than the system's `most_bytes`. Asking again does not help."""
    return ResultTooLarge(
        "the result is larger than `most_bytes`",
        mend="ask for fewer rows or columns, or for an aggregate",
        subject=subject,
        retryable=False,
    )


def plain(value: Any) -> Any:
    """As JSON can say it, with nothing lost: decimals and huge integers as text, dates by ISO 8601, bytes as base64."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -_LARGEST_SAFE <= value < _LARGEST_SAFE else str(value)
    if isinstance(value, float):
        return (
            value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        )
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else str(value)
    if isinstance(value, UUID | dt.timedelta):
        return str(value)
    return str(value)


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    flat = " ".join(text.replace("|", "¦").split()) if isinstance(value, str) else text
    shown = flat if len(flat) <= _WIDEST else flat[: _WIDEST - 1] + "…"
    return "NULL" if value is None else shown


def _distinct(columns: Iterable[str]) -> Iterable[str]:
    """`count`, `count_2`: rows are told by column, and a database may call two the same."""
    taken: set[str] = set()
    for column in columns:
        name, number = column, 1
        while name in taken:
            number += 1
            name = f"{column}_{number}"
        taken.add(name)
        yield name
