"""What a model would see of a text, for people who want to know before they ask."""

from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest, Message
from fairlead.policy.policy import Policy
from fairlead.policy.pseudonyms import Pseudonyms
from fairlead.policy.types import Decision


def as_seen(policy: Policy, text: str, decision: Decision) -> str:
    """The text without what the decision takes out of it. Its pseudonyms are made for nobody: in a conversation they
    are others."""
    request = ChatRequest(model="", messages=[Message("user", text)], size=len(text.encode()))
    nobodys = Pseudonyms(b"nobody")
    sent, _ = policy.redact(request, policy.detect(request), decision.redact, decision.pseudonymise, nobodys)
    return text_of(sent.messages[0])
