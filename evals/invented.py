"""Invented series of spending by the hour, of kinds that companies have: what constants of forecasts are chosen on."""

from math import exp, pi, sin
from random import Random

KINDS = ("steady", "walking", "shifting", "weekly", "bursting", "sparse", "growing")


def families(seed: int, hours: int, each: int = 4) -> dict[str, list[float]]:
    """Some series of each kind, the same ones for the same seed."""
    drawn = Random(seed * 10_007 + hours)
    return {f"{kind}{number}": _series(drawn, kind, hours) for kind in KINDS for number in range(each)}


def _series(drawn: Random, kind: str, hours: int) -> list[float]:
    noise, swing, phase = drawn.choice((0.03, 0.1, 0.3)), drawn.uniform(0, 0.8), drawn.uniform(0, 2 * pi)
    level, today, amounts = 0.0, 0.0, []
    for hour in range(hours):
        if hour % 24 == 0:
            level += _moved(drawn, kind)
            today = drawn.gauss(0, noise)
        amount = exp(level + today + drawn.gauss(0, 2 * noise)) * (1 + swing * sin(hour * pi / 12 + phase))
        amounts.append(100 * amount * _shape(drawn, kind, hour))
    return amounts


def _moved(drawn: Random, kind: str) -> float:
    """How a level changes overnight."""
    if kind == "walking":
        return drawn.gauss(0, drawn.choice((0.05, 0.15)))
    if kind == "shifting":
        return drawn.gauss(0, 0.7) if drawn.random() < 0.08 else 0.0
    return 0.04 if kind == "growing" else 0.0


def _shape(drawn: Random, kind: str, hour: int) -> float:
    if kind == "weekly":
        return 0.4 if hour // 24 % 7 in (3, 4) else 1.0
    if kind == "bursting":
        return 60.0 if drawn.random() < 0.01 else 1.0
    if kind == "sparse":
        return 1.0 if drawn.random() < 0.1 else 0.0
    return 1.0
