"""What the journal makes durable. All money is in nano-units of the workspace's currency (1e-9), as int."""

from typing import Final

from msgspec import Struct


class ScopeLimit(Struct, frozen=True, omit_defaults=True):
    """A budget that an action is held against. The cap comes from the workspace's revision; what was carried over,
    allotted, moved or raised since (`extra`) is in the row, and counts with it.

    `scope` is "organisation", "department/NAME", "person/NAME", "task/NAME" or "workflow/NAME"; `period` is "2026-11",
    "2026-W47", "2026-11-21" or "all". `shares` are the hundredths of what may be spent at which a warning is due,
    ascending; each is given once per period. In a receipt it is the one that was passed.
    """

    scope: str
    period: str
    cap: int
    shares: tuple[int, ...] = ()


class Hold(Struct, frozen=True):
    """Money held in every scope before an attempt, with the intent to make it.

    `id` is the attempt's id (`RUN.N`), unique for ever. `intent` is canonical JSON: what recovery needs to write the
    record of a dead worker's attempt.
    """

    id: str
    amount: int
    limits: tuple[ScopeLimit, ...]
    intent: bytes


class Sealed(Struct, frozen=True):
    """An encrypted payload. `subject` is the id of the key that opens it; the record carries the ciphertext's hash."""

    subject: str
    ciphertext: bytes


class Entry(Struct, frozen=True):
    """One row of the append-only log. `record` is canonical JSON (RFC 8785) and is the audit leaf; `spans` is not
    covered by the leaf. `at` is in milliseconds since 1970."""

    run: str
    at: int
    record: bytes
    spans: bytes = b""
    payload: Sealed | None = None


TURN: Final = "turn"
RESPONSE: Final = "resp"


def turn_id(kind: str, run: str) -> str:
    """The id of what a run adds to a conversation, a turn of a session or a response: the one names the other."""
    return kind + run[run.find("_") :]


class NewTurn(Struct, frozen=True, kw_only=True):
    """A turn of a conversation, sealed (see `sessions`). `used` are the turns that it goes on with.

    A turn of a `session` follows the last one in it by then; otherwise it follows `previous`. `begins` is the sealed
    description of a session that is begun with this turn, unless it is there and was used after `since`; None for one
    that must be there.
    """

    id: str
    subject: str
    tenant: str
    session: str
    previous: str
    at: int
    size: int
    sealed: bytes
    data_class: int
    used: tuple[str, ...] = ()
    begins: bytes | None = None
    since: int = 0


class NewStep(Struct, frozen=True, kw_only=True):
    """A step of a flow, sealed (see `flow_rows`). `at` in milliseconds since 1970, `size` in bytes."""

    id: str
    flow: str
    subject: str
    at: int
    size: int
    sealed: bytes


class NewOutcome(Struct, frozen=True, kw_only=True):
    """How well a run was done, by one who judges it (see `outcome_tables`). What the same one says later takes its
    place. `score` in 1/10000, `weight` in 1/1000, `propensity` in 1/1000000."""

    run: str
    by: str
    subject: str
    entry: str
    at: int
    source: str
    task: str
    model: str
    score: int
    weight: int
    propensity: int = 0
    digest: str = ""


class NewResult(Struct, frozen=True, kw_only=True):
    """What a run of a workflow has done at a place, sealed (see `workflow_step_rows`). Kept if `owner` walks that run
    by then, and once: what stands there already stays. `cost` in nano-units, `size` in bytes."""

    run: str
    place: str
    owner: str
    at: int
    action: str
    status: str
    cost: int
    size: int
    sealed: bytes


class NewExample(Struct, frozen=True, kw_only=True):
    """A person's answer as a labelled example, sealed (see `example_rows`). What the same person says later of the same
    takes its place. `at` in milliseconds since 1970. `accepted` is False once a check has refused the answer."""

    id: str
    subject: str
    by: str
    tenant: str
    department: str
    source: str
    task: str
    workflow: str
    run: str
    place: str
    action: str
    reason: str
    code: str
    revision: str
    snapshot: str
    data_class: int
    at: int
    sealed: bytes
    accepted: bool = True


Kept = NewTurn | NewResult
"""What an action leaves beside money and record, for whoever goes on with it."""


class Write(Struct, frozen=True):
    """What one action makes durable in one commit: close a hold at a price, append to the log, open the next hold,
    remember what was said, what a flow was told and has read, how well a run was done, what a workflow has done, or how
    something should have been."""

    close: Hold | None = None
    spent: int = 0
    entries: tuple[Entry, ...] = ()
    open: Hold | None = None
    turn: NewTurn | None = None
    step: NewStep | None = None
    outcome: NewOutcome | None = None
    result: NewResult | None = None
    example: NewExample | None = None

    @property
    def remembers(self) -> bool:
        """Whether it keeps more than money and record."""
        kept = self.turn, self.step, self.outcome, self.result, self.example
        return any(each is not None for each in kept)

    @property
    def begins(self) -> bool:
        """Whether it begins an action's spending and ends none, so that it may be refused."""
        return self.open is not None and self.close is None

    @property
    def bill(self) -> "Write":
        """What of a settlement holds though its caller was told that it failed: nothing is opened, nothing was said."""
        return Write(close=self.close, spent=self.spent, entries=self.entries, result=self.result)


class Receipt(Struct, frozen=True):
    """What came of a write. `closed` is False if the hold had already been settled by recovery; then no money moved and
    no entry was appended. `warnings` are the limits whose warning threshold this write crossed. `leaf` is the index of
    the first appended entry in the log, -1 if none, or where places are given later (PostgreSQL). `remembered` is False
    if there was something to remember (a turn, a step, an outcome, a result), and its person, conversation or run was
    gone or another's; all else was done."""

    closed: bool = True
    leaf: int = -1
    warnings: tuple[ScopeLimit, ...] = ()
    remembered: bool = True
