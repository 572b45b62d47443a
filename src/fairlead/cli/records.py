"""What stands in a row of the log, for people and programs that read it at the command line."""

from typing import TYPE_CHECKING

import msgspec

from fairlead.costs.record import Record, decode_record
from fairlead.errors import Broken

if TYPE_CHECKING:
    from fairlead.storage.log import LogRow


def record_of(row: "LogRow") -> Record:
    """The record. Raises `Broken` for bytes that are none: somebody changed the database."""
    try:
        return decode_record(row.record)
    except msgspec.DecodeError as error:
        raise Broken(
            f"record {row.seq} of the log cannot be read",
            why=str(error),
            mend="fairlead audit verify tells what was changed; compare with a backup",
            subject=str(row.seq),
        ) from error
