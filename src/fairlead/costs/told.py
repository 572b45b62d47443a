"""What the stages tell the ledger, as far as it looks: it stands below those who make these things."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from fairlead.costs.types import Rate
from fairlead.costs.units import Unit
from fairlead.models.allowance import Allowance
from fairlead.models.types import Model, Usage
from fairlead.storage.types import ScopeLimit
from fairlead.tasks.decisions import Decision
from fairlead.tasks.types import TaskType


class Deployment(Protocol):
    """What of the revision in force an action is billed and recorded by: its id, whether payloads are kept, and the
    unit that money is counted in."""

    @property
    def revision(self) -> str: ...
    @property
    def keep_payloads(self) -> bool: ...
    @property
    def unit(self) -> Unit: ...


class Citation(Protocol):
    """A piece of the pack, by how it is cited (`where`): `item@version#identity`, or a live source with its moment."""

    @property
    def where(self) -> str: ...


class Pack(Protocol):
    """What was stitched: the id of its snapshot, what of it can be cited, and the SHA-256 of all of it."""

    @property
    def snapshot(self) -> str: ...
    @property
    def citations(self) -> Sequence[Citation]: ...
    @property
    def digest(self) -> str: ...


class Pin(Protocol):
    """What a piece of work began under: its id and the snapshot. `pinned_at` in milliseconds since 1970."""

    @property
    def id(self) -> str: ...
    @property
    def snapshot(self) -> str: ...
    @property
    def pinned_at(self) -> int: ...


class Dropped(Protocol):
    """A model that is no candidate, and the limit that left it out (`by`)."""

    @property
    def model(self) -> str: ...
    @property
    def by(self) -> str: ...


class Plan(Protocol):
    """What planning came to, as the record keeps it. `decision` is None where no objective was weighed."""

    @property
    def dropped(self) -> Sequence[Dropped]: ...
    @property
    def decision(self) -> Decision | None: ...


class Reason(Protocol):
    """A policy that took part in a decision, by its `@id`."""

    @property
    def policy(self) -> str: ...


class Ruling(Protocol):
    """What was decided of one model, and by which policies."""

    @property
    def reasons(self) -> Sequence[Reason]: ...


class Rights(Protocol):
    """What the caller may use, by model."""

    @property
    def decisions(self) -> Mapping[str, Ruling]: ...


class Hit(Protocol):
    """A rule that applied, how far it was in force, and what it did: see `policy.types.Hit`."""

    @property
    def policy(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def effect(self) -> str: ...
    @property
    def text(self) -> str: ...


class Left(Protocol):
    """What is left of one limit, in `unit`: `left` of `limit`. `reset` in seconds from now."""

    @property
    def unit(self) -> str: ...
    @property
    def limit(self) -> float: ...
    @property
    def left(self) -> float: ...
    @property
    def reset(self) -> float: ...


class Taken(Protocol):
    """What an action took of limits."""

    @property
    def left(self) -> "tuple[Left, ...]": ...
    def used(self, tokens: int) -> None:
        """It came to so many tokens, in place of those reckoned with."""


class Pseudonyms(Protocol):
    """How many values were named, by category (`counts`), and what a reply held that looked like such a name and was
    none (`strange`)."""

    @property
    def counts(self) -> dict[str, int]: ...
    @property
    def strange(self) -> set[str]: ...


class Place(Protocol):
    """What an action holds of lanes while it runs."""

    def at(self, endpoint: str) -> bool:
        """Call another endpoint from now on. False if no place is free there: nobody waits for one while holding
        another."""

    def leave(self) -> None:
        """Let the next one have the place. Leaving again does nothing."""


class Load(Protocol):
    """What an action has under way at deployments: it is counted at the one that it was last sent to."""

    def at(self, model: Model, output: int) -> float:
        """Be under way there from now on, and nowhere else: 0. Or for how many seconds that has to wait. `output` is
        the most tokens that the reply may have."""

    def again(self, model: Model, output: int) -> float:
        """As `at`, for one more request to where it is already."""

    def heeds(self, model: Model) -> Callable[[tuple[Allowance, ...]], None]:
        """What is to be told of what the server says of its limits, in its answer to this attempt."""

    def used(self, tokens: int) -> None:
        """The last attempt has ended, and came to so many tokens."""

    def leave(self) -> None:
        """Nothing of it is under way any more. Leaving again does nothing."""


class Release(Protocol):
    """What has come of a reply so far, and which rules applied to it."""

    def usage_so_far(self) -> Usage:
        """The tokens that the provider counted; an estimate until it has."""

    def hits(self) -> Iterable[Hit]:
        """The rules that applied so far and did not withhold the reply."""

    def reply_text(self) -> str:
        """What has come so far, for the sealed payload."""


ActionKind = Literal["call_model", "call_tool", "read_pages"]


class Arrival(Struct, frozen=True, kw_only=True):
    """How an action came in. `authenticated_ns` is what authentication took, `body` the request's bytes as received.

    `deadline` is in seconds from now, None for the task type's or the workspace's own. Of a model with deployments,
    actions of equal `affinity` (a conversation, say) go to the same one as long as it can be reached. `session` is the
    name of the conversation that it goes on with, "" for none.
    `judges` is the run whose reply is put before a judge, `within` the run that this one is a part of, `task` the kind
    of work where Fairlead itself asks. `token` is the access token that the caller came with, "" for another kind of
    credential: it is exchanged for tokens of theirs for systems, and goes nowhere else. `flow` is the name of the flow
    that it belongs to, "" for the one of those who name none, and None where it is no agent's own. `work` names the
    piece of work that several actions of one person do together, "" for none; `workflow` is that of the run that it is
    a step of, "" for none. Without `asks`
    nobody is asked to approve it: where an approval is wanted, it is not done. `once` is the same for every try of one
    effect: systems that know idempotency keys are given it. `billed` is told what it came to, whatever way it ends.
    Without `keep` nothing that is said in it is written, sealed or not: money and record alone remain of it.
    """

    door: str
    body: bytes = b""
    authenticated_ns: int = 0
    deadline: float | None = None
    dry_run: bool = False
    affinity: str = ""
    session: str = ""
    judges: str = ""
    within: str = ""
    token: str = ""
    flow: str | None = None
    work: str = ""
    workflow: str = ""
    task: TaskType | None = None
    asks: bool = True
    once: str = ""
    keep: bool = True
    billed: Callable[[int], None] | None = None


class Judged(Struct, frozen=True):
    """A judgement of the reply by a model: the rule that wanted it, the run of its own that it is, and its verdict.

    `verdict` is "passed", "failed" or "unjudged". `cost` is None where no bill is known here, and `run` "" where
    nothing was asked. Of what is `quiet` the caller is not told.
    """

    rule: str
    run: str
    verdict: str
    cost: int | None
    quiet: bool


class Checked(Struct, frozen=True):
    """How a check of an answer came out: its name, whether it passed, and why, in a word for the record and in a
    sentence for the caller. Nothing of an answer stands in either."""

    check: str
    passed: bool
    word: str = ""
    said: str = ""


class Unkept(Struct, frozen=True):
    """An answer that was not kept: whose it was, the check that it did not pass, what it cost, and who judged it."""

    model: str
    check: Checked
    cost: int
    judged: tuple[Judged, ...] = ()


class Reservation(Struct, frozen=True, kw_only=True):
    """What an attempt is held at: the model, its rate, the most it can cost, and the budgets it counts against."""

    model: Model
    redacted: frozenset[str]
    max_output: int
    rate: Rate
    most: int
    limits: tuple[ScopeLimit, ...]


class ToolReservation(Struct, frozen=True, kw_only=True):
    """What the call of a tool is held at: its price, which is what it will cost, and what the record says of it.

    `arguments` and `definition` are digests, `rights` the kind of credential, `approvals` the ids of those it rests on.
    """

    tool: str
    arguments: str
    definition: str
    rights: str
    sources: tuple[str, ...]
    approvals: tuple[str, ...]
    price: int
    limits: tuple[ScopeLimit, ...]
