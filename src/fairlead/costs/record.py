"""The record of an action: what the audit log proves and every report reads. Nothing in it can be erased, so it holds
no payload, no name and no free text of a caller; the person is a pseudonymous subject id.

Fields stand in alphabetical order and have ASCII names, so that encoding the struct is already canonical JSON
(RFC 8785): one pass instead of a sort on the hot path. A test compares it with `audit.canonical`.
"""

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.errors import Broken
from fairlead.models.types import Usage
from fairlead.storage.types import Entry
from fairlead.tasks.decisions import Decision


class RecordedUsage(Struct, frozen=True, omit_defaults=True):
    """Tokens as billed; see `models.types.Usage`. Rows from before a count was kept have none of it: it was none."""

    audio_input: int = 0
    audio_output: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    cached_input: int = 0
    estimated: bool = False
    input: int = 0
    output: int = 0
    reasoning: int = 0
    tier: str = ""


class RecordedError(Struct, frozen=True, omit_defaults=True):
    """What an action failed of: the code of the error, and the stage that raised it."""

    code: str
    step: str = ""


class Declassified(Struct, frozen=True):
    """By which rule a table of groups got a lower class, of how many groups it tells and how many were left out.

    `digest` is of the rule and its source; `since` and `until` are the days that it is about.
    """

    digest: str
    groups: int
    rule: str
    since: str
    suppressed: int
    to: str
    until: str
    was: str


class Record(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One row of the log. `kind` is "call_model", "call_tool" or "read_pages" for the action itself, "attempt" for each
    failed try and each answer that was not kept before it, "refusal" for what was turned away at a door, "late" for a
    settlement that came after recovery had settled. What people or Fairlead did to the deployment itself is a deed: see
    `deed`.

    `cost` and `held` are in nano-units; summing `cost` over all rows gives what was spent. `outcome` is "done",
    "refused", "failed", "abandoned", "orphaned", "escalated" of an attempt whose answer was not kept, or "estimated"
    where only a price was asked for.

    `decision` is what the choice of the model was made from, where an objective decided.

    Of a tool's call, `arguments` and `definition` are SHA-256 digests, `rights` the kind of credential by which the
    system knew the caller, `sources` where the arguments came from, `approvals` the ids of those that let it pass, and
    `within` the run that it was a part of. Of actions whose client names a piece of work, `within` is that.
    `workflow` is the one whose run they are steps of.

    Of a model's answer that had to pass checks to be kept, `checks` has each with `passed` or `failed` and a word or a
    figure that says why.

    A row of kind "outcome" says how well the run that it is `about` was done: `score` in 1/10000, `weight` in 1/1000.
    """

    about: str = ""
    agent: str = ""
    approvals: tuple[str, ...] = ()
    arguments: str = ""
    at: int
    attempt: int = 0
    categories: tuple[str, ...] = ()
    checks: tuple[tuple[str, str, str], ...] = ()
    citations: tuple[str, ...] = ()
    cost: int = 0
    credential: str = ""
    data_class: str = ""
    decision: Decision | None = None
    declassified: Declassified | None = None
    definition: str = ""
    department: str = ""
    door: str = ""
    dropped: tuple[tuple[str, str], ...] = ()
    error: RecordedError | None = None
    flags: tuple[str, ...] = ()
    held: int = 0
    hits: tuple[tuple[str, str, str], ...] = ()
    judged: tuple[tuple[str, str, str], ...] = ()
    judges: str = ""
    kind: str
    model: str = ""
    outcome: str = ""
    pack: str = ""
    payload: str = ""
    person: str = ""
    placement: str = ""
    policies: tuple[str, ...] = ()
    price: str = ""
    pseudonyms: tuple[tuple[str, int], ...] = ()
    redacted: tuple[str, ...] = ()
    required: tuple[tuple[str, str], ...] = ()
    revision: str = ""
    rights: str = ""
    run: str
    score: int | None = None
    snapshot: str = ""
    source: str = ""
    sources: tuple[str, ...] = ()
    suppressed: int = 0
    task: str = ""
    tenant: str = ""
    tool: str = ""
    usage: RecordedUsage | None = None
    v: int
    weight: int = 0
    within: str = ""
    workflow: str = ""


RECORD_VERSION = 1
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Canonical JSON: the bytes that are hashed into the audit log."""
    return _encoder.encode(record)


def decode_record(data: bytes) -> Record:
    """Raises `msgspec.ValidationError` for bytes that are no record."""
    return _decoder.decode(data)


def unreadable(number: int, error: msgspec.DecodeError) -> Broken:
    """For record `number` of the log, which is none: a sum that left it out would be wrong without saying so."""
    return Broken(
        f"record {number} of the log cannot be read",
        why=str(error),
        mend="check the log with `fairlead audit verify`",
        subject=str(number),
    )


def recorded_usage(usage: Usage) -> RecordedUsage:
    """Tokens as the record has them: of the tier no more than a short plain word."""
    return RecordedUsage(
        audio_input=usage.audio_input,
        audio_output=usage.audio_output,
        cache_write=usage.cache_write,
        cache_write_1h=usage.cache_write_1h,
        cached_input=usage.cached_input,
        estimated=usage.estimated,
        input=usage.input,
        output=usage.output,
        reasoning=usage.reasoning,
        tier=_spelled(usage.tier) if usage.tier else "",
    )


def _spelled(tier: str) -> str:
    """A provider's word, as far as a record may carry one: nothing in it can be erased."""
    return "".join(char for char in tier[:40] if char.isascii() and (char.isalnum() or char in "_-."))


def deed(
    clock: Clock,
    kind: str,
    *,
    by: str,
    about: str = "",
    person: str = "",
    policies: tuple[str, ...] = (),
    hits: tuple[tuple[str, str, str], ...] = (),
    revision: str = "",
) -> Entry:
    """The log's entry of what was done to the deployment itself: an erasure, a hold, a change of keys, a backup.

    `by` is who did it, as the system knows them; `person` the subject id of whom it concerns. `about` says the rest:
    it can never be erased, so nobody's name stands in it. `policies` of the `revision` decided it, `hits` would have.
    """
    now = clock.now()
    record = Record(
        v=RECORD_VERSION,
        kind=kind,
        run=new_id(clock, "deed"),
        at=now,
        about=about,
        credential=by,
        hits=hits,
        outcome="done",
        person=person,
        policies=policies,
        revision=revision,
    )
    return Entry(record.run, now, encode_record(record))
