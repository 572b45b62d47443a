"""How much of a growing text must wait: from the first place that may yet become a match."""

from collections.abc import Sequence

from fairlead.policy.patterns import Matcher, Pattern

_NEAR = 32  # bytes held up to which it does not matter whether a pattern could still be that wide


class Holdback:
    """The prefix patterns of all that is looked for, anchored at the end of the text: joined for the usual look, and
    one by one, each believed no further back than it is wide, for when much is held."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._joined = Matcher("(?:" + "|".join(each.beginning for each in patterns) + r")\z")
        self._single = [(Matcher(f"(?:{each.beginning})\\z"), each.reach if each.bounded else 0) for each in patterns]

    def start(self, data: bytes, at: int) -> int:
        """Where in `data` to hold from, at or after `at`.

        No text that may come can change, shorten or lengthen a match that begins before.
        """
        hold = self._joined.spans(data, at)[0][0]
        return hold if len(data) - hold <= _NEAR else self._exact(data, at)

    def _exact(self, data: bytes, at: int) -> int:
        per_character = 1 if data.isascii() else 4
        return min(
            matcher.spans(data, max(at, len(data) - width * per_character) if width else at)[0][0]
            for matcher, width in self._single
        )
