"""`/v1/context/proposals`: what this caller would have pages say, and what others propose for pages that are theirs.

Proposing has the meaning of `fairlead context propose`. No answer is given here: to accept one changes a page of the
workspace, which lies in a folder and not in a worker.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, structs

from fairlead.context.upkeep.proposals import Proposals
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput
from fairlead.execution import Fairlead
from fairlead.execution.deployment import Deployment
from fairlead.execution.proposing import STATES, Pages, Seen, Wish, edit_of, own_answers, plain, seen_by, shown_to
from fairlead.identity import Caller
from fairlead.server.door import answered, posted, refuse_session
from fairlead.server.http import Scope, read_query
from fairlead.server.openai.errors import encode_error
from fairlead.server.reading import decoded

if TYPE_CHECKING:
    from fairlead.storage.request_rows import State

PATH: Final = "/v1/context/proposals"
_DOOR: Final = "fairlead.proposals"
_encode = msgspec.json.Encoder().encode


class ProposalBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wants a page to say."""

    item: str
    instead: str | None = None
    text: str | None = None
    whole: str | None = None
    reason: str = ""
    run: str = ""


_decoder = msgspec.json.Decoder(ProposalBody)


def read_request(body: bytes) -> Wish:
    """What is wished. Raises `BadInput`."""
    said = decoded(_decoder, body, "proposals")
    return Wish(**structs.asdict(said))


def _wish(arrival: Arrival) -> Wish:
    refuse_session(arrival, "leave the header out")
    return read_request(arrival.body)


class Propose:
    """`POST /v1/context/proposals`. Sent twice it is one proposal: its id follows from who proposes what for which
    version."""

    def __init__(self, fairlead: Fairlead, proposals: Proposals, max_body: int) -> None:
        self._fairlead = fairlead
        self._proposals = proposals
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def propose(deployment: Deployment, caller: Caller, wish: Wish) -> bytes:
            return _encode(await asyncio.to_thread(self._propose, deployment, caller, wish))

        await posted(
            self._fairlead,
            scope,
            receive,
            send,
            _DOOR,
            encode_error,
            max_body=self._max_body,
            no_dry_run="a proposal costs nothing, and changes no page before its owner accepts it",
            read=_wish,
            work=propose,
        )

    def _propose(self, deployment: Deployment, caller: Caller, wish: Wish) -> dict[str, Any]:
        proposals = self._proposals
        pages = Pages(proposals.store, deployment.context.snapshot, deployment.policy)
        answers = None
        if wish.run:
            answers = own_answers(proposals.store, wish.run, caller, proposals.subject(caller.person))
        page, edit = edit_of(pages, caller, wish, answers)
        made = proposals.propose(caller.person, page, edit)
        seen, _ = shown_to(deployment, proposals, caller, made.id)
        return plain(seen)


class ShownProposals:
    """`GET /v1/context/proposals` and `GET /v1/context/proposals/ID`."""

    def __init__(self, fairlead: Fairlead, proposals: Proposals) -> None:
        self._fairlead = fairlead
        self._proposals = proposals

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def shown(caller: Caller) -> bytes:
            return await asyncio.to_thread(self._shown, self._fairlead.current_for(caller), caller, scope)

        await answered(self._fairlead, scope, send, _DOOR, encode_error, shown)

    def _shown(self, deployment: Deployment, caller: Caller, scope: Scope) -> bytes:
        id_ = scope["raw_path"].decode("latin-1").removeprefix(PATH).removeprefix("/")
        if id_:
            return _encode(_whole(*shown_to(deployment, self._proposals, caller, id_)))
        found = seen_by(deployment, self._proposals, caller, _states(read_query(scope)))
        return _encode({"object": "list", "data": [plain(each) for each in found]})


def _states(query: dict[str, list[str]]) -> "list[State]":
    state = query.get("state", ["open"])[-1]
    states = [each for each in STATES if state in (each, "all")]
    if not states:
        raise BadInput(
            f"state is {state[:80]!r}",
            why="proposals are in no such state",
            mend=f"one of {', '.join(STATES)}, or all",
            param="state",
        )
    return states


def _whole(seen: Seen, edit: Any) -> dict[str, Any]:
    """With what stands on the page only while they may read it: what they wrote themselves is their own."""
    told = {**plain(seen), "by": edit.by, "reason": edit.reason, "run": edit.run, "answer": edit.answer}
    return {**told, "read": edit.read, "wanted": edit.wanted} if seen.readable else told
