"""What training leaves behind: an immutable artefact of plain numbers, named by its content."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.routing.learned.drift import Drift
from fairlead.routing.learned.head import Head, Reading
from fairlead.routing.learned.levels import Levels
from fairlead.routing.learned.means import Means

Kind = Literal["static", "learned"]
FORMAT = 1


class Learnt(Struct, frozen=True, kw_only=True):
    """Everything that a predictor knows. It holds means and weights, never a prompt.

    `kind` says whether it looks at the prompt ("learned") or at the kind of work only ("static"), `why` how that was
    decided. `within` is what prompts add to the means of known kinds of work, `across` what they add where the kind of
    work is unknown; None where prompts were not worth looking at. `widened` is what the intervals were stretched by,
    so that four in five hold, `wavers` the standard deviation that is added where prompts are looked at. `drifted`
    names the models that do not work as they used to.
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
    reading: Reading | None = None
    within: Head | None = None
    across: Head | None = None
    drifted: Mapping[str, Drift] = {}

    @property
    def version(self) -> str:
        """The hash of the content."""
        return sha256(self.encoded()).hexdigest()[:16]

    def encoded(self) -> bytes:
        """As it is kept: JSON, the same bytes for the same content."""
        return msgspec.json.encode(self, order="deterministic")


def read_learnt(kept: bytes) -> Learnt:
    """An artefact as `encoded` wrote it. Raises `BadInput` for anything else."""
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
    return learnt
