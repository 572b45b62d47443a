"""Everything that can go wrong, as one small tree. Each error tells what failed, why, and what mends it.

    FairleadError
    ├── Unauthenticated              401  who asks is not known
    │   └── NotActive                401  the provider says that they are not active (identity/register.py)
    ├── BadInput                     400  the request or the workspace text is wrong
    │   ├── NotFound                 404  it does not exist, or not for this caller
    │   ├── NotSearchable            400  nobody can be looked for like that (identity/people_search.py)
    │   ├── BadPatch                 400  an operation cannot be carried out (server/scim/errors.py)
    │   ├── Taken                    409  another one has the name (identity/directory_refusals.py)
    │   ├── Outdated                 412  it was changed meanwhile (identity/directory_refusals.py)
    │   ├── InvalidWorkspace         400  the text of a workspace does not compile (workspace/problems.py)
    │   ├── BadExpression            400  a workflow's expression does not compile, or fails (workflows/expressions.py)
    │   ├── Unencrypted              403  it came in plain text from where that may not be (server/proxy.py)
    │   ├── TooLarge                 413  the request is larger than the door takes (server/http.py)
    │   └── TooSlow                  408  the request did not arrive in time (server/http.py)
    ├── Refused                      403  understood, and not allowed
    │   ├── Denied                   403  a policy forbids it
    │   ├── Stopped                  403  somebody has thrown a kill switch
    │   ├── ApprovalPending          403  a person must approve it first (execution/approval_question.py)
    │   ├── OwnCall                  403  nobody approves their own call (execution/approval_question.py)
    │   ├── NotOpen                  403  it cannot be answered any more (execution/approval_question.py)
    │   ├── Quarantined              403  a tool is not what was accepted (execution/tool_pins.py)
    │   ├── NotNow                   409  a run is not in a state in which that can be done (workflows/steering.py)
    │   ├── NoCredential             403  a system cannot know the caller (identity/no_credential.py)
    │   ├── ForeignForm              403  a form is not of a page that its sender was shown (server/browser.py)
    │   ├── NotConnected             403  a system was not connected (identity/consents.py)
    │   ├── Withheld                 403  the reply may not leave
    │   ├── NotKept                  422  no answer passes what must be checked (execution/cascade.py)
    │   ├── NoCandidate              403  no model is permitted and able
    │   │   └── TooSlowHere          403  those that may do it are too slow here (routing/refusals.py)
    │   ├── InsufficientContext      422  what the work must rest on is not as it should be (execution/insufficient.py)
    │   │   └── NoContext            422  nothing that the caller may read answers it (execution/prepare.py)
    │   ├── OverBudget               429  a cap would be passed
    │   ├── TooManyWaiting           429  as many proposals of a person wait as may (context/upkeep/proposals.py)
    │   ├── Unpriced                 422  nobody knows what it would cost
    │   └── Overloaded               503  this worker takes no more for now
    │       ├── TooManyWrong         429  wrong credentials from one address (identity/failures.py)
    │       ├── TooFast              429  a limit a minute is reached (lanes/rates.py)
    │       ├── AtLimit              429  every deployment was sent what it takes (lanes/refusals.py)
    │       ├── LaneFull             503  as many wait as may (lanes/refusals.py)
    │       └── WaitedTooLong        503  no place came free in time (lanes/refusals.py)
    ├── Upstream                     502  a model's server failed
    │   ├── RateLimited              502  it asks for a pause
    │   ├── Rejected                 400  the model's server calls the request wrong
    │   │   └── TooLong              400  the input is longer than a model takes
    │   ├── CutOff                   502  it stopped in the middle of a reply
    │   ├── DeadlineExceeded         504  the action took too long
    │   ├── SystemFailed             502  a system of record failed (tools/failures.py)
    │   │   └── ClientLacks          502  it wants to ask the caller's program first (tools/failures.py)
    │   ├── NotAuthorised            403  it does not let this person do it (tools/failures.py)
    │   │   └── CredentialRefused    403  it does not know the credential (tools/failures.py)
    │   ├── ResultTooLarge           502  it gave back more than is taken (tools/failures.py)
    │   └── NoServer                 502  no Fairlead answers the command line (cli/asking.py)
    └── Broken                       500  a fault of Fairlead's own
        └── Away                     503  the state database cannot be used just now (storage/store.py)

The class docstring is what `fairlead explain CODE` prints. `step` is one of the nine stages of the governed path.
"""

import difflib
from collections.abc import Callable, Iterable
from typing import ClassVar, Final

_MOST_SHOWN: Final = 16  # names in a mend


