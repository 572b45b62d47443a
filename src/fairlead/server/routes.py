"""Every door, on one page."""

from typing import Final

from fairlead.server.anthropic.count_tokens import CountTokens
from fairlead.server.anthropic.errors import encode_error as encode_messages_error
from fairlead.server.anthropic.messages import Messages
from fairlead.server.anthropic.request_id import with_request_id
from fairlead.server.approval_page import PAGE, AnswerByLink, ShownByLink
from fairlead.server.approvals import AnswerApproval, ShownApprovals
from fairlead.server.approvals_page import PATH as APPROVALS
from fairlead.server.approvals_page import AnswerOnPage, ApprovalsPage
from fairlead.server.browser import Browser
from fairlead.server.chat_door import ChatDoor
from fairlead.server.connect_page import CONNECT, CONNECTED, CONNECTIONS, Connect, Connected, ConnectPage
from fairlead.server.connections_page import ConnectionsPage, Disconnect
from fairlead.server.door import EncodeError
from fairlead.server.feedback import PATH as FEEDBACK
from fairlead.server.feedback import GiveFeedback
from fairlead.server.grants import PATH as GRANTS
from fairlead.server.grants import EndGrant, ShownGrants
from fairlead.server.health import Live, Ready
from fairlead.server.how_to_sign_in import PATH as HOW_TO_SIGN_IN
from fairlead.server.how_to_sign_in import HowToSignIn, WhoAmI
from fairlead.server.http import Endpoint
from fairlead.server.login import CALLBACK, LOGIN, Callback, Me, SignIn, SignOut
from fairlead.server.mcp.door import McpDoor
from fairlead.server.mcp.door import encode_error as encode_mcp_error
from fairlead.server.mcp.resource import PATH as RESOURCE
from fairlead.server.mcp.resource import ProtectedResource
from fairlead.server.memory import PATH as MEMORY
from fairlead.server.memory import forgotten_memory, shown_memory
from fairlead.server.model_list import ModelList, OneModel
from fairlead.server.openai.chat import ChatCompletions
from fairlead.server.openai.completions import Completions
from fairlead.server.openai.embeddings import EmbeddingsDoor
from fairlead.server.openai.errors import encode_error
from fairlead.server.openai.remembered import (
    NewConversation,
    deleted_conversation,
    deleted_response,
    shown_conversation,
    shown_response,
)
from fairlead.server.openai.responses import Responses
from fairlead.server.openai.responses_memory import ResponseMemory
from fairlead.server.proposals import PATH as PROPOSALS
from fairlead.server.proposals import Propose, ShownProposals
from fairlead.server.running import Running
from fairlead.server.scim.door import METHODS, ScimDoor
from fairlead.server.scim.errors import encode_error as encode_scim_error
from fairlead.server.scim.resources import ROOT as SCIM
from fairlead.server.session_memory import SessionMemory, deleted_session, shown_session
from fairlead.server.workflows import PATH as WORKFLOWS
from fairlead.server.workflows import QUESTIONS, RUNS, BeginRun, OrderRun, ShownRuns

PROBES: Final = frozenset(("/healthz", "/readyz"))


