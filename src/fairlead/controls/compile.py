"""Controls and alarms, checked and compiled: conditions become functions over a record. Pure."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Final

import msgspec

from fairlead.controls.settings import AlarmSettings, ControlSettings, OnBreach, Where
from fairlead.costs.record import Record
from fairlead.errors import BadInput
from fairlead.net.addresses import Address, checked_address

Fits = Callable[[Record], bool]
BUCKETS: Final = 60
_UNIT: Final = 10**9
_MILLISECONDS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_ONE: Final = ("kind", "outcome", "data_class", "model", "placement", "department", "agent", "task", "door")
_SEVERAL: Final = ("flags", "categories", "policies")


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A control as it is evaluated. `most` and `well_at` are numbers of records, shares, or nano-units; times are in
    milliseconds. `digest` changes with everything that its sums depend on."""

    id: str
    title: str
    why: str
    severity: str
    measure: str
    window: str
    by: str
    counted: Fits
    among: Fits
    bucket: int
    most: float
    well_at: float
    least: int
    on_breach: OnBreach
    stop_for: int
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """A webhook that may be called. `secret` is empty where this machine does not have it."""

    name: str
    address: Address
    inside: bool
    secret: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """All controls by id, and the alarms by name."""

    controls: Mapping[str, Control]
    alarms: Mapping[str, Alarm]


NO_CONTROLS: Final = Controls(controls={}, alarms={})


def compile_controls(
    settings: Mapping[str, ControlSettings],
    alarms: Mapping[str, AlarmSettings],
    secrets: Callable[[str], str | None],
) -> Controls:
    """Raises `BadInput` that begins with the control's name, or with the key of an alarm."""
    if not settings and not alarms:
        return NO_CONTROLS
    made = {name: _alarm(name, each, secrets) for name, each in alarms.items()}
    return Controls(controls={id: _control(id, each, made) for id, each in settings.items()}, alarms=made)


def _alarm(name: str, given: AlarmSettings, secrets: Callable[[str], str | None]) -> Alarm:
    key = f"alarms.{name}.url"
    address = checked_address(given.url, key=key, at_home=given.inside, plain_http=given.plain_http)
    if address.is_loopback and not given.inside:
        raise BadInput(f"{key} points at this machine", mend="add `inside: true` to this alarm if it is meant to")
    return Alarm(name=name, address=address, inside=given.inside, secret=_secret(name, secrets(given.secret)))


def _secret(name: str, text: str | None) -> bytes:
    if not text:
        return b""
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return b64decode(text.removeprefix("whsec_"), validate=True)
    except NotBase64:
        raise BadInput(f"alarms.{name}.secret is not base64 behind whsec_", mend="copy it again, whole") from None


def _control(id: str, given: ControlSettings, alarms: Mapping[str, Alarm]) -> Control:
    unknown = [name for name in given.on_breach.alarm if name not in alarms]
    if unknown:
        raise BadInput(f"{id}.on_breach.alarm: there is no alarm `{unknown[0]}`", mend="declare it under `alarms:`")
    if given.on_breach.stop not in (None, "organisation", given.by):
        raise BadInput(
            f"{id}.on_breach.stop: {given.on_breach.stop} can be stopped only where it is measured by itself",
            mend=f"add `by: {given.on_breach.stop}`",
        )
    if given.among is not None and given.measure != "share":
        raise BadInput(f"{id}.among belongs to `measure: share`", mend="leave it out")
    factor = _UNIT if given.measure == "cost" else 1
    milliseconds = _span(given.window)
    on_breach = given.on_breach
    return Control(
        id=id,
        title=given.title,
        why=given.why,
        severity=given.severity,
        measure=given.measure,
        window=given.window,
        by=given.by or "",
        counted=fitting(given.where),
        among=fitting(given.among or Where()),
        bucket=milliseconds // BUCKETS,
        most=given.most * factor,
        well_at=min(given.most, given.most * 0.9 if given.well_at is None else given.well_at) * factor,
        least=given.least,
        on_breach=on_breach,
        stop_for=_span(on_breach.stop_for) if on_breach.stop_for else 0,
        digest=sha256(
            msgspec.json.encode((given.measure, given.where, given.among, given.by, given.window), order="sorted")
        ).hexdigest(),
    )


def _span(text: str) -> int:
    return int(text[:-1]) * _MILLISECONDS[text[-1]]


def fitting(where: Where) -> Fits:
    """Whether a record fits, as one function."""
    tests = [_one(name, frozenset(getattr(where, name))) for name in _ONE if getattr(where, name)]
    tests += [_several(name, frozenset(getattr(where, name))) for name in _SEVERAL if getattr(where, name)]
    if where.error:
        codes = frozenset(where.error)
        tests.append(lambda record: record.error is not None and record.error.code in codes)
    if where.hits:
        rules = frozenset(where.hits)
        tests.append(lambda record: any(hit[0] in rules for hit in record.hits))
    if where.dropped_by:
        causes = frozenset(where.dropped_by)
        tests.append(lambda record: any(by in causes for _, by in record.dropped))
    if where.cost_over is not None:
        least = where.cost_over * _UNIT
        tests.append(lambda record: record.cost > least)
    return lambda record: all(test(record) for test in tests)


def _one(name: str, words: frozenset[str]) -> Fits:
    get = attrgetter(name)
    return lambda record: get(record) in words


def _several(name: str, words: frozenset[str]) -> Fits:
    get = attrgetter(name)
    return lambda record: not words.isdisjoint(get(record))
