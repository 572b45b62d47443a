"""What texts say of each other: whether passages hold an answer, bear out a claim, or contradict one another. Pure."""

from fairlead.evidence.answerable import answerable, mentioned
from fairlead.evidence.by_meaning import Reader
from fairlead.evidence.claims import Pieces, supported
from fairlead.evidence.figures import differing, statements_of

__all__ = [
    "Pieces",
    "Reader",
    "answerable",
    "differing",
    "mentioned",
    "statements_of",
    "supported",
]
