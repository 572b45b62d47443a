"""How two versions of a page differ, told by section, as a person would ask it. Pure."""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from fairlead.context.identity import Fresh, Known, align, still_says
from fairlead.context.sections import Section, split
from fairlead.context.types import Item

State = Literal["changed", "new", "gone", "rewritten", "moved"]
_FACTS: Final = (
    *("title", "owner", "audience", "data_class", "kind", "status", "topics", "verified", "verified_by"),
    *("review_by", "expires", "trusted", "source", "origin", "changed", "fields"),
)


class SectionChange(Struct, frozen=True, kw_only=True):
    """One section that is not as it was. "rewritten" says the same in other marks, "moved" stands elsewhere."""

    state: State
    heading: str
    before: str = ""
    after: str = ""


class Comparison(Struct, frozen=True, kw_only=True):
    """What differs: `facts` by the name of the key, before and after, and the sections in their order."""

    facts: tuple[tuple[str, str, str], ...] = ()
    sections: tuple[SectionChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.sections)

    def words(self) -> str:
        """In one line: `2 sections changed, 1 new; owner`."""
        counted = {state: sum(each.state == state for each in self.sections) for state in STATES}
        told = [
            f"{count} {'section' if count == 1 else 'sections'} {state}" for state, count in counted.items() if count
        ]
        return "; ".join(filter(None, (", ".join(told), ", ".join(name for name, _, _ in self.facts)))) or "nothing"


STATES: Final[tuple[State, ...]] = ("changed", "new", "gone", "moved", "rewritten")


def compare(before: Item, after: Item) -> Comparison:
    """What differs between two versions, of one page or of one that took the other's place."""
    facts = tuple(
        (name.replace("data_class", "class"), was, now)
        for name in _FACTS
        if (was := shown_fact(getattr(before, name))) != (now := shown_fact(getattr(after, name)))
    )
    return Comparison(facts=facts, sections=tuple(_sections(split(before.text), split(after.text))))


def shown_fact(value: object) -> str:
    """A fact of an item as a person reads it."""
    if isinstance(value, (frozenset, tuple)):
        return ", ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {', '.join(each)}" for key, each in sorted(value.items()))
    if isinstance(value, bool):
        return str(value).lower()
    return str(getattr(value, "name", value))


def _sections(before: Sequence[Section], after: Sequence[Section]) -> list[SectionChange]:
    known = [
        Known(identity=str(number), item="", heading=each.heading, text=each.text, meaning=each.meaning)
        for number, each in enumerate(before)
    ]
    fresh = [
        Fresh(item="", version="", ordinal=number, heading=each.heading, text=each.text, meaning=each.meaning)
        for number, each in enumerate(after)
    ]
    page = [each.meaning for each in after]
    came = [int(each) if len(each) < 12 else -1 for each in align(known, fresh)]
    found: list[tuple[float, SectionChange]] = []
    last = -1
    for place, (number, new) in enumerate(zip(came, after, strict=True)):
        if number < 0:
            found.append((place, SectionChange(state="new", heading=new.heading, after=new.text)))
            continue
        state = _state(before[number], new, page, number < last)
        last = max(last, number)
        if state:
            old = before[number]
            found.append((place, SectionChange(state=state, heading=new.heading, before=old.text, after=new.text)))
    place_of = {number: place for place, number in enumerate(came)}
    for number, old in enumerate(before):
        if number not in place_of:
            place = next((place_of[other] for other in range(number - 1, -1, -1) if other in place_of), -1)
            found.append((place + 0.5, SectionChange(state="gone", heading=old.heading, before=old.text)))
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]


def _state(old: Section, new: Section, page: list[str], out_of_order: bool) -> State | None:
    if not (old.meaning == new.meaning or still_says(old.meaning, page)):
        return "changed"
    if out_of_order:
        return "moved"
    return "rewritten" if old.text != new.text or old.heading != new.heading else None
