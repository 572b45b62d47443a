"""Who could not start: the queue was full, or the wait too long."""

import math

from fairlead.errors import Overloaded


class LaneFull(Overloaded):
    """As many already wait in this lane as may, and this caller has no less waiting than the others.

    Retry after the seconds given in `Retry-After`. Nothing was spent, and no money was held.
    """

    code = "lane_full"

    def __init__(self, lane: str, retry_after: float) -> None:
        super().__init__(
            f"as many as may are waiting in the lane {lane!r}",
            why=f"`lanes.names.{lane}.waiting` bounds the queue; the newest of who has most waiting is refused",
            mend="retry after a while; if it lasts, raise `running` or `waiting` of the lane",
            retry_after=retry_after,
            step="reserve",
        )


class AtLimit(Overloaded):
    """Each deployment that may answer was sent as much as it takes in a minute, by `requests_per_minute` and
    `tokens_per_minute` or by what its server says.

    Retry after the seconds given in `Retry-After`. Nothing was spent, and no money was held.
    """

    code = "at_limit"
    status = 429

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(
            f"every deployment that may answer was sent as much as it takes in a minute, {name} the next to be asked",
            why="what was declared of its limits, or what its server says of them, leaves no room for this call",
            mend=f"ask again in {math.ceil(retry_after)} s, or add a deployment under `models:`",
            retry_after=retry_after,
            step="reserve",
        )


class WaitedTooLong(Overloaded):
    """No place came free within the lane's `wait`, or before the action's deadline.

    Retry after the seconds given in `Retry-After`. Nothing was spent, and no money was held.
    """

    code = "waited_too_long"

    def __init__(self, lane: str, waited: float, retry_after: float) -> None:
        super().__init__(
            f"no place came free in the lane {lane!r} within {waited:g} s",
            why="others hold all places that this action needs",
            mend="retry after a while; if it lasts, raise `running` of what is short; `fairlead queues` shows it",
            retry_after=retry_after,
            step="reserve",
        )
