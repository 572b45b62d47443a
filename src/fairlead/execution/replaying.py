"""What a pack was made of, kept so that the very same pack can be made again.

The pages are those of the snapshot in the record, the policies those of its revision. What else decided is kept with
the payload, encrypted for its person: what was looked for, who they were then, what live sources said, and by what
rates tokens were counted.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.context import Context, Pack
from fairlead.context.measure import Measure
from fairlead.context.types import LivePiece
from fairlead.context.vector_space import AskedVector
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS
from fairlead.policy import Policy
from fairlead.tasks.types import Task, TaskType


class Gathering(Struct, frozen=True, array_like=True):
    """The inputs of one pack beside its snapshot. `day` is an ISO day, `asked` what the question meant to a model."""

    question: str
    earlier: tuple[str, ...]
    required: tuple[str, ...]
    live: tuple[LivePiece, ...]
    measure: Measure
    day: str
    caller: Caller
    asked: AskedVector | None = None


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Gathering)


async def gathered_again(context: Context, policy: Policy, type_: TaskType, gathering: Gathering) -> Pack:
    """The pack that these inputs make. On the path and in a replay it is made by this very line."""
    task = Task(type=type_, labels=NO_LABELS, question=gathering.question)
    return await context.stitch(
        task,
        policy.may_read(gathering.caller),
        gathering.live,
        gathering.required,
        earlier=gathering.earlier,
        today=gathering.day,
        measure=gathering.measure,
        asked=gathering.asked,
    )


def encode_gathering(gathering: Gathering) -> bytes:
    """All that a pack was made from, to be kept with payloads. When the caller's credential ends is left out."""
    return _encode(replace(gathering, caller=replace(gathering.caller, expires=0)))


def decode_gathering(kept: bytes) -> Gathering:
    """As `encode_gathering` gave it. Raises `msgspec.DecodeError` for what another version kept."""
    return _decoder.decode(kept)
