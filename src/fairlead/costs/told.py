"""What the stages tell the ledger, as far as it looks: it stands below those who make these things."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from fairlead.models.types import Usage


class Deployment(Protocol):
    @property
    def revision(self) -> str: ...
    @property
    def keep_payloads(self) -> bool: ...


class Citation(Protocol):
    @property
    def id(self) -> str: ...


class Pack(Protocol):
    @property
    def snapshot(self) -> str: ...
    @property
    def citations(self) -> Sequence[Citation]: ...


class Dropped(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def by(self) -> str: ...


class Plan(Protocol):
    @property
    def dropped(self) -> Sequence[Dropped]: ...


class Reason(Protocol):
    @property
    def policy(self) -> str: ...


class Decision(Protocol):
    @property
    def reasons(self) -> Sequence[Reason]: ...


class Rights(Protocol):
    @property
    def decisions(self) -> Mapping[str, Decision]: ...


class Hit(Protocol):
    @property
    def policy(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def effect(self) -> str: ...
    @property
    def text(self) -> str: ...


class Taken(Protocol):
    def used(self, tokens: int) -> None: ...


class Place(Protocol):
    def at(self, endpoint: str) -> bool: ...
    def leave(self) -> None: ...


class Release(Protocol):
    def usage_so_far(self) -> Usage: ...
    def hits(self) -> Iterable[Hit]: ...
    def reply_text(self) -> str: ...
