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
    │   ├── BadExpression            400  an expression does not compile, or fails (workflows/expression_errors.py)
    │   ├── Unencrypted              403  it came in plain text from where that may not be (server/proxy.py)
    │   ├── TooLarge                 413  the request is larger than the door takes (server/http.py)
    │   └── TooSlow                  408  the request did not arrive in time (server/http.py)
    ├── Refused                      403  understood, and not allowed
    │   ├── Denied                   403  a policy forbids it
    │   │   └── NotRedactable        403  what must not leave cannot be taken out
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

The class docstring is what `fairlead explain CODE` prints. `step` is one of the nine stages of the governed path. Those
without a file of their own are in `error_kinds/`.
"""

from fairlead.error_kinds.foreseen import BadInput, Broken, FairleadError, NotFound, Unauthenticated
from fairlead.error_kinds.nearest import closest
from fairlead.error_kinds.refused import (
    Denied,
    NoCandidate,
    NotRedactable,
    OverBudget,
    Overloaded,
    Refused,
    Stopped,
    Unpriced,
    Withheld,
)
from fairlead.error_kinds.upstream import CutOff, DeadlineExceeded, RateLimited, Rejected, TooLong, Upstream

__all__ = [
    "BadInput",
    "Broken",
    "CutOff",
    "DeadlineExceeded",
    "Denied",
    "FairleadError",
    "NoCandidate",
    "NotFound",
    "NotRedactable",
    "OverBudget",
    "Overloaded",
    "RateLimited",
    "Refused",
    "Rejected",
    "Stopped",
    "TooLong",
    "Unauthenticated",
    "Unpriced",
    "Upstream",
    "Withheld",
    "closest",
]
