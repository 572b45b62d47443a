from collections.abc import Callable

import pytest

from fairlead.context import ContextSettings, Item, read_item


class FixedClock:
    def now(self) -> int:
        return 1_796_000_000_000

    def monotonic(self) -> float:
        return 1.0

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def page() -> Callable[..., Item]:
    """An item from its name, its text and keys of the front matter."""

    def make(name: str, text: str, **front: str) -> Item:
        head = "".join(f"{key.rstrip('_')}: {value}\n" for key, value in front.items())
        return read_item(f"{name}.md", f"---\n{head}---\n{text}".encode(), ContextSettings())

    return make
