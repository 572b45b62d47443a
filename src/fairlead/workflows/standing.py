"""What a run has done that could be undone, and whether it was, as its records alone tell it. Pure, but that it opens
what the run has sealed."""

from collections.abc import Iterator
from typing import Any

from fairlead.workflows.bundle import Bundle
from fairlead.workflows.cutting import Parts, parts_of, step_at, text_of
from fairlead.workflows.marks import begun_by, is_mark
from fairlead.workflows.opened import Opened
from fairlead.workflows.recorded import failure_in
from fairlead.workflows.walk import UNDO


def given_up(opened: Opened, bundle: Bundle, faults: int) -> dict[str, Any]:
    """What people are told of a cancelled run whose undoing has met so many faults that it is not tried any more."""
    undone, left = _by_what_came_of_it(opened, bundle)
    return {
        "message": f"cancelled, and not undone: Fairlead itself failed {faults} times in a row",
        "why": "an unforeseen fault; its log says where",
        "mend": "undo what still stands in its system, and report the fault",
        "undone": undone,
        "not_undone": [(at, "it was given up after these faults") for at in left],
    }


def _by_what_came_of_it(opened: Opened, bundle: Bundle) -> tuple[list[str], list[str]]:
    """The places of what could be undone: what was, and what was not."""
    over = {place.partition("#")[0] for place, row in opened.results.items() if row.status == "done"}
    done = dict.fromkeys(each for place in _may_stand(opened) for each in _undoable(bundle, parts_of(place)))
    undone = [at for at in done if f"{at}.{UNDO}" in over]
    return undone, [at for at in done if f"{at}.{UNDO}" not in over]


def _may_stand(opened: Opened) -> Iterator[str]:
    """The places where something was done, or may have been."""
    for place, row in opened.results.items():
        if UNDO in parts_of(place):
            continue
        if begun := begun_by(place):
            if begun not in opened.results:
                yield begun
        elif not is_mark(place) and (
            row.status == "done" or failure_in(opened.key.open(place, row.sealed)).may_be_done
        ):
            yield place


def _undoable(bundle: Bundle, parts: Parts) -> Iterator[str]:
    """The steps that say how they are undone, of the one at a place and those around it."""
    for length in range(1, len(parts) + 1):
        step = step_at(bundle, parts[:length])
        if step is not None and step.compensate is not None and parts[length - 1] == step.id:
            yield text_of(parts[:length])
