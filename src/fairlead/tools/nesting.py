"""How deep data of others may be nested: everything that looks through it goes down level by level."""

from collections.abc import Mapping
from typing import Any, Final

MOST_LEVELS: Final = 128
"""A tenth of what the interpreter bears, since a level takes several calls."""


def is_too_deep(value: Any) -> bool:
    """Whether it is nested deeper than anything here looks through."""
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for each in level
            if isinstance(each, Mapping | list | tuple)
            for inner in (each.values() if isinstance(each, Mapping) else each)
            if isinstance(inner, Mapping | list | tuple)
        ]
        if not level:
            return False
    return True
