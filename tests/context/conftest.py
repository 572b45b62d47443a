from collections.abc import Callable

import pytest
from tests.world import FixedClock

from fairlead.context import ContextSettings, Item, read_item


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_796_000_000_000)


@pytest.fixture
def page() -> Callable[..., Item]:
    """An item from its name, its text and keys of the front matter."""

    def make(name: str, text: str, **front: str) -> Item:
        head = "".join(f"{key.rstrip('_')}: {value}\n" for key, value in front.items())
        return read_item(f"{name}.md", f"---\n{head}---\n{text}".encode(), ContextSettings())

    return make
