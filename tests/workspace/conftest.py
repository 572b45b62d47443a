import pytest
from tests.world import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()
