"""What every door does: find out who asks, read how the request came, and say errors in its protocol's own form."""

import logging
import math
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeVar

from fairlead.costs.told import Arrival, Left
from fairlead.errors import BadInput, Broken, FairleadError, Overloaded, Unauthenticated
from fairlead.execution import Fairlead
from fairlead.execution.deployment import Deployment
from fairlead.identity import Caller
from fairlead.lanes.rates import TooFast
from fairlead.server.http import Gone, Headers, Scope, is_loopback, only_header, read_body, respond, respond_events
from fairlead.storage.store import Away

log = logging.getLogger("fairlead.doors")

SESSION_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_OURS: Final = b"x-fairlead-"

_Asked = TypeVar("_Asked")
EncodeError = Callable[[FairleadError], bytes]
"""Writes an error as the clients of a protocol know it."""


async def authenticate(fairlead: Fairlead, scope: Scope) -> Caller:
    """Who asks. Raises `Unauthenticated`."""
    authorization = _credential(scope)
    # Where the caller is matters only for who brings no credential, or says so because its client must send one.
    nameless = authorization is None or authorization.lower() == "bearer anonymous"
    loopback = nameless and is_loopback(scope)
    client = scope.get("client")
    deployment = await fairlead.caught_up()
    return await deployment.authenticator.authenticate(authorization, loopback=loopback, client=client)


def _credential(scope: Scope) -> str | None:
    """The `authorization` header, or `x-api-key`, which clients of some protocols send in its place."""
    authorization, key = only_header(scope, b"authorization"), only_header(scope, b"x-api-key")
    if key is None:
        return authorization
    if authorization is None:
        return f"Bearer {key}"
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or given != key:
        raise Unauthenticated(
            "the request has two credentials",
            why="authorization and x-api-key differ, and which was meant is not ours to guess",
            mend="send one of them",
        )
    return authorization


async def received(fairlead: Fairlead, scope: Scope, receive: Any, door: str, max_body: int) -> tuple[Caller, Arrival]:
    """The caller, and how the action came in. Raises `Unauthenticated`, `BadInput`, or `Gone` if the client left.

    A stranger's body is never read: it would fill memory before anybody has said who sends it.
    """
    started = time.perf_counter_ns()
    caller = await authenticate(fairlead, scope)
    authenticated = time.perf_counter_ns() - started
    body = await read_body(receive, max_body)
    said = {name: value for name, value in scope["headers"] if name.startswith(_OURS)}
    if not said:
        return caller, Arrival(door=door, body=body, authenticated_ns=authenticated, flow="")
    session = _name(said, b"x-fairlead-session")
    arrival = Arrival(
        door=door,
        body=body,
        authenticated_ns=authenticated,
        deadline=_deadline(said.get(b"x-fairlead-deadline")),
        dry_run=_dry_run(said.get(b"x-fairlead-dry-run")),
        session=session,
        affinity=session,
        flow=_name(said, b"x-fairlead-flow") or session,
        work=_name(said, b"x-fairlead-work"),
    )
    return caller, arrival


def _deadline(given: bytes | None) -> float | None:
    if given is None:
        return None
    text = given.decode("latin-1")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 86_400:
        raise BadInput(
            f"x-fairlead-deadline is {text!r}",
            why="it says for how many seconds the answer is of use, and a day is the most",
            mend="give seconds, more than 0 and at most 86400, or leave the header out",
        )
    return seconds


def _dry_run(given: bytes | None) -> bool:
    if given in (None, b"", b"false"):
        return False
    if given != b"estimate":
        raise BadInput(
            f"x-fairlead-dry-run is {given.decode('latin-1')!r}",
            why='the one dry run there is, is "estimate", and to call a model instead would cost money',
            mend='send "estimate", or leave the header out',
        )
    return True


def _name(said: dict[bytes, bytes], header: bytes) -> str:
    """What a header names, "" where it is not there. Raises `BadInput`."""
    given = said.get(header)
    return "" if given is None else fit_name(given.decode("latin-1"), header.decode())


def fit_name(name: str, where: str) -> str:
    """The name, if it is fit for a conversation, a flow or a piece of work. Raises `BadInput`."""
    if SESSION_NAME.fullmatch(name) is None:
        raise BadInput(
            f"{where} is {name[:80]!r}",
            why="it is a name of up to 128 letters, digits and . _ : -",
            mend="give such a name, or leave it out",
        )
    return name


def refuse_session(arrival: Arrival, mend: str) -> None:
    """Raises `BadInput` at a door whose requests belong to no session: what was said before would be missing."""
    if arrival.session:
        raise BadInput(
            "x-fairlead-session has no meaning here",
            why="sessions are kept for chat completions and Messages",
            mend=mend,
        )


