"""Signing and checking the log of a state database: its key, its checkpoints, and the files kept beside it."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from fairlead.cli import log
from fairlead.cli.place import Place, open_vault, settings_of
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Broken
from fairlead.storage.checkpoints import Signed, keep_copy, log_origin, sign_head
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.audit import Verdict
    from fairlead.costs.record import Record


def checkpoint_folder(place: Place) -> Path:
    """Where workers keep copies of what they sign, too."""
    return place.database.parent / "checkpoints"


def log_name(place: Place, store: Store) -> str:
    """The name under which the log signs."""
    return log_origin(store, str(settings_of(place.workspace).get("organisation", "") or place.workspace.name))


def log_key(place: Place, store: Store) -> str:
    """The verifier key of the log as the database has it, made if there is none."""
    from sqlalchemy import select

    from fairlead.storage.schema import signing_key

    name = log_name(place, store)
    with store.reading() as connection:
        known = connection.execute(select(signing_key.c.verifier).where(signing_key.c.name == name)).scalar()
    return str(known) if known is not None else open_vault(place, store).verifier_key(name)


def check(place: Place, store: Store, key: str = "", kept: list[str] | None = None) -> "Verdict":
    """Check every record. Checkpoints in the data folder count beside those in the database, so that whoever can only
    write the database is found out."""
    verifier = key or log_key(place, store)
    with store.reading() as connection:
        return _checked(connection, verifier, [*_copies(place), *(kept or ())])


def _checked(connection: "Connection", verifier: str, kept: list[str]) -> "Verdict":
    from fairlead.audit import verify_records

    ledger = log.audited(connection)
    checkpoints = dict.fromkeys([*ledger.checkpoints, *kept])
    return verify_records(log.records(connection), ledger.head, checkpoints, verifier)


def _copies(place: Place) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(checkpoint_folder(place).glob("*.txt"))]


def changed_payloads(store: Store) -> list[int]:
    """Records whose payload is not the one that was recorded. A payload that is gone is none: it may be erased."""
    from sqlalchemy import select

    from fairlead.storage.schema import log as rows
    from fairlead.storage.schema import payload

    changed = []
    query = select(payload.c.seq, payload.c.ciphertext, rows.c.record).join(rows, rows.c.seq == payload.c.seq)
    with store.reading() as connection:
        for seq, ciphertext, record in connection.execute(query.order_by(payload.c.seq)).yield_per(500):
            said = _read(log.raw(record))
            if said is not None and sha256(log.raw(ciphertext)).hexdigest() != said.payload:
                changed.append(int(seq))
    return changed


def _read(record: bytes) -> "Record | None":
    """None for what is no record any more: the check of the log itself tells that."""
    import msgspec

    from fairlead.costs.record import decode_record

    try:
        return decode_record(record)
    except msgspec.DecodeError:
        return None


def sign(place: Place, store: Store) -> Signed:
    """Sign the log as it stands and keep a copy in the data folder. A log that does not hold is never signed.

    Raises `Broken` then, `BadInput` where there is nothing to sign or the master key is missing.
    """
    from fairlead.audit import verifier_key

    vault, name = open_vault(place, store), log_name(place, store)
    private = vault.signing_key(name)
    with store.reading() as connection:
        ledger = log.audited(connection)
        verdict = _checked(connection, verifier_key(name, private.public_key()), _copies(place))
    if not verdict.ok:
        raise Broken(
            f"the log does not hold and was not signed: {verdict.problems[0]}",
            why="a signature would vouch for what was changed",
            mend="fairlead audit verify tells everything that was found; compare with a backup",
        )
    if verdict.size == 0:
        raise BadInput("there is nothing to sign: the log is empty", mend='fairlead ask "What can you do?"')
    signed = sign_head(store, vault, name, checkpoint_folder(place), SystemClock().now())
    if signed is None:  # this very head is signed already
        note = ledger.checkpoints[-1]
        signed = Signed(verdict.size, note, keep_copy(checkpoint_folder(place), verdict.size, note))
    return signed
