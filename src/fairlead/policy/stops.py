"""Kill switches: who and what is stopped for now, and by which stop. Pure; the rows are in `stop_table`.

A stop comes before every policy: it needs no publish, and what is stopped stays so under every revision.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from msgspec import Struct

from fairlead.errors import Stopped
from fairlead.identity.types import Caller
from fairlead.models.types import Model

Kind = Literal["organisation", "department", "person", "agent", "model", "system"]
KINDS: tuple[str, ...] = get_args(Kind)
_CALLERS = ("organisation", "department", "person", "agent")


class Stop(Struct, frozen=True, kw_only=True):
    """Somebody or something is stopped. `id` is the run under which the log has it.

    A system is one of the workspace's, or what serves models: a vendor, or a server by its address. `until` is in
    milliseconds since 1970, 0 for until it is resumed. `ends` says that what is under way ends too; `control` names
    the control that has done it, "" for a person.
    """

    id: str
    kind: Kind
    name: str
    reason: str
    by: str
    at: int
    until: int = 0
    ends: bool = False
    control: str = ""

    @property
    def shown(self) -> str:
        """What is stopped, in words."""
        return "the organisation" if self.kind == "organisation" else f"the {self.kind} {self.name}"

    def lasts(self, now: int) -> bool:
        """Whether it is in force at a moment, in milliseconds since 1970."""
        return not self.until or now < self.until


class Stops:
    """All stops in force. Where there are none, there is no such object: None is the cheapest question."""

    def __init__(self, stops: Iterable[Stop]) -> None:
        self._callers: list[Stop] = []
        self._models: list[Stop] = []
        for stop in stops:
            (self._callers if stop.kind in _CALLERS else self._models).append(stop)

    def of_caller(self, caller: Caller, now: int, *, ending: bool = False) -> Stop | None:
        """What stops this caller; with `ending`, only what ends the work under way too."""
        about = {
            "organisation": None,
            "department": caller.department,
            "person": caller.person,
            "agent": caller.agent,
        }
        for stop in self._callers:
            named = about[stop.kind]
            if (named is None or named == stop.name) and stop.lasts(now) and (stop.ends or not ending):
                return stop
        return None

    def of_model(self, model: Model, now: int, *, ending: bool = False) -> Stop | None:
        """What stops this model: itself, the model that it is a deployment of, or the system that serves it."""
        for stop in self._models:
            names = (model.name, model.group) if stop.kind == "model" else systems_of(model)
            if stop.name in names and stop.lasts(now) and (stop.ends or not ending):
                return stop
        return None

    def of_system(self, name: str, now: int, *, ending: bool = False) -> Stop | None:
        """What stops this system of the workspace."""
        for stop in self._models:
            if stop.kind == "system" and stop.name == name and stop.lasts(now) and (stop.ends or not ending):
                return stop
        return None

    def of_models(self, models: Mapping[str, Model], now: int) -> Mapping[str, str]:
        """The stopped models by name, each with the reason."""
        if not self._models:
            return {}
        found = {name: self.of_model(model, now) for name, model in models.items()}
        return {name: f"{stop.shown} is stopped: {stop.reason} ({stop.id})" for name, stop in found.items() if stop}


def systems_of(model: Model) -> tuple[str, ...]:
    """The names under which what serves a model can be stopped: the vendor's kind, the address, and both together."""
    whole = model.endpoint.partition("#")[0]
    kind, _, address = whole.partition("@")
    return (whole, kind, address) if address else (whole,)


def compile_stops(stops: Iterable[Stop]) -> Stops | None:
    """The stops as requests are asked about them, None where there are none."""
    found = tuple(stops)
    return Stops(found) if found else None


def stopped(stop: Stop) -> Stopped:
    """What whoever is stopped is told."""
    return Stopped(
        f"{stop.shown} is stopped",
        why=stop.reason,
        mend="ask who runs this Fairlead; `fairlead stops` lists what is stopped, `fairlead resume` ends it",
        step="authorize",
        subject=stop.name,
        stop=stop.id,
    )
