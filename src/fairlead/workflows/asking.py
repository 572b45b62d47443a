"""What a step asks of a model, as the governed path takes it, and what its reply comes to."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from fairlead.execution import Answer
from fairlead.labels import Labels
from fairlead.models.types import AUTO, ChatRequest, JsonSchemaSpec, Message, Part, ResponseFormat, TextPart, Tool
from fairlead.workflows.nodes import AgentNode, ModelNode, Schema
from fairlead.workflows.walk import Asked, Bounds, Place, StepFailed, StepResult

_REMEMBERED: Final = "Remembered"


def first_messages(asked: Asked) -> list[Message]:
    """What a question begins with; what is remembered goes as documents, which are data. After a reply that did not
    pass: that reply, and what is wrong with it."""
    messages = [Message(role="system", content=asked.instructions)] if asked.instructions else []
    prompt: str | list[Part] = asked.prompt
    if asked.memory:
        noted = [TextPart(f"{each}\n\n", title=_REMEMBERED) for each in asked.memory]
        prompt = [*noted, TextPart(asked.prompt)]
    messages.append(Message(role="user", content=prompt))
    if asked.wrong:
        messages.append(Message(role="assistant", content=asked.before))
        messages.append(Message(role="user", content=f"That does not pass: {asked.wrong}\nAnswer again."))
    return messages


def request_of(
    node: ModelNode | AgentNode, messages: Sequence[Message], labels: Labels, tools: Sequence[Tool] = ()
) -> ChatRequest:
    """The request of one question. `labels` are those of what stands in it, beside what detectors find."""
    form = _form(node.gives) if node.gives else None
    return ChatRequest(
        model=node.model or node.task or AUTO,
        messages=list(messages),
        size=len(msgspec.json.encode((messages, form, list(tools)))),
        max_output=node.max_output,
        response_format=form,
        tools=list(tools) or None,
        labels=labels,
    )


def result_of(at: Place, gives: Schema, asked: Asked, answer: Answer) -> StepResult:
    """What a settled question gave: data where a schema was declared. Raises `StepFailed` ("check") for no JSON."""
    choice = answer.reply.choices[0]
    text = choice.text
    return StepResult(
        value=data_of(at, text, answer.run, f"model:{answer.model.name}") if gives else text,
        text=text,
        labels=answer.labels,
        provenance=(f"model:{answer.model.name}",),
        run=answer.run,
        cost=answer.cost,
        read=asked.read(*pages_of(answer)),
        cut_off=choice.finish == "length",
    )


def pages_of(answer: Answer) -> list[str]:
    """The texts of the context that a model was given."""
    return [f"{each.title}\n{each.text}" for each in answer.passages]


def labels_of(bounds: Bounds) -> Labels:
    """What is known of a step's data, declared or by what it was made of, beside what detectors find in it."""
    return bounds.labels


def _form(schema: Schema) -> ResponseFormat:
    return ResponseFormat(type="json_schema", json_schema=JsonSchemaSpec(name="result", schema=schema))


def data_of(at: Place, text: str, run: str, source: str) -> Any:
    """The JSON of a reply of this source, also where a model has fenced it. Raises `StepFailed` where there is none."""
    bare = text.strip()
    if bare.startswith("```"):
        bare = bare.partition("\n")[2].rpartition("```")[0]
    try:
        return msgspec.json.decode(bare)
    except (ValueError, RecursionError):
        reply = StepResult(text=text, provenance=(source,), run=run)
        raise StepFailed("check", "the reply is not JSON", at=at.text, code="no_json", run=run, result=reply) from None
