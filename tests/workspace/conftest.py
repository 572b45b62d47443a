import pytest


class FixedClock:
    """November 2026, for ever."""

    def now(self) -> int:
        return 1_795_000_000_000

    def monotonic(self) -> float:
        return 1.0

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
