"""A step of a flow as bytes, before it is sealed."""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.execution.flow_step import Step, given_as, merged, step_of
from fairlead.execution.sieve import EVERYTHING
from fairlead.labels import DataClass, Labels


class _Kept(Struct, frozen=True, array_like=True):
    sources: list[str]
    value: Any
    data_class: int
    categories: list[str]
    given: list[tuple[Any, list[str]]]
    marks: list[bytes]
    sieve: bytes
    put_in: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Kept)


def decode_step(id_: str, plain: bytes) -> Step:
    """The step that was kept under this id."""
    kept = _decoder.decode(plain)
    labels = Labels(DataClass(kept.data_class), frozenset(kept.categories))
    sources = frozenset(kept.sources)
    if kept.sieve:
        return Step(
            id=id_, sources=sources, labels=labels, marks=tuple(kept.marks), sieve=kept.sieve, put_in=kept.put_in
        )
    given = [given_as(value, frozenset(its)) for value, its in kept.given]
    return step_of(id_, sources, kept.value, labels, given, kept.marks)


def encode_step(step: Step, most_bytes: int) -> tuple[bytes, bool]:
    """The step as it is kept, and whether that is all of it: what is too large by itself is kept as what may have stood
    in it."""
    plain, whole = _plain(step)
    if step.sieve or len(plain) <= most_bytes:
        return plain, whole
    return _plain(merged(step.id, [step]))[0], False


def _plain(step: Step) -> tuple[bytes, bool]:
    labels = step.labels
    kept = _Kept(
        sorted(step.sources),
        step.value,
        int(labels.data_class),
        sorted(labels.categories),
        [(each.value, sorted(each.sources)) for each in step.given],
        list(step.marks),
        step.sieve,
        step.put_in,
    )
    try:
        return _encode(kept), True
    except (TypeError, OverflowError, ValueError, RecursionError):  # data that has no such form proves nothing
        every = sorted(step.sources_of(None))
        return _encode(replace(kept, sources=every, value=None, given=[], sieve=EVERYTHING, put_in=EVERYTHING)), False
