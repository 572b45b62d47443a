"""The day while it lasts: who can ask, what the stand-ins have received, what stands in the log."""

import json
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from fairlead.cli.asking import posted
from fairlead.cli.demonstration.company import Company
from fairlead.cli.demonstration.stand_in import StandIn
from fairlead.cli.demonstration.story import Asked, Story, as_asked
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.records import record_of
from fairlead.cli.sealing import sign
from fairlead.costs.record import Record
from fairlead.errors import FairleadError

# By the names of their keys.
PEOPLE: Final = {
    "till": "The till at Harbour Gate",
    "people": "The people team",
    "office": "The board office",
    "marketing": "The newsletter desk",
    "you": "You",
}


class Day:
    """Asks in people's names over HTTP, and tells what comes of it."""

    def __init__(self, company: Company, url: str, small: StandIn, large: StandIn, story: Story) -> None:
        self.company = company
        self.small = small
        self.large = large
        self.story = story
        self._url = url

    def ask(self, name: str, question: str, model: str = "auto") -> Asked:
        """Ask with somebody's key, as any client would; an answer and a refusal are both told."""
        began = time.perf_counter()
        try:
            reply = self._post(name, question, model, {})
        except FairleadError as error:
            asked = Asked(
                who=PEOPLE[name],
                question=question,
                run=error.run,
                milliseconds=_since(began),
                code=error.code,
                step=error.step,
                message=error.message,
                why=_first_reason(error.why),
            )
        else:
            asked = as_asked(PEOPLE[name], question, reply, _since(began))
        self.story.asked(asked)
        return asked

    def estimate(self, name: str, question: str) -> Mapping[str, Any]:
        """What a question would cost with every model that may answer. Nothing is sent to any model."""
        return self._post(name, question, "auto", {"x-fairlead-dry-run": "estimate"})

    def _post(self, name: str, question: str, model: str, headers: Mapping[str, str]) -> dict[str, Any]:
        body = {"model": model, "messages": [{"role": "user", "content": question}]}
        with posted(self._url, body, self.company.keys[name], headers) as reply:
            answer: dict[str, Any] = json.loads(reply.read())
        return answer

    def records(self, run: str) -> list[Record]:
        """What the log says of a run: its failed attempts, then the action itself."""
        with closing(open_store(self.company.place)) as store:
            return [record_of(row) for row in log_of(store).of_run(run)]

    def sign(self) -> int:
        """Sign the log as it stands, as `fairlead audit checkpoint` does. Gives how many records that covers."""
        with closing(open_store(self.company.place)) as store:
            return sign(self.company.place, store).size


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _first_reason(why: str) -> str:
    """Of reasons that are given model by model, the first model's first: the others say much the same."""
    first, _, others = why.partition("; ")
    return first.partition(": ")[2] or first if others else why
