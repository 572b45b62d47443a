"""What stands for values that were taken out of a request: marks such as `[EMAIL_1]`, and pseudonyms."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from fairlead.policy.pseudonyms import Naming, Pseudonyms, Undo

PLACEHOLDER = re.compile(r"\[[A-Z][A-Z0-9_]{0,39}_[0-9]{1,9}\]")


class Redaction(Struct, frozen=True):
    """What stands for what: from each placeholder that was put in to the text that it stands for, and the way back from
    pseudonyms. The reply is JSON where `quoted`."""

    placeholders: Mapping[str, str] = {}
    undo: Undo | None = None
    quoted: bool = False


class Substitutes:
    """What stands for values: the same for the same value, and none that the text held already. Values of the
    categories `named` get pseudonyms."""

    def __init__(
        self, taken: str, named: frozenset[str], pseudonyms: Pseudonyms | None, *, quoted: bool = False
    ) -> None:
        self.quoted = quoted
        self._taken = frozenset(PLACEHOLDER.findall(taken))
        self._by_value: dict[tuple[str, str], str] = {}
        self._count: dict[str, int] = {}
        self.placeholders: dict[str, str] = {}
        self._named = named
        self._naming = Naming(pseudonyms, taken) if pseudonyms is not None and named else None

    @property
    def redaction(self) -> Redaction:
        """What was put in so far, and the way back."""
        return Redaction(self.placeholders, self._naming.undo if self._naming is not None else None, self.quoted)

    def __bool__(self) -> bool:
        return bool(self.placeholders) or (self._naming is not None and bool(self._naming.undo.exact))

    def __contains__(self, text: str) -> bool:
        """Whether it stands for a value."""
        return text in self.placeholders or (self._naming is not None and text in self._naming.undo.exact)

    def written_in(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Where pseudonyms stand in a part of a text."""
        return iter(()) if self._naming is None else self._naming.written_in(text, start, end)

    def name(self, category: str, value: str, *, glued: bool) -> str:
        """What stands for a value from now on. `glued`: a letter or a digit stands beside it, so that the end of a
        pseudonym could not be told."""
        if "[" in value:
            value = PLACEHOLDER.sub(lambda inner: self.placeholders.get(inner[0], inner[0]), value)
        if self._naming is not None:
            value = self._naming.undone(value)
            named = self._naming.name(category, value) if category in self._named and not glued else None
            if named is not None:
                return named
        known = self._by_value.get((category, value))
        if known is not None:
            return known
        while True:
            number = self._count[category] = self._count.get(category, 0) + 1
            name = f"[{category.upper()}_{number}]"
            if name not in self._taken:
                break
        self._by_value[category, value] = name
        self.placeholders[name] = value
        return name