class FairleadError(Exception):
    """Something failed in a way that Fairlead foresaw."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.mend = mend
        self.step = step
        self.subject = subject
        self.run = ""


class Unauthenticated(FairleadError):
    """The caller showed no valid credential.

    Send `Authorization: Bearer KEY` with a key made by `fairlead key add`, or an access token of an identity
    provider that the workspace names under `identity:`. Keys expire and can be revoked; tokens must name the
    workspace's audience.
    """

    code = "unauthenticated"
    status = 401


class BadInput(FairleadError):
    """The request, or a file of the workspace, is not well formed.

    The message names the field or the line. Nothing was changed and nothing was spent.
    """

    code = "bad_input"
    status = 400

    def __init__(
        self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "", param: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.param = param  # the field of a request's body, as a path into it, where one is to blame


class NotFound(BadInput):
    """What was asked for does not exist here, or is not visible to this caller."""

    code = "not_found"
    status = 404


class Refused(FairleadError):
    """The request was understood and is not allowed."""

    code = "refused"
    status = 403


class Denied(Refused):
    """A policy forbids the action, or no policy permits it (Fairlead denies by default).

    `fairlead policy explain RUN` names the policies that decided and shows what they read.
    """

    code = "denied"


class Stopped(Refused):
    """Somebody, or a control, has stopped this: the caller, their agent or department, every model that may answer, or
    the whole organisation.

    A stop comes before every policy and lasts until it is resumed or its time is over. `fairlead stops` lists what is
    stopped, since when and why; `fairlead resume` ends a stop. `stop` is its id, under which the log has it.
    """

    code = "stopped"

    def __init__(
        self, message: str, *, why: str = "", mend: str = "", step: str = "", subject: str = "", stop: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.stop = stop


class Withheld(Refused):
    """A model answered, and a rule keeps the answer from leaving.

    The attempt is billed, because the provider did the work. `policies` are those that decided; they stand in the
    record in place of those that had permitted the call.
    """

    code = "withheld"

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        mend: str = "",
        step: str = "",
        subject: str = "",
        policies: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, why=why, mend=mend, step=step, subject=subject)
        self.policies = policies


class NoCandidate(Refused):
    """No model is both permitted and able to do this task.

    Every model that was dropped keeps its reason: see the message, or `fairlead trace RUN`.
    """

    code = "no_candidate"


class OverBudget(Refused):
    """The action might cost more than what is left under a cap.

    Fairlead holds the most that an action can cost before it runs, so a call near the cap is refused even if it
    would have turned out cheaper. Ask for fewer output tokens, use a cheaper model, wait for the next period, or
    have the cap raised in `budgets:` and published.
    """

    code = "over_budget"
    status = 429

    def __init__(
        self, *, scope: str, period: str, left: int, needed: int, said: str = "", why: str = "", mend: str = ""
    ) -> None:
        super().__init__(
            said or f"budget {scope} for {period} has {left / 1e9:.6f} left; this call may cost {needed / 1e9:.6f}",
            why=why or "Fairlead reserves the most that a call can cost before it is made",
            mend=mend
            or "lower max_tokens, choose a cheaper model, or raise the cap under `budgets:` and run `fairlead apply`",
            step="reserve",
            subject=scope,
        )
        self.scope, self.period, self.left, self.needed = scope, period, left, needed

    def told_in(self, exact: Callable[[int], str], unit: str) -> "OverBudget":
        """The same, with amounts as the workspace counts them."""
        said = f"budget {self.scope} for {self.period} has {exact(self.left)} {unit} left; this call may cost "
        return self.mended(said=said + f"{exact(self.needed)} {unit}")

    def mended(self, *, said: str = "", why: str = "", mend: str = "") -> "OverBudget":
        """The same, in other words."""
        return OverBudget(
            scope=self.scope,
            period=self.period,
            left=self.left,
            needed=self.needed,
            said=said or self.message,
            why=why or self.why,
            mend=mend or self.mend,
        )


class Unpriced(Refused):
    """Nobody has said what this model costs, so no call to it can be held against a budget.

    Add its price under `prices:` in fairlead.yaml (per million tokens) and publish.
    """

    code = "unpriced"
    status = 422


class Overloaded(Refused):
    """This worker takes no new work just now: its journal is full, or it has lost touch with the shared state.

    Retry after the seconds given in `Retry-After`. Nothing was spent.
    """

    code = "overloaded"
    status = 503

    def __init__(
        self, message: str, *, retry_after: float = 1.0, why: str = "", mend: str = "", step: str = ""
    ) -> None:
        super().__init__(message, why=why, mend=mend or "retry after a short wait", step=step)
        self.retry_after = retry_after


class Upstream(FairleadError):
    """A model's server could not be reached, or answered with an error, and no other candidate was left.

    `charged` says what the provider may bill: "no" (it refused before working), "unknown" (it may have worked), or
    "part" (it produced some of the reply).
    """

    code = "upstream"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        mend: str = "",
        subject: str = "",
        retryable: bool = True,
        charged: str = "no",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, why=why, mend=mend, step="attempt", subject=subject)
        self.retryable = retryable
        self.charged = charged
        self.retry_after = retry_after


class RateLimited(Upstream):
    """The model's server asks for a pause (HTTP 429)."""

    code = "upstream_rate_limited"


class Rejected(Upstream):
    """The model's server calls the request itself wrong; sending it elsewhere unchanged would not help."""

    code = "upstream_rejected"
    status = 400


class TooLong(Rejected):
    """The input is longer than the context of every model that may answer it.

    Shorten the messages, ask for fewer output tokens, or name a model with a longer context. The code is the one by
    which clients of many protocols know it, so that they can shorten and try again by themselves.
    """

    code = "context_length_exceeded"


class CutOff(Upstream):
    """The model's server stopped in the middle of a reply.

    What it produced was delivered and billed; the stream ends with an error event, never with `[DONE]`.
    """

    code = "upstream_cut_off"


class DeadlineExceeded(Upstream):
    """The action did not finish within its deadline (`defaults.deadline`, or the task type's own)."""

    code = "deadline_exceeded"
    status = 504


class Broken(FairleadError):
    """A fault of Fairlead's own. The run id and the log hold the details; please report it."""

    code = "broken"
    status = 500


def closest(word: str, known: Iterable[str]) -> str:
    """A mend that names the known word most like this one, or lists the known ones; "" if there are none."""
    words = sorted(known)
    like = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if like:
        return f"did you mean `{like[0]}`?"
    if not words:
        return ""
    shown = ", ".join(f"`{name}`" for name in words[:_MOST_SHOWN])
    return f"known here: {shown}" + (", …" if len(words) > _MOST_SHOWN else "")