def refuse_dry_run(arrival: Arrival, why: str) -> None:
    """Raises `BadInput` at a door where there is nothing to price: what was sent to be tried out would be done."""
    if arrival.dry_run:
        raise BadInput("x-fairlead-dry-run has no meaning here", why=why, mend="leave the header out")


async def answered(
    fairlead: Fairlead,
    scope: Scope,
    send: Any,
    door: str,
    encode_error: EncodeError,
    work: Callable[[Caller], Awaitable[bytes]],
) -> None:
    """Answer whoever asks, without a body and without an action, with what `work` gives for them. Who may not ask is
    recorded; every error is said in the door's own format."""
    try:
        caller = await authenticate(fairlead, scope)
        fairlead.current_for(caller)
    except FairleadError as error:
        await fairlead.refusals.record(door, error)
        await refuse(send, error, encode_error)
        return

    async def answer() -> None:
        await respond(send, 200, await work(caller))

    await guarded(send, door, encode_error, answer())


async def posted(
    fairlead: Fairlead,
    scope: Scope,
    receive: Any,
    send: Any,
    door: str,
    encode_error: EncodeError,
    *,
    max_body: int,
    no_dry_run: str,
    read: Callable[[Arrival], _Asked],
    work: Callable[[Deployment, Caller, _Asked], Awaitable[bytes | AsyncIterator[bytes]]],
) -> None:
    """As `answered`, for what comes with a body, of which `read` makes what is asked. `no_dry_run` says why nothing can
    be tried out here. What `work` gives piece by piece is a stream of events."""
    try:
        caller, arrival = await received(fairlead, scope, receive, door, max_body)
        deployment = fairlead.current_for(caller)
        refuse_dry_run(arrival, no_dry_run)
        asked = read(arrival)
    except Gone:
        return
    except FairleadError as error:
        await fairlead.refusals.record(door, error)
        await refuse(send, error, encode_error)
        return

    async def answer() -> None:
        made = await work(deployment, caller, asked)
        if isinstance(made, bytes):
            await respond(send, 200, made)
        else:
            await respond_events(send, made)

    await guarded(send, door, encode_error, answer())


async def guarded(send: Any, door: str, encode_error: EncodeError, work: Awaitable[None]) -> None:
    """Do the work; every error of it is said in the door's own format, and never as a bare 500."""
    try:
        await work
    except FairleadError as error:
        await refuse(send, error, encode_error)
    except Exception:
        log.exception("a request at door %s broke", door)
        await refuse(send, broken(), encode_error)


def broken() -> Broken:
    """What a client is told of a fault that nobody foresaw: nothing of it but that it is ours."""
    return Broken(
        "Fairlead itself failed", why="an unforeseen fault; its log holds the details", mend="please report it"
    )


def told(error: FairleadError) -> FairleadError:
    """What a client is told of an error: where the state database cannot be used, neither where that is nor what its
    server said. The log has both."""
    if not isinstance(error, Away):
        return error
    log.error("a request found no state database: %s (%s)", error.message, error.why)
    return Away(
        "the state database cannot be used just now",
        why="it is locked or full, or its server is down",
        mend="try again shortly; if it lasts, whoever runs this Fairlead finds the cause in its log and by "
        "`fairlead doctor`",
    )


async def refuse(
    send: Any, error: FairleadError, encode_error: EncodeError, *, media_type: bytes = b"application/json"
) -> None:
    """Answer with an error."""
    headers: Headers = []
    error = told(error)
    if isinstance(error, Away):
        headers.append((b"retry-after", b"1"))
    elif isinstance(error, Overloaded):
        headers.append((b"retry-after", str(max(1, math.ceil(error.retry_after))).encode()))
        if isinstance(error, TooFast):
            headers += left_headers(error.left)
    elif error.status in (429, 401):
        # Clients retry a 429 by themselves; a spent budget or a wrong key will not change within a second.
        headers.append((b"x-should-retry", b"false"))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="fairlead"'))
    if error.run:
        headers.append((b"x-fairlead-run", error.run.encode()))
    await respond(send, error.status, encode_error(error), headers, media_type=media_type)


def left_headers(left: Left) -> Headers:
    """What is left of a limit, in the words that clients know."""
    said = {"limit": f"{left.limit:g}", "remaining": f"{left.left:.0f}", "reset": f"{math.ceil(left.reset)}s"}
    return [(f"x-ratelimit-{what}-{left.unit}".encode(), text.encode()) for what, text in said.items()]
