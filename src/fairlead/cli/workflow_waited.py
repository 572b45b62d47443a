"""Beginning a run over HTTP. One that is kept in memory only is told of as it goes, and begun again where it was lost:
whoever asks for it is the only one who still has its input."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from fairlead.cli.asking import NoServer, posted
from fairlead.cli.output import say
from fairlead.errors import CutOff

_TRIES: Final = 6
_PAUSE: Final = 2.0  # seconds before it is begun again: a server that died is up again by then, or soon
_LOST: Final = "lost"
_UNSETTLED: Final = (_LOST, "running", "cancelling")


def begun(address: str, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The run: as it was accepted, or, where it is kept in memory only, as it ended. Raises as `posted` does."""
    found = _tried(address, path, body, key, last=False)
    for tries in range(_TRIES):
        if found is not None and ("steps" not in found or found["status"] not in _UNSETTLED):
            return found
        if found is None or found["status"] == _LOST:
            say("the run is lost with the process that walked it: it begins again from its beginning")
        time.sleep(_PAUSE)
        again = _tried(address, path, body, key, last=tries == _TRIES - 1)
        found = again if again is not None else found
    assert found is not None, "the last try raises"
    return found


def _tried(address: str, path: str, body: Mapping[str, Any], key: str, *, last: bool) -> dict[str, Any] | None:
    """None where the server went away after it had begun."""
    heard = False
    try:
        with posted(address, body, key, path=path) as answer:
            if not answer.streams:
                found: dict[str, Any] = json.loads(answer.read())
                return found
            found = {}
            for event in answer.events():
                heard = True
                if event["object"] == "workflow.step":
                    say(f"  {event['at']}: {event['status']}")
                else:
                    found = event
            return found
    except (CutOff, NoServer) as error:
        if last or not (heard or isinstance(error, CutOff)):
            raise
        return None
