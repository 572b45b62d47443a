"""An example as it is given away: without what policies have taken out of requests, whoever is asked and under
whatever conditions. Who trains on it is not known, so the strictest of them counts."""

from collections.abc import Iterable, Iterator

import msgspec

from fairlead.errors import Broken, NotRedactable
from fairlead.learning.examples import said
from fairlead.learning.taught import Example
from fairlead.models.types import ChatRequest, Message
from fairlead.policy import Policy


def redacted(examples: Iterable[Example], policy: Policy) -> Iterator[Example | None]:
    """Each with marks in the place of such values, the same for a value throughout an example. None for one out of
    which they cannot be taken, such as a number of an answer in JSON."""
    for each in examples:
        try:
            yield _redacted(each, policy)
        except (Broken, NotRedactable, msgspec.DecodeError):
            yield None


def _redacted(example: Example, policy: Policy) -> Example:
    content = example.content
    if not policy.redacts:
        return example
    texts = [
        *content.messages,
        ("assistant", said(content.answer)),
        *(("assistant", each.text) for each in content.rejected),
    ]
    request = ChatRequest(model="", messages=[Message(role="user", content=text) for _, text in texts], size=0)
    left, _ = policy.redact(request, policy.detect_request(request), policy.redacts)
    words = [str(each.content) for each in left.messages]
    count = len(content.messages)
    answer = words[count] if isinstance(content.answer, str) else msgspec.json.decode(words[count])
    rejected = [
        msgspec.structs.replace(each, text=text)
        for each, text in zip(content.rejected, words[count + 1 :], strict=True)
    ]
    messages = [(role, text) for (role, _), text in zip(content.messages, words, strict=False)]
    return Example(example.row, msgspec.structs.replace(content, messages=messages, answer=answer, rejected=rejected))
