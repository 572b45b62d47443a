"""Which results of a run did not pass their step's check.

A result is kept before it is checked: it was paid for, and a later walk checks it again in the same way. That it did
not pass is kept nowhere; it follows from what came after it.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from fairlead.storage.workflow_step_rows import Result

_PLACE: Final = re.compile(r"(.*?)(?:~(\d+))?(?:#(\d+))?")
_EXPERT: Final = ".~expert"
_SAID: Final = "what it gave did not pass its check"


def not_fit(
    results: Mapping[str, Result],
    asked: Collection[str],
    failure: Mapping[str, Any] | None,
    caught: Iterable[Mapping[str, Any]] = (),
) -> dict[str, dict[str, Any]]:
    """The places whose result did not pass, each with the failure as steps tell it. `asked` are the places at which
    people are asked by now; `failure` is what was told of a run that failed; `caught` is the same of failures whose
    step's `otherwise` took its place.

    Nothing is tried again after a result but what did not pass; after that an expert is asked, or the run fails there.
    """
    anew, tried = set(map(_step_of, asked)), dict[str, list[str]]()
    for place, row in results.items():
        if row.status == "done":
            tried.setdefault(_step_of(place), []).append(place)
    found = dict[str, dict[str, Any]]()
    for step, places in tried.items():
        places.sort(key=_turn)
        unfit = places if step in anew else places[:-1]
        found |= {each: _error(f"{_SAID}, and it was asked again") for each in unfit}
        if f"{step}{_EXPERT}" in results or f"{step}{_EXPERT}" in asked:
            found[places[-1]] = _error(f"{_SAID}, and a person was asked")
    for each in (*caught, *filter(None, (failure,))):
        at = str(each.get("at", ""))
        last = tried.get(f"{at}{_EXPERT}") or tried.get(at)
        if each.get("kind") == "check" and last:
            found[last[-1]] = _error(each["message"], each["code"], each["mend"])
    return found


def _error(message: str, code: str = "check_failed", mend: str = "") -> dict[str, Any]:
    return {"kind": "check", "code": code, "message": message, "mend": mend}


def _step_of(place: str) -> str:
    """The step's own place, without which attempt it was."""
    found = _PLACE.fullmatch(place)
    assert found is not None
    return found[1]


def _turn(place: str) -> tuple[int, int]:
    """In which order attempts follow each other: `draft`, `draft#1`, `draft~2`."""
    found = _PLACE.fullmatch(place)
    assert found is not None
    return int(found[2] or 0), int(found[3] or 0)
