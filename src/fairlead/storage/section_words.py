"""What is indexed of a section of context."""

from collections.abc import Sequence

from msgspec import Struct


class SectionWords(Struct, frozen=True):
    """The words of a section, field by field. `row` is its key in `context_section`."""

    row: int
    title: Sequence[str]
    heading: Sequence[str]
    body: Sequence[str]
