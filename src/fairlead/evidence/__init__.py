"""What texts say of each other: whether passages hold an answer, bear out a claim, or contradict one another. Pure."""

from fairlead.evidence.answerable import answerable, mentioned

__all__ = ["answerable", "mentioned"]