def routes(running: Running, max_body: int) -> dict[tuple[str, str], Endpoint]:
    """Endpoints by method and path. A path that ends in "/" takes everything below it."""
    fairlead, sessions, grants = running.fairlead, running.sessions, running.grants
    browser = Browser(fairlead, running.signed_in)
    mcp = McpDoor(fairlead, max_body, browser.approval_page)
    by_name, resource = SessionMemory(sessions), ProtectedResource(fairlead)
    scim = ScimDoor(fairlead, *running.people, max_body)
    return {
        ("POST", "/v1/chat/completions"): ChatDoor(fairlead, ChatCompletions(), max_body, by_name),
        ("POST", "/v1/completions"): ChatDoor(fairlead, Completions(), max_body),
        ("POST", "/v1/embeddings"): EmbeddingsDoor(fairlead, max_body),
        ("POST", "/v1/responses"): ChatDoor(
            fairlead, Responses(fairlead.clock), max_body, ResponseMemory(sessions, fairlead.clock)
        ),
        ("GET", "/v1/responses/"): shown_response(fairlead, sessions),
        ("DELETE", "/v1/responses/"): deleted_response(fairlead, sessions),
        ("POST", "/v1/conversations"): NewConversation(fairlead, sessions, max_body),
        ("GET", "/v1/conversations/"): shown_conversation(fairlead, sessions),
        ("DELETE", "/v1/conversations/"): deleted_conversation(fairlead, sessions),
        ("POST", "/v1/messages"): with_request_id(ChatDoor(fairlead, Messages(), max_body, by_name)),
        ("POST", "/v1/messages/count_tokens"): with_request_id(CountTokens(fairlead, max_body, by_name)),
        ("GET", "/v1/sessions/"): shown_session(fairlead, sessions),
        ("DELETE", "/v1/sessions/"): deleted_session(fairlead, sessions),
        ("POST", "/mcp"): mcp,
        ("POST", "/mcp/"): mcp,
        ("GET", "/mcp"): mcp,
        ("GET", "/mcp/"): mcp,
        ("GET", RESOURCE): resource,
        ("GET", f"{RESOURCE}/mcp"): resource,
        ("GET", f"{RESOURCE}/mcp/"): resource,
        ("GET", "/v1/approvals"): ShownApprovals(fairlead),
        ("GET", "/v1/approvals/"): ShownApprovals(fairlead),
        ("POST", "/v1/approvals/"): AnswerApproval(fairlead, max_body),
        ("POST", PROPOSALS): Propose(fairlead, running.proposals, max_body),
        ("GET", PROPOSALS): ShownProposals(fairlead, running.proposals),
        ("GET", f"{PROPOSALS}/"): ShownProposals(fairlead, running.proposals),
        ("POST", FEEDBACK): GiveFeedback(fairlead, running.feedback, max_body),
        ("POST", f"{WORKFLOWS}/"): BeginRun(fairlead, running.workflows, max_body),
        ("POST", f"{RUNS}/"): OrderRun(fairlead, running.workflows, max_body),
        ("GET", RUNS): ShownRuns(fairlead, running.workflows),
        ("GET", f"{RUNS}/"): ShownRuns(fairlead, running.workflows),
        ("GET", QUESTIONS): ShownRuns(fairlead, running.workflows),
        ("GET", GRANTS): ShownGrants(fairlead, grants),
        ("GET", f"{GRANTS}/"): ShownGrants(fairlead, grants),
        ("DELETE", f"{GRANTS}/"): EndGrant(fairlead, grants),
        ("GET", MEMORY): shown_memory(fairlead),
        ("GET", f"{MEMORY}/"): shown_memory(fairlead),
        ("DELETE", MEMORY): forgotten_memory(fairlead),
        ("DELETE", f"{MEMORY}/"): forgotten_memory(fairlead),
        ("GET", PAGE): ShownByLink(fairlead),
        ("POST", PAGE): AnswerByLink(fairlead),
        **_pages(running, browser),
        ("GET", HOW_TO_SIGN_IN): HowToSignIn(fairlead, running.signed_in),
        ("GET", "/v1/whoami"): WhoAmI(fairlead),
        ("GET", "/v1/models"): ModelList(fairlead),
        ("GET", "/v1/models/"): OneModel(fairlead),
        **{(method, SCIM): scim for method in METHODS},
        ("GET", "/healthz"): Live(),
        ("GET", "/readyz"): Ready(fairlead),
    }


def _pages(running: Running, browser: Browser) -> dict[tuple[str, str], Endpoint]:
    """What people open with a browser in which they are signed in."""
    fairlead, signed_in, grants, consents = running.fairlead, running.signed_in, running.grants, running.consents
    approvals = ApprovalsPage(fairlead, browser)
    return {
        ("GET", LOGIN): SignIn(fairlead, signed_in, browser),
        ("GET", CALLBACK): Callback(fairlead, signed_in, browser),
        ("POST", "/logout"): SignOut(fairlead, signed_in, browser),
        ("GET", "/me"): Me(fairlead, browser),
        ("GET", APPROVALS): approvals,
        ("GET", f"{APPROVALS}/"): approvals,
        ("POST", f"{APPROVALS}/"): AnswerOnPage(fairlead, browser),
        ("GET", CONNECT): ConnectPage(fairlead, browser, grants),
        ("POST", CONNECT): Connect(fairlead, browser, grants, consents),
        ("GET", CONNECTED): Connected(fairlead, browser, consents),
        ("GET", CONNECTIONS): ConnectionsPage(fairlead, browser, grants),
        ("POST", f"{CONNECTIONS}/"): Disconnect(fairlead, browser, grants),
    }


def error_form(path: str, *, speaks_messages: bool = False) -> EncodeError:
    """How an error is said where no door was reached: in the form of the protocol that has the path, else in the one
    that most clients understand. At a path that protocols share it matters which one the client speaks."""
    if path.startswith(SCIM):
        return encode_scim_error
    if path == "/mcp" or path.startswith("/mcp/"):
        return encode_mcp_error
    at = f"{path}/"
    theirs = at.startswith("/v1/messages/") or (speaks_messages and at.startswith("/v1/models/"))
    return encode_messages_error if theirs else encode_error
