"""Doing things side by side so that it comes out alike each time: nobody is cut off in the middle of an effect, and of
several failures the first as written counts."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fairlead.workflows.scope import Halt
from fairlead.workflows.walk import Cancelled, Parked, Place, StepFailed, Waiting

_Made = TypeVar("_Made")


class Halted(Exception):
    """Something beside this has failed, so nothing new is begun here."""


_FORESEEN = (StepFailed, Parked, Cancelled, Halted)


async def together(makers: Sequence[Callable[[], Coroutine[Any, Any, _Made]]], halt: Halt, at_once: int) -> list[_Made]:
    """What each gives, in their order. Where one fails, `halt` is pulled and the others end at their next effect.

    Raises, of what came out: a fault, `Cancelled`, the first failure, `Parked` with all that is waited for, `Halted`.
    """
    outcomes: list[Any] = [Halted()] * len(makers)
    numbers = iter(range(len(makers)))

    async def worker() -> None:
        for number in numbers:
            try:
                outcomes[number] = await makers[number]()
            except _FORESEEN as error:
                outcomes[number] = error
                if isinstance(error, StepFailed | Cancelled):
                    halt.pull()

    await gathered([worker() for _ in range(min(at_once, len(makers)))])
    settle(outcomes)
    return outcomes


async def gathered(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Wait for all. A fault in one, or the end of whoever waits, ends the others."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def settle(outcomes: Sequence[Any]) -> None:
    """Raises what counts of what came out: `Cancelled` before `StepFailed`, and either before `Parked`."""
    for kind in (Cancelled, StepFailed):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                raise outcome
    parked = [outcome for outcome in outcomes if isinstance(outcome, Parked)]
    if parked:
        waiting: list[tuple[Place, Waiting]] = [each for one in parked for each in one.waiting]
        raise Parked(tuple(waiting))
    for outcome in outcomes:
        if isinstance(outcome, Halted):
            raise outcome


async def each_after(follows: Sequence[tuple[int, ...]], work: Callable[[int], Awaitable[None]], halt: Halt) -> None:
    """Do each piece of work once all that it follows is done. Raises as `together` does."""
    ends = [asyncio.Event() for _ in follows]
    outcomes: list[Any] = [None] * len(follows)

    async def one(number: int) -> None:
        try:
            for each in follows[number]:
                await ends[each].wait()
            if any(outcomes[each] is not None for each in follows[number]):
                outcomes[number] = Halted()
                return
            await work(number)
        except _FORESEEN as error:
            outcomes[number] = error
            if isinstance(error, StepFailed | Cancelled):
                halt.pull()
        finally:
            ends[number].set()

    await gathered([one(number) for number in range(len(follows))])
    settle(outcomes)
