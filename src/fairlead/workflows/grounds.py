"""Whether what a model or an agent gave is borne out by what it was told and has read: every number exactly, every
statement by its words.

A number may be written otherwise (`1,234.50`, `1.234,50`), and has to stand there: one that was reckoned does not.
Words of a text that states something are looked for as `policy.grounding` does; short names are not.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final

from fairlead.models.types import Passage
from fairlead.policy.grounding import support, without_marks
from fairlead.workflows.walk import StepResult

SOURCES: Final = "sources"
"""What `check.grounded` says where a step has to rest on whatever it was made from."""

_NUMBER: Final = re.compile(r"\d+(?:[.,'\u00a0\u202f]\d+)*")
_SEPARATOR: Final = re.compile(r"[.,'\u00a0\u202f]")
_EXACT: Final = Context(prec=10_000)  # the usual one rounds, and makes one of two long numbers
_MOST_NAMED: Final = 5
_LONGEST_NAMED: Final = 40


def unborne(result: StepResult, sources: Sequence[str]) -> list[str]:
    """What of a result is in none of these texts, for people and models to read."""
    known = frozenset(reading for text in sources for found in _NUMBER.findall(text) for reading in _readings(found))
    texts = [without_marks(each) for each in _strings(result.value)]
    said = dict.fromkeys([*_numbers(result.value), *(each for text in texts for each in _NUMBER.findall(text))])
    missing = [each if isinstance(each, str) else f"{each:f}" for each in said if known.isdisjoint(_readings(each))]
    wrong = (
        [f"{', '.join(each[:_LONGEST_NAMED] for each in missing[:_MOST_NAMED])}: no source of it says so"]
        if missing
        else []
    )
    passages = [Passage("source", "", each) for each in sources]
    supports = [support(text, passages) for text in texts]
    claims, supported = sum(each.claims for each in supports), sum(each.supported for each in supports)
    if supported < claims and not missing:
        wrong.append(f"{claims - supported} of {claims} statements are not borne out by its sources")
    return wrong


def _readings(number: str | Decimal) -> frozenset[Decimal]:
    """What a number may mean as it is written: `1.234` is a thousand and more in some countries, and one in others."""
    if isinstance(number, Decimal):
        return frozenset((abs(number).normalize(_EXACT),))
    groups = _SEPARATOR.split(number)
    whole = "".join(groups)
    if len(groups) == 1:
        return frozenset((Decimal(whole).normalize(_EXACT),))
    found = set()
    if all(len(each) == 3 for each in groups[1:]):
        found.add(Decimal(whole))
    if all(len(each) == 3 for each in groups[1:-1]):
        found.add(Decimal(f"{''.join(groups[:-1])}.{groups[-1]}"))
    return frozenset(each.normalize(_EXACT) for each in found or map(Decimal, groups))


def _numbers(value: Any) -> Iterator[Decimal]:
    for each in _leaves(value):
        if isinstance(each, int | float) and not isinstance(each, bool):
            yield Decimal(str(each)).normalize(_EXACT)


def _strings(value: Any) -> Iterator[str]:
    return (each for each in _leaves(value) if isinstance(each, str))


def _leaves(value: Any) -> Iterator[Any]:
    """What stands in lists and mappings, however deep. Names do not: the schema chose them, and no model."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
