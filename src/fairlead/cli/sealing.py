"""Signing and checking the log of a place: under which name and key, and with which copies of its checkpoints."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec

from fairlead.audit import Ring, Verdict, ring_of
from fairlead.audit.malformed import Malformed
from fairlead.cli.opening import log_of, open_vault
from fairlead.cli.place import Place, settings_of
from fairlead.clock import SystemClock
from fairlead.costs.record import Record, decode_record
from fairlead.errors import BadInput
from fairlead.storage.checkpoints import (
    Signed,
    check_log,
    copies,
    known_verifier,
    log_origin,
    sign_checked,
    successions,
)
from fairlead.storage.store import Store


@contextmanager
def in_words() -> Iterator[None]:
    """What the arithmetic of the log finds malformed, said as every error of a command is."""
    try:
        yield
    except Malformed as error:
        raise BadInput(error.message, why=error.why, mend=error.mend, subject="audit") from error


def checkpoint_folder(place: Place) -> Path:
    """Where workers keep copies of what they sign, too."""
    return place.beside / "checkpoints"


def log_name(place: Place, store: Store) -> str:
    """The name under which the log signs."""
    return log_origin(store, str(settings_of(place.workspace).get("organisation", "") or place.workspace.name))


def known_key(store: Store) -> str | None:
    """The verifier key with which the log signs now, None before it is made."""
    return known_verifier(store, log_origin(store, ""))


def log_key(place: Place, store: Store) -> str:
    """The verifier key of the log as the database has it, made if there is none."""
    name = log_name(place, store)
    return known_verifier(store, name) or open_vault(place, store).verifier_key(name)


def links_of(store: Store) -> tuple[str, ...]:
    """The statements by which signing keys have followed one another."""
    return successions(store)


def ring_in(store: Store, key: str) -> Ring:
    """The keys that this one leads to, by the successions that the database has."""
    return ring_of(key, successions(store))


def check(place: Place, store: Store, key: str = "", kept: Iterable[str] = (), links: Iterable[str] = ()) -> Verdict:
    """Check every record, under this verifier key or the database's own. `kept` are checkpoints and `links` successions
    of keys that were kept elsewhere."""
    with in_words():
        return check_log(store, key or log_key(place, store), [*copies(checkpoint_folder(place)), *kept], links)


def sign(place: Place, store: Store) -> Signed:
    """Check the log, sign it, and keep a copy in the data folder. See `storage.checkpoints.sign_checked`."""
    vault = open_vault(place, store)
    return sign_checked(store, vault, log_name(place, store), checkpoint_folder(place), SystemClock().now())


def changed_payloads(store: Store) -> list[int]:
    """Records whose payload is not the one that was recorded. A payload that is gone is none: it may be erased."""
    changed = []
    with log_of(store).at_one_moment() as moment:
        for kept, record in moment.payloads():
            said = _read(record)
            if said is not None and sha256(kept.ciphertext).hexdigest() != said.payload:
                changed.append(kept.seq)
    return changed


def _read(record: bytes) -> Record | None:
    """None for what is no record any more: the check of the log itself tells that."""
    try:
        return decode_record(record)
    except msgspec.DecodeError:
        return None
