"""Signing keys that follow one another: each names its successor, and the successor vouches for it.

A succession is a note that both keys have signed: "of the log O, from N records on, NEW signs in place of OLD". Who has
pinned any key of the chain can check what every other has signed, within the span for which it spoke: a key that was
replaced, and is stolen later, signs nothing new.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.audit.malformed import Malformed
from fairlead.audit.note import (
    DECIMAL,
    is_signed_by,
    parse_verifier,
    sign_note,
    split_note,
    verifier_key,
    verifier_name,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# A checkpoint begins with the log's name, in which there is no space: neither can be passed off as the other.
TITLE: Final = "fairlead signing-key succession"


class Succession(Struct, frozen=True):
    """From a log of `size` records on, the key `new` signs in place of `old`."""

    origin: str
    size: int
    old: str
    new: str


class Trusted(Struct, frozen=True):
    """A key, and the sizes of the log for which it speaks, both included; None for no end."""

    key: str
    first: int
    last: int | None


class Ring(Struct, frozen=True):
    """The keys of one log, in the order in which they signed."""

    name: str
    keys: tuple[Trusted, ...]

    def at(self, size: int) -> list[str]:
        """Those that may sign a log of this size: two where one took over."""
        return [each.key for each in self.keys if each.first <= size and (each.last is None or size <= each.last)]


def sign_succession(origin: str, size: int, old: "Ed25519PrivateKey", new: "Ed25519PrivateKey") -> str:
    """The note, signed by both. Raises Malformed for an unfit name."""
    names = [verifier_key(origin, key.public_key()) for key in (old, new)]
    return sign_note("".join(f"{line}\n" for line in (TITLE, origin, size, *names)), origin, old, new)


def read_succession(text: str) -> Succession:
    """What a succession says, once both its keys have confirmed it. Raises Malformed."""
    note = split_note(text)
    lines = note.text[:-1].split("\n")
    if len(lines) != 5 or lines[0] != TITLE or not DECIMAL.fullmatch(lines[2]):
        raise Malformed("it is no succession of signing keys", mend="give it whole, as it was written")
    said = Succession(lines[1], int(lines[2]), lines[3], lines[4])
    for key in (said.old, said.new):
        if verifier_name(key) != said.origin or not is_signed_by(note, parse_verifier(key)):
            raise Malformed(
                "a succession of signing keys does not hold: one of its keys did not sign it",
                mend="fairlead audit key shows the keys of the log",
            )
    return said


def ring_of(pinned: str, successions: Iterable[str] = ()) -> Ring:
    """The keys that a pinned one leads to, forwards and backwards. Successions of other keys are passed over.

    Raises Malformed for a malformed key or note, and where one key has named two successors.
    """
    name = verifier_name(pinned)
    said = {each for each in map(read_succession, dict.fromkeys(successions)) if each.origin == name}
    forth, back = {each.old: each for each in said}, {each.new: each for each in said}
    if len(forth) < len(said) or len(back) < len(said):
        raise Malformed(
            f"the signing keys of {name} fork: one has two successors, or two predecessors",
            why="whoever had a key has named another successor with it",
            mend="pin the key that you know to be right, without the other succession",
        )
    first, seen = pinned, {pinned}
    while (before := back.get(first)) is not None and before.old not in seen:
        first = before.old
        seen.add(first)
    keys, begin, key = list[Trusted](), 0, first
    while (after := forth.get(key)) is not None:
        keys.append(Trusted(key, begin, after.size))
        begin, key = after.size, after.new
        if len(keys) > len(said):
            raise Malformed(f"the signing keys of {name} follow one another in a circle")
    return Ring(name, (*keys, Trusted(key, begin, None)))
