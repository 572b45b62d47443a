"""What a run keeps beside the results of its steps: when something began, that it failed, that it was begun at all."""

from typing import Final

ORIGIN: Final = "(origin)"
"""Where a copy keeps which run it goes on from, and what it has taken over: no step can have this name."""

BEGUN: Final = "~begun"
"""Below the place of an effect that changes something: kept before it is done."""

CHANGED: Final = "~changed"
"""Below the place of a wait: what has become of the run's context meanwhile."""

_OF_PEOPLE: Final = ("~expert", "~resolve", "~undo")


def is_mark(place: str) -> bool:
    """Whether a place holds no step's result, but what is known of one."""
    parts = place.replace("[", ".").split(".")
    return place == ORIGIN or any(
        part.endswith("~said") or (part.startswith("~") and not part.startswith(_OF_PEOPLE)) for part in parts
    )
