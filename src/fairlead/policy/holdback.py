"""How much of a growing text must wait: from the first place that may yet become a match, and not one byte more."""

from collections.abc import Sequence

from fairlead.policy.patterns import Matcher, Pattern


class Holdback:
    """The prefix patterns of all that is looked for, joined and anchored at the end of the text."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._growing = Matcher("(?:" + "|".join(each.beginning for each in patterns) + r")\z")
        self._complete = Matcher("(?:" + "|".join(each.text.replace("(?P<value>", "(?:") for each in patterns) + ")")

    def split(self, data: bytes, start: int) -> tuple[int, bool]:
        """(where to hold from, whether anything complete begins before it), for what follows `start`.

        No text that may come can change, shorten or lengthen a match that begins before the first of these.
        """
        hold = self._growing.spans(data, start)[0][0]
        found = self._complete.spans(data, start)[0][0]
        return hold, 0 <= found < hold
