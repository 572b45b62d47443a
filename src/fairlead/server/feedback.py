"""`POST /v1/feedback`: how well a run was done, said by somebody afterwards."""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.execution import Fairlead
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import looked_at
from fairlead.identity import Caller
from fairlead.labels import Labels
from fairlead.learning.feedback import DOOR, SCORE, Feedback, Said
from fairlead.server.door import posted
from fairlead.server.http import Scope
from fairlead.server.openai.errors import encode_error
from fairlead.server.reading import decoded
from fairlead.storage.types import NewOutcome

PATH: Final = "/v1/feedback"
_encode = msgspec.json.Encoder().encode


class FeedbackBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a run: a score or a thumb, a correction, or both. A correction alone says that it was wrong."""

    run: str
    score: float | None = None
    thumbs: Literal["up", "down"] | None = None
    correction: str = ""


_decoder = msgspec.json.Decoder(FeedbackBody)


class GiveFeedback:
    """`POST /v1/feedback`."""

    def __init__(self, fairlead: Fairlead, feedback: Feedback, max_body: int) -> None:
        self._fairlead = fairlead
        self._feedback = feedback
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        journal, workers = self._fairlead.ledger.journal, self._fairlead.rates.workers

        async def give(deployment: Deployment, caller: Caller, said: Said) -> bytes:
            async def look(text: str) -> Labels:
                return (await looked_at(deployment.policy, (text,)))[text].labels

            return _encode(_told(await self._feedback.give(journal, caller, said, look=look, workers=workers)))

        await posted(
            self._fairlead,
            scope,
            receive,
            send,
            DOOR,
            encode_error,
            max_body=self._max_body,
            no_dry_run="what is said of a run costs nothing, and is kept once it is said",
            read=lambda arrival: _said(decoded(_decoder, arrival.body, "feedback")),
            work=give,
        )


def _said(body: FeedbackBody) -> Said:
    if body.score is not None and body.thumbs is not None:
        raise BadInput(
            "the request has both score and thumbs",
            why="which of the two was meant is not ours to guess",
            mend="send one of them",
            param="thumbs",
        )
    if body.score is None and body.thumbs is None and not body.correction.strip():
        raise BadInput(
            "the request says nothing of the run",
            why="a run is improved by what is said of it, and nothing was",
            mend="send score, from 0 to 1, thumbs or correction",
            param="score",
        )
    score = body.score if body.score is not None else float(body.thumbs == "up")
    return Said(run=run_of(body.run), score=score, correction=body.correction.strip())


def run_of(name: str) -> str:
    """The run behind what a client knows of a reply: its run, or the id of the reply itself."""
    before, mark, rest = name.partition("run_")
    if mark:
        return mark + rest
    kind, mark, rest = before.partition("_")
    return f"run_{rest}" if mark and kind in ("resp", "msg") else name


def _told(done: NewOutcome) -> dict[str, Any]:
    return {
        "object": "feedback",
        "id": done.entry,
        "run": done.run,
        "score": done.score / SCORE,
        "source": done.source,
        "task": done.task,
        "model": done.model,
    }
