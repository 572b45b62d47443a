"""What a conversation is about: what is looked for when its last question stands on what came before. Pure."""

from collections.abc import Sequence
from typing import Final

from fairlead.models.words import stems

ALONE: Final = 4  # words with a meaning of their own: a question that has as many stands alone
_EARLIER: Final = 2  # questions that one which does not is read with
_LONGEST: Final = 600  # characters of each of them


def sought_in(question: str, earlier: Sequence[str]) -> str:
    """What the search is asked. `earlier` are the questions before, the latest first."""
    if not earlier or len(set(stems(question))) >= ALONE:
        return question
    return "\n".join((question, *(each[:_LONGEST] for each in earlier[:_EARLIER])))
