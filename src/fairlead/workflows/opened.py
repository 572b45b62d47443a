"""A run as it is begun and as whoever walks it needs it, and how what belongs to it is packed."""

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct

from fairlead.policy.types import Decision
from fairlead.workflows.sealing import Begun, Keeping
from fairlead.workflows.walk import StepResult, Waiting

if TYPE_CHECKING:
    from fairlead.storage.workflow_rows import Run
    from fairlead.storage.workflow_step_rows import Result


Kind = TypeVar("Kind", bound=Struct)


class Decided(Struct, frozen=True):
    """What the policies of a revision said of a start."""

    decision: Decision
    revision: str


class Started(Struct, frozen=True, kw_only=True):
    """What is to be run. `digest` and `body` are those of the compiled definition, `once` what the client calls this
    start: the same name never starts two. `decided` is what policies said of it."""

    workflow: str
    digest: str
    body: bytes
    input: Any
    once: str = ""
    priority: int = 5
    parent: str = ""
    door: str = "workflow"
    decided: Decided | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """Of a copy: which run it goes on from, from where, the places that it has taken over, and what was edited. `flow`
    is the name of what was read before, which it goes on with; `asked` the digest of what was asked for."""

    run: str
    start: tuple[str, ...]
    kept: tuple[str, ...]
    edited: tuple[str, ...]
    flow: str
    asked: str = ""  # of copies from before this was kept


# Not used themselves: with them msgspec knows these structs before several threads ask for them at once.
_KNOWN: Final = [msgspec.json.Decoder(each) for each in (StepResult, Waiting, Origin)]


class Opened(Struct, frozen=True, kw_only=True):
    """A run with all that it has done so far, as whoever walks it needs it. `key` seals what is written of it, `origin`
    is known of a copy."""

    run: "Run"
    key: Keeping
    begun: Begun
    definition: bytes
    results: dict[str, "Result"]
    waited: str = ""  # the place of what it waited for last
    parked_at: frozenset[str] = frozenset()  # all places at which it did
    origin: Origin | None = None

    @property
    def flow(self) -> str:
        """Under which name what it reads is kept."""
        return self.run.id if self.origin is None else self.origin.flow


def packed(value: Struct) -> Any:
    """A struct as msgpack's plain values."""
    return msgspec.to_builtins(value, builtin_types=(bytes,))


def unpacked(plain: Any, kind: type[Kind]) -> Kind:
    """The struct again. Raises `msgspec.ValidationError` where it is of another kind."""
    return msgspec.convert(plain, kind)
