"""What anchors are given: signed checkpoints, the statements that link signing keys, and signed lists of tombstones.

An anchor is a place that whoever owns the database does not own. Each thing is a file with a name of its own, written
once and never changed. Tombstones are delivered before the checkpoint that covers them: an anchor that has a checkpoint
over N records knows of everybody who was erased before.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from fairlead.audit import Ring, parse_checkpoint
from fairlead.audit.malformed import Malformed
from fairlead.audit.note import is_signed_by, parse_verifier, sign_note, split_note
from fairlead.audit.succession import read_succession
from fairlead.errors import BadInput, Broken
from fairlead.storage.checkpoints import known_verifier, log_origin
from fairlead.storage.custody_tables import anchored, succession
from fairlead.storage.schema import checkpoint
from fairlead.storage.store import Store
from fairlead.storage.tombstones import Tombstone, read_line, spell, tombstones
from fairlead.storage.vault import Vault

KEY_FILE: Final = "key.txt"
CHECKPOINTS: Final = "checkpoints"
SUCCESSIONS: Final = "successions"
TOMBSTONES: Final = "tombstones"
_TITLE: Final = "fairlead tombstones"
_PAGE: Final = 5000


class Standing(Struct, frozen=True):
    """How far an anchor has got. `failure` says why the last try failed, "" where it did not."""

    name: str
    size: int = 0
    tombstones: int = 0
    done_at: int = 0
    tried_at: int = 0
    failure: str = ""


class Delivery(Struct, frozen=True):
    """What an anchor lacks: files by name, in the order in which they are to be written; and how far it is then. `keys`
    are all that the log was ever signed with: the anchor stays with the one that it was given first."""

    files: tuple[tuple[str, str], ...]
    size: int
    tombstones: int
    keys: frozenset[str] = frozenset()

    def fits(self, name: str, text: str, kept: str) -> bool:
        """Whether what the anchor has under a name may stand for what it is to get. A delivery that broke off may have
        left files, and the key may have been changed since."""
        return kept.strip() in self.keys if name == KEY_FILE else kept == text


class Kept(Struct, frozen=True):
    """What an anchor has: the verifier key that it was given first, and the texts of what came since."""

    key: str = ""
    checkpoints: tuple[str, ...] = ()
    successions: tuple[str, ...] = ()
    tombstones: tuple[str, ...] = ()


def standings(store: Store) -> dict[str, Standing]:
    """Every anchor that was ever tried, by name."""
    with store.reading() as connection:
        return {row.name: Standing(*row) for row in connection.execute(anchored.select())}


def lacking(store: Store, vault: Vault, organisation: str, standing: Standing) -> Delivery | None:
    """What is to be delivered to an anchor; None if it has everything."""
    origin = log_origin(store, organisation)
    with store.reading() as connection:
        stones = tombstones(connection, standing.tombstones)[:_PAGE]
        newest = select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
        head = connection.execute(newest).first()
        newer = succession.select().where(succession.c.size >= standing.size).order_by(succession.c.size)
        links = connection.execute(newer).all()
    if not stones and (head is None or head.size <= standing.size):
        return None
    signs = known_verifier(store, origin) or vault.verifier_key(origin)
    files = [] if standing.done_at else [(KEY_FILE, signs + "\n")]
    files += [(f"{SUCCESSIONS}/{link.size:012d}.txt", link.note) for link in links]
    if stones:
        files.append(_listed(stones, _signed(origin, stones, vault)))
    size = standing.size
    if head is not None and head.size > size:
        size = int(head.size)
        files.append((f"{CHECKPOINTS}/{size:012d}.txt", head.note))
    keys = _all_keys(signs, [link.note for link in links])
    return Delivery(tuple(files), size, stones[-1].n if stones else standing.tombstones, keys)


def note_standing(connection: Connection, standing: Standing) -> None:
    """Within a writing transaction: how far an anchor has got by now."""
    connection.execute(delete(anchored).where(anchored.c.name == standing.name))
    values = {field: getattr(standing, field) for field in Standing.__struct_fields__}
    connection.execute(insert(anchored).values(values))


def _all_keys(signs: str, links: Iterable[str]) -> frozenset[str]:
    try:
        said = [read_succession(link) for link in links]
    except Malformed as error:
        raise Broken(f"a succession of signing keys was changed in the database: {error}") from error
    return frozenset({signs, *(each.old for each in said), *(each.new for each in said)})


def _listed(stones: Sequence[Tombstone], text: str) -> tuple[str, str]:
    """The name tells the text: of the same tombstones there may be lists of other keys, and beginning elsewhere."""
    return f"{TOMBSTONES}/{stones[-1].n:012d}-{sha256(text.encode()).hexdigest()[:16]}.txt", text


def _signed(origin: str, stones: Sequence[Tombstone], vault: Vault) -> str:
    lines = (_TITLE, origin, *spell(stones))
    return sign_note("".join(f"{line}\n" for line in lines), origin, vault.signing_key(origin))


def read_tombstones(texts: Iterable[str], ring: Ring) -> list[Tombstone]:
    """What signed lists say, all of them together. Raises Broken where one is not signed by a key of the log, or where
    one is missing: then nobody can know who was erased. Where two lists name different things by one number, as after
    a restore that knew of less, both are there."""
    found: set[Tombstone] = set()
    for text in texts:
        try:
            note = split_note(text)
            title, origin, *lines = note.text[:-1].split("\n")
            if title != _TITLE or origin != ring.name:
                raise Malformed(f"it is no list of tombstones of {ring.name}")
            if not sum(is_signed_by(note, parse_verifier(each.key)) for each in ring.keys):
                raise Malformed("no key of this log has signed it")
            found.update(map(read_line, lines))
        except (Malformed, BadInput, ValueError) as error:
            raise Broken(
                f"a list of tombstones in an anchor does not hold: {error}", mend="compare with the other anchors"
            ) from error
    numbers = {each.n for each in found}
    if numbers and len(numbers) != max(numbers):
        raise Broken(
            f"the lists of tombstones have gaps: {len(numbers)} of {max(numbers)} are there",
            why="somebody was erased and nobody can say who",
            mend="compare with the other anchors",
        )
    return sorted(found, key=lambda each: (each.n, each.at, each.what))


def largest(kept: Kept) -> int:
    """How many records the newest checkpoint of an anchor covers."""
    sizes = [0]
    for note in kept.checkpoints:
        try:
            sizes.append(parse_checkpoint(note).size)
        except Malformed:
            continue
    return max(sizes)
