"""The governed path: every action, whatever door it came in by, goes through here."""

from fairlead.execution.answer import Answer, Quote, Remember
from fairlead.execution.choices import Reply, ReplyChoice, merged_logprobs
from fairlead.execution.deployment import Defaults, Deployment, Fairlead
from fairlead.execution.embed import Embedded, embed, quote_embedding
from fairlead.execution.model_call import call_model
from fairlead.execution.quoting import quote
from fairlead.execution.release import Deliver
from fairlead.execution.visible_models import visible_models

__all__ = [
    "Answer",
    "Defaults",
    "Deliver",
    "Deployment",
    "Embedded",
    "Fairlead",
    "Quote",
    "Remember",
    "Reply",
    "ReplyChoice",
    "call_model",
    "embed",
    "merged_logprobs",
    "quote",
    "quote_embedding",
    "visible_models",
]
