"""What training leaves behind: an immutable artefact of plain numbers, named by its content."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.routing.learned.drift import Drift
from fairlead.routing.learned.features import definition
from fairlead.routing.learned.head import Head, Reading
from fairlead.routing.learned.levels import Levels
from fairlead.routing.learned.means import Means

Kind = Literal["static", "learned"]
FORMAT = 2


class Learnt(Struct, frozen=True, kw_only=True):
    """Everything that a predictor knows. It holds means and weights, never a prompt.

    `kind` says whether it looks at the prompt ("learned") or at the kind of work only ("static"), `why` how that was
    decided. `within` is what prompts add to the means of known kinds of work, `across` what they add where the kind of
    work is unknown; None where prompts were not worth looking at. `widened` is what the intervals were stretched by,
    so that four in five hold, `wavers` the standard deviation that is added where prompts are looked at. `looks` is the
    definition of the features that it was trained with, "" where it looks at none. `drifted` names the models that do
    not work as they used to.
    """

    format: int = FORMAT
    kind: Kind
    why: str
    outcomes: int
    scores: Means
    costs: Levels
    latencies: Levels
    replies: Levels
    widened: float = 1.0
    wavers: float = 0.0
    looks: str = ""
    reading: Reading | None = None
    within: Head | None = None
    across: Head | None = None
    drifted: Mapping[str, Drift] = {}

    @property
    def version(self) -> str:
        """The hash of the content."""
        return version_of(self.encoded())

    def encoded(self) -> bytes:
        """As it is kept: JSON, the same bytes for the same content."""
        return msgspec.json.encode(self, order="deterministic")


def version_of(kept: bytes) -> str:
    """The name of an artefact as it is kept."""
    return sha256(kept).hexdigest()[:16]


def read_learnt(kept: bytes) -> Learnt:
    """An artefact as `encoded` wrote it. Raises `BadInput` for anything else, and for one that was trained with
    features that are not measured so any more: what it learnt of them would be read into others."""
    try:
        learnt = msgspec.json.decode(kept, type=Learnt)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput("this is no predictor", why=str(error), mend="train it again: fairlead routing train") from error
    if learnt.format != FORMAT:
        raise BadInput(
            f"this predictor has format {learnt.format}, and this version reads {FORMAT}",
            why="it was trained by another version",
            mend="train it again: fairlead routing train",
        )
    if learnt.reading is not None and learnt.looks != definition():
        raise BadInput(
            f"this predictor looks at prompts by the definition {learnt.looks or '(none)'}, and this is {definition()}",
            why="it was trained by a version that measures prompts otherwise",
            mend="train it again: fairlead routing train",
        )
    return learnt
