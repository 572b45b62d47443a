"""Recorded options as a predictor would have them: for whoever asks what it would have chosen. Pure."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from fairlead.routing.learned import Features, Predictor
from fairlead.tasks.decisions import Option

_PARTS: Final = 10_000


def foretold(predictor: Predictor | None, task: str, looks: Features, options: Sequence[Option]) -> list[Option]:
    """The options with what this predictor expects of them, in place of what was expected; without a predictor nothing
    is. A draw among equals is to be made anew."""
    if predictor is None:
        return [replace(one, p=None, low=None, high=None, tie=0) for one in options]
    found = predictor.predict(task, looks, [one.model for one in options])
    return [
        replace(
            one, p=round(each.p * _PARTS), low=round(each.low * _PARTS), high=round(each.high * _PARTS),
            seen=each.seen, tie=0,
        )
        for one, each in zip(options, found, strict=True)
    ]  # fmt: skip
