"""What the doors of a worker need of it."""

from typing import Protocol

from fairlead.context.upkeep.proposals import Proposals
from fairlead.execution import Fairlead
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.consents import Consents
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.learning.feedback import Feedback
from fairlead.storage.sessions import Sessions
from fairlead.workflows.asked import Workflows


class Running(Protocol):
    """The live parts of a worker, as `workspace.assemble` puts them together."""

    @property
    def fairlead(self) -> Fairlead: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def feedback(self) -> Feedback: ...

    @property
    def people(self) -> tuple[Directory, Groups]: ...

    @property
    def signed_in(self) -> BrowserSessions: ...

    @property
    def grants(self) -> GrantTokens: ...

    @property
    def consents(self) -> Consents: ...

    @property
    def proposals(self) -> Proposals: ...

    @property
    def workflows(self) -> Workflows: ...

    async def stop(self) -> None:
        """End what is under way and let go of everything. Nothing is served afterwards."""
