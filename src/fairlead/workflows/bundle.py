"""All that a run needs of a workspace's text, as it travels with the run."""

import hashlib

import msgspec
from msgspec import Struct

from fairlead.workflows.definition import Definition
from fairlead.workflows.nodes import (
    Schema,
)


class Bundle(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a run needs of a workspace's text, and what travels with it: a later change breaks no run in flight.

    `subflows` are those that it uses, by name, and those that they use; `modules` the text of python files by name;
    `results` the schema of what its tools give, as far as there is one.
    """

    name: str
    definition: Definition
    subflows: dict[str, Definition] = {}
    modules: dict[str, str] = {}
    results: dict[str, Schema] = {}

    @property
    def body(self) -> bytes:
        """How it is kept: JSON in canonical order, so that equal ones are one row."""
        return msgspec.json.encode(msgspec.to_builtins(self), order="sorted")

    @property
    def digest(self) -> str:
        """The SHA-256 of its body, in hexadecimal."""
        return hashlib.sha256(self.body).hexdigest()

    def of(self, name: str) -> Definition:
        """Its own definition, or a subflow's."""
        return self.definition if name == self.name else self.subflows[name]
