"""Bills as files: CSV, and Parquet by DuckDB (the extra `parquet`)."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType

from fairlead.errors import BadInput


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, str | None]]) -> Iterator[str]:
    """CSV as RFC 4180 has it, but with plain line ends; null is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        yield _taken(buffer)
        writer.writerow([row[name] for name in columns])
    yield _taken(buffer)


def harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text and never for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def write_parquet(columns: Mapping[str, str], rows: Iterable[Mapping[str, str | None]], path: Path) -> None:
    """Write rows with typed columns: decimals stay decimals. Raises `BadInput` where DuckDB is not installed."""
    duckdb = require_duckdb()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".bill.") as folder:  # only its owner may look into it
        plain, ready = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with plain.open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_lines(list(columns), rows))
        with duckdb.connect() as database:
            database.read_csv(
                str(plain), columns=dict(columns), auto_detect=False, header=True, delimiter=",", quotechar='"',
                escapechar='"', na_values="",
            ).write_parquet(str(ready))  # fmt: skip
        ready.replace(path)


def require_duckdb() -> ModuleType:
    """Raises `BadInput` with the mend where it is not there."""
    try:
        import duckdb
    except ImportError as missing:
        raise BadInput(
            "Parquet needs DuckDB, which is not installed",
            why=str(missing),
            mend="pip install 'fairlead[parquet]', or --format focus-csv",
        ) from missing
    return duckdb


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
