"""Questions to a program of a revision with greetings: sent on the stream of the request that they belong to, answered
by a message of its own."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.errors import BadInput, DeadlineExceeded
from fairlead.identity import Caller
from fairlead.server.mcp.reply import Reply

_OURS: Final = "fairlead-"
_MOST_WAITS: Final = 64  # requests that wait for an approval at once; each looks once a second


class AskedBack:
    """The questions of this worker that nobody has answered yet. `waits` bounds those who wait for approvals."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.waits = asyncio.Semaphore(_MOST_WAITS)
        self._open: dict[str, tuple[tuple[str, str], asyncio.Future[Any]]] = {}

    async def ask(self, caller: Caller, reply: Reply, method: str, about: Mapping[str, Any], seconds: float) -> Any:
        """The answer. Raises `BadInput` where the program says that it has none, `DeadlineExceeded`."""
        id_ = _OURS + self._clock.random_bytes(16).hex()
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open[id_] = _who(caller), answer
        try:
            await reply.event({"id": id_, "method": method, **({"params": dict(about)} if about else {})})
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            raise DeadlineExceeded(
                f"nobody answered {method} within {seconds:g} s",
                why="a system asks the caller's program while a call is under way, and waits no longer than that",
                mend="raise the `timeout` of the system",
            ) from None
        finally:
            del self._open[id_]

    def answered(self, caller: Caller, id_: Any, result: Any, error: Any) -> bool:
        """Take an answer. False where this was not asked here, or not of this person."""
        who, answer = self._open.get(id_, (None, None)) if isinstance(id_, str) else (None, None)
        if answer is None or who != _who(caller):
            return False
        if not answer.done():
            if error is not None or not isinstance(result, Mapping):
                answer.set_exception(
                    BadInput(
                        "the caller's program gave no answer",
                        why="a system had asked it while a call was under way, and it said an error or no object",
                        mend="let the program answer what it declares that it can",
                    )
                )
            else:
                answer.set_result(result)
        return True


def _who(caller: Caller) -> tuple[str, str]:
    return caller.tenant, caller.person
