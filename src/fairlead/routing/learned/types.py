"""What learned routing speaks of: how a prompt looks, what a model once did with one, what it is expected to do."""

from typing import Final

from msgspec import Struct


class Features(Struct, frozen=True):
    """How a prompt looks to the predictor. `numbers` are measures of the text in a fixed order, `slots` the places of
    its words and pairs of words in a hashed vocabulary, sorted, each once.

    Personal data may hide in them, so they live and die with the prompt. They never enter a record.
    """

    numbers: tuple[float, ...] = ()
    slots: tuple[int, ...] = ()


NO_FEATURES: Final = Features()
"""Of a prompt that is gone, or that nobody looks at: the kind of work speaks for it."""


class Observation(Struct, frozen=True):
    """One known outcome: how well a model did a piece of work, from 0 to 1.

    `cost` is in units of currency, `latency` in seconds, `at` in milliseconds since 1970, each None or 0 for unknown.
    `group` is the prompt's id: outcomes of one prompt are never parted between folds. `weight` is how much the outcome
    counts, 1 for a plain one. Tokens let a later change of prices reach the expected cost at once.
    """

    task: str
    features: Features
    model: str
    score: float
    cost: float | None = None
    latency: float | None = None
    group: str = ""
    at: int = 0
    weight: float = 1.0
    tokens_in: int | None = None
    tokens_out: int | None = None


class TokenPrice(Struct, frozen=True):
    """What a model's tokens cost now, in units of currency for one token."""

    sent: float
    received: float


class Prediction(Struct, frozen=True):
    """What a model is expected to do with a piece of work.

    `p` is its expected score, `low` to `high` an interval that holds the true expectation four times in five. `cost`
    is in units of currency, `latency` in seconds, None where no outcome tells. `seen` counts the outcomes of this kind
    of work with this model on which it rests; 0 says that it was inferred from other work or other models. `drifting`
    says that its latest outcomes disagree with the earlier ones: the interval is wider, and recent outcomes count more.
    """

    model: str
    p: float
    low: float
    high: float
    cost: float
    latency: float | None
    seen: int
    drifting: bool = False
