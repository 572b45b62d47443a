"""Slots: how many places something has, and how many are taken."""


class Slots:
    """`limit` None is without one. `granted` only grows: it tells whether places changed hands meanwhile."""

    __slots__ = ("granted", "limit", "used")

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.used = 0
        self.granted = 0

    @property
    def free(self) -> bool:
        """Whether there is a place."""
        return self.limit is None or self.used < self.limit

    def take(self) -> None:
        """Take a place that is known to be free."""
        self.used += 1
        self.granted += 1

    def give_back(self) -> None:
        """Give a place back."""
        self.used -= 1


def divided(limit: int | None, workers: int, rank: int) -> int | None:
    """This worker's part of a limit. Those of the first ranks get what does not divide; nobody gets less than one."""
    if limit is None:
        return None
    return max(1, limit // workers + (rank < limit % workers))
