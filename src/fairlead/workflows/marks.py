"""What a run keeps beside the results of its steps: when something began, that it failed, that it was begun at all."""

from typing import Final

ORIGIN: Final = "(origin)"
"""Where a copy keeps which run it goes on from, and what it has taken over: no step can have this name."""

BEGUN: Final = "~begun"
"""Below the place of an effect that changes something and that its step says how to undo: kept before it is done."""

SENT: Final = "~sent"
"""The same of an effect that nothing undoes: a run that was cut off there and is cancelled does not go on with it."""

CHANGED: Final = "~changed"
"""Below the place of a wait: what has become of the run's context meanwhile."""

_OF_PEOPLE: Final = ("~expert", "~resolve", "~undo")


def begun_by(mark: str) -> str:
    """The place of the effect that a mark says was begun, "" for other marks."""
    path, attempt, number = mark.partition("#")
    ending = next((each for each in (f".{BEGUN}", f".{SENT}") if path.endswith(each)), "")
    return f"{path.removesuffix(ending)}{attempt}{number}" if ending else ""


def marks_of(place: str) -> tuple[str, str]:
    """Where it would be kept that the effect at a place was begun."""
    path, attempt, number = place.partition("#")
    return f"{path}.{BEGUN}{attempt}{number}", f"{path}.{SENT}{attempt}{number}"


def is_mark(place: str) -> bool:
    """Whether a place holds no step's result, but what is known of one."""
    parts = place.replace("[", ".").split(".")
    return place == ORIGIN or any(
        part.endswith("~said") or (part.startswith("~") and not part.startswith(_OF_PEOPLE)) for part in parts
    )
