"""Systems of record and what can be done in them: the words that the path and every connector share.

A connector knows how a kind of system is spoken to. It decides nothing: by the time it is asked, the caller is known,
the call is permitted, priced and recorded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta, Struct

from fairlead.labels import Labels
from fairlead.tools.talk import Questions, Talk

Effect = Literal["read", "write"]
"""Whether a tool can change anything. What a system does not say counts as "write"."""

Kind = Literal["tool", "method"]
"""Whether it is a tool, which models are shown, or something else that a system's protocol offers: its resources, its
prompts. Both are called on the one path; a "method" stands in no list of tools."""

Schema = dict[str, Any]
"""A JSON Schema."""


class Definition(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a system says of one of its tools. It is pinned: what differs from the accepted one is not called.

    `input` is the JSON Schema of the arguments, an object's; `output` that of the structured result, if it has one.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-/]{0,127}$")]
    title: str = ""
    description: str = ""
    input: Schema = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})
    output: Schema | None = None
    effect: Effect = "write"
    idempotent: bool = False
    kind: Kind = "tool"

    @property
    def digest(self) -> str:
        """The SHA-256 of the definition in canonical order, in hexadecimal: the same text whoever wrote it."""
        plain = msgspec.json.encode(msgspec.to_builtins(self), order="sorted")
        return hashlib.sha256(plain).hexdigest()


class Tool(Struct, frozen=True, kw_only=True):
    """A tool as it is in force: its accepted definition in the system that has it."""

    system: str
    definition: Definition
    digest: str  # of the definition

    @property
    def name(self) -> str:
        """As callers and policies know it: `system.tool`."""
        return f"{self.system}.{self.definition.name}"


CredentialKind = Literal["none", "exchange", "grant", "certificate", "login", "service"]


class Credential(Struct, frozen=True, kw_only=True):
    """By what a system knows the caller. `kind` is how it was come by and stands in the record; the rest is secret.

    "exchange" is a token of the caller's own by RFC 8693, "grant" one that they once consented to, "login" the caller's
    own account by `user` and `secret`, "certificate" the same by a certificate that was issued here and ends soon,
    "service" an account that the workspace flags as not the caller's own. `expires` is in milliseconds since 1970, 0
    for never.
    """

    kind: CredentialKind = "none"
    user: str = ""
    secret: str = ""
    expires: int = 0

    def __repr__(self) -> str:
        return f"Credential(kind={self.kind!r})"


class SystemCall(Struct, frozen=True, kw_only=True):
    """One call that a connector is to make. `deadline` is in the clock's monotonic seconds, `most_bytes` the greatest
    result that is taken. A system that knows idempotency keys gets `idempotency_key`. `person` is for whom, `talk` what
    may be said to and asked of the program that calls, where anything may."""

    tool: Definition
    arguments: Mapping[str, Any]
    credential: Credential
    person: str
    deadline: float
    idempotency_key: str
    most_bytes: int = 1 << 20
    talk: Talk | None = None


class Text(Struct, frozen=True, tag="text"):
    """A piece of text in a result."""

    text: str


class Blob(Struct, frozen=True, tag="blob"):
    """An image, a sound or a file in a result. `data` is base64."""

    mime: str
    data: str


class Link(Struct, frozen=True, tag="link"):
    """Something that a result points to without bringing it."""

    uri: str
    name: str = ""
    mime: str = ""


class Resource(Struct, frozen=True, tag="resource"):
    """Content that has an address of its own in its system: text, or a file as base64 `data`."""

    uri: str
    mime: str = ""
    text: str | None = None
    data: str = ""


Piece = Text | Blob | Link | Resource


class Origin(Struct, frozen=True, kw_only=True):
    """A part of a result that was brought to its system before, with where it came from then and its labels."""

    value: Any
    sources: frozenset[str]
    labels: Labels


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a system gave back. `structured` is the result as data, None where there is only text. `origins`: what of it
    was only kept there, and is still what it was.

    `failed` says that the tool itself tells of an error (no row, a rule of the system): an answer, which the agent
    should read, other than a system that could not be reached, which raises. With `questions` the system has given no
    result yet: it wants to be called again, with answers.
    """

    pieces: tuple[Piece, ...] = ()
    structured: Any = None
    failed: bool = False
    origins: tuple[Origin, ...] = ()
    questions: Questions | None = None

    @property
    def text(self) -> str:
        """All text pieces, a line each."""
        return "\n".join(each.text for each in self.pieces if isinstance(each, Text | Resource) and each.text)


class SystemDriver(Protocol):
    """A connector to one system. Its methods raise `Upstream` and its kinds: `NotAuthorised` is final."""

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        """What the system offers now, to whom this credential belongs."""
        ...

    async def call(self, call: SystemCall) -> ToolResult:
        """Carry out one call, once: no driver repeats what may have changed something."""

    async def close(self) -> None:
        """Let go of all connections. Nothing is called afterwards."""
