"""The choice of a model as a plain record: all that it was made from, in whole numbers, so that anybody can make it
again from the record alone. No word of a request, nothing hashed of one, and no vendor stands in it.

Fields stand in alphabetical order, so that encoding is canonical JSON (see `costs.record`).
"""

from msgspec import Struct

from fairlead.tasks.objectives import Objective


class Option(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that may and can do it, and what is expected of it.

    `cost` is in nano-units, `latency` in milliseconds, `p`, `low` and `high` (the expected score, and the interval that
    holds it four times in five) in ten-thousandths; None where nothing is known. `seen` counts the outcomes of this
    kind of work with this model that it rests on. `declared` is its place in the declared order, `room` 0 where the
    input fits for sure, 1 where it may not, 2 where the model could only say that it does not know. `tie` orders those
    that are alike in all of this, by a draw.
    """

    cost: int
    declared: int = 0
    high: int | None = None
    latency: int | None = None
    low: int | None = None
    model: str
    p: int | None = None
    room: int = 0
    seen: int = 0
    tie: int = 0

    def covers(self, model: str) -> bool:
        """Whether a model, as records name it, is this one or a deployment of it."""
        return model == self.model or model.startswith(f"{self.model}/")


class Ladder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a cascade goes through the candidates of a decision: at most so many steps up. `models` is the order, where
    that is declared; else those that are expected to cost less come before the first, the cheapest first."""

    at_most: int
    models: tuple[str, ...] = ()


class Decision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The candidates in the order in which they are tried, what the choice followed, and the version of the predictor
    ("" for none).

    `propensity` is how likely the first candidate was to come first, in millionths; 0 where nothing was left to chance.
    Where chance put it there, it is `explored`, and the others stand as the objective has them. `novel` says that the
    request is like none of those that the predictor learnt from. `outside` counts the candidates at the end that are
    outside of a bound. With a `cascade` the candidates are tried in another order, which follows from them and from it.
    """

    candidates: tuple[Option, ...]
    cascade: Ladder | None = None
    explored: bool = False
    novel: bool = False
    objective: Objective
    outside: int = 0
    predictor: str = ""
    propensity: int = 0
