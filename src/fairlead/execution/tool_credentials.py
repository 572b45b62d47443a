"""By what a system is to know the caller of an action, and by what else where it did not."""

from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.identity.no_credential import NoCredential
from fairlead.tools.failures import CredentialRefused
from fairlead.tools.systems import System
from fairlead.tools.types import Credential


async def credential_for(fairlead: Fairlead, deployment: Deployment, action: Action, system: System) -> Credential:
    """By what the system is to know this caller. Raises `NoCredential`, `NotAuthorised`."""
    deadline = fairlead.clock.monotonic() + system.settings.timeout
    return await deployment.credentials.of(action.caller, action.arrival.token, system, deadline)


async def renewed_credential(
    deployment: Deployment, action: Action, system: System, refused: Credential, deadline: float
) -> Credential | None:
    """Another in place of one that the system did not know; None where there is none. Raises `Upstream`."""
    try:
        return await deployment.credentials.renewed(action.caller, system, refused, deadline)
    except NoCredential as error:  # nothing was done, so nothing is charged: as the system's own refusal
        raise CredentialRefused(
            error.message, why=error.why, mend=error.mend, subject=error.subject, retryable=False
        ) from error
