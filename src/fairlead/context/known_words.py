"""Where the words of questions stand, kept in memory as long as there is room: first as the index tells it, then as far
as each set of rights may see it, so that a question costs as much as is visible of its words."""

from typing import TYPE_CHECKING

from fairlead.context.ranking import Postings, Visible, Word, postings_of, visible_of, word_of
from fairlead.kept import Kept
from fairlead.storage import word_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

_KEPT_POSTINGS = 2_000_000  # eight bytes each
_KEPT_VISIBLE = 2_000_000
_KEPT_RIGHTS = 256


class KnownWords:
    """The words of one snapshot. For one thread at a time."""

    def __init__(self, number_of: "Mapping[int, int]", lengths: "Sequence[int]", access_of: "Sequence[int]") -> None:
        """`number_of` gives a section's number by its key in the database."""
        self._number_of = number_of.get
        self._lengths = lengths
        self._access_of = access_of
        self._postings = Kept[str, Postings](_KEPT_POSTINGS)
        self._words = Kept[tuple[frozenset[int], str], Word](_KEPT_VISIBLE)
        self._visible = Kept[frozenset[int], Visible](_KEPT_RIGHTS)

    def visible(self, allowed: frozenset[int]) -> Visible:
        """What may be read by who may read the accesses of these numbers."""
        found = self._visible.get(allowed)
        return found or self._visible.keep(allowed, visible_of(self._access_of, allowed), 1)

    def word(self, connection: "Connection", word: str, allowed: frozenset[int]) -> Word:
        """A word as far as it is visible to them."""
        found = self._words.get((allowed, word))
        if found is not None:
            return found
        seen = word_of(self._read(connection, word), self.visible(allowed))
        return self._words.keep((allowed, word), seen, len(seen.sections) + 1)

    def _read(self, connection: "Connection", word: str) -> Postings:
        found = self._postings.get(word)
        if found is not None:
            return found
        number_of = self._number_of
        stands = ((number_of(row), field) for row, field in word_index.occurrences(connection, word))
        read = postings_of(((number, field) for number, field in stands if number is not None), self._lengths)
        return self._postings.keep(word, read, len(read.sections) + 1)
