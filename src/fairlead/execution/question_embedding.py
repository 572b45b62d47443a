"""What a question means to the workspace's model for embeddings: an embedding of its own, governed as every other.

Whatever comes between, the question is searched by words alone, and the answer says so.
"""

import asyncio
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from fairlead.context import Context
from fairlead.context.search import QUESTION_END
from fairlead.context.vector_rows import packed_vector
from fairlead.context.vector_space import AskedVector, VectorSpace
from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.errors import FairleadError
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.embed import Embedded, embed
from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.embedding import EmbedRequest
from fairlead.tasks.types import Task, TaskType

DOOR: Final = "context.question"
WORDS_ONLY: Final = "words_only"
_GRACE: Final = 0.5  # seconds for what an embedding does beside waiting for its model


async def asked_vector(
    fairlead: Fairlead,
    deployment: Deployment,
    context: Context,
    action: Action,
    task: Task,
    sought: str,
    labels: Labels,
) -> AskedVector | None:
    """What is sought, as a vector, None where it is searched by words alone. `labels` are known of the question beside
    what detectors find in it. The action is flagged where there ought to be a vector; its cost counts to the action."""
    space, pages = deployment.vectors, context.vectors
    text = sought[:QUESTION_END]
    if space is None or pages is None or not text.strip():
        return None
    there = pages.embedded
    with action.step("question"):
        vector, why = b"", "no_vectors"
        if there.sections:
            key = sha256(f"{pages.key}\0{text}".encode()).hexdigest()
            vector, why = await _vector(fairlead, deployment, action, task, text, labels, key)
        if len(vector) // 4 == there.length and vector:
            return AskedVector(pages.key, there.upto, space.near, vector)
        action.trace.note(vector=why)
        if not action.arrival.dry_run:
            action.flags.append(WORDS_ONLY)
    return None


async def _vector(
    fairlead: Fairlead, deployment: Deployment, action: Action, task: Task, text: str, labels: Labels, of: str
) -> tuple[bytes, str]:
    """The vector of a text, and why there is none that could be used. An estimate asks no model."""
    key = (deployment.revision, action.caller, task.type.name, of)
    vector, epoch = fairlead.asked.get(key), fairlead.asked.epoch
    if vector is None and action.arrival.dry_run:
        return b"", "not_asked"
    try:
        if vector is None:
            vector = packed_vector(await _embedded(fairlead, deployment, action, task, text, labels), "the question")
            fairlead.asked.keep(key, vector, epoch)
    except TimeoutError:
        return b"", "deadline_exceeded"
    except FairleadError as error:
        return b"", error.code
    return vector, "other_length"


async def asked_alone(fairlead: Fairlead, caller: Caller, question: str) -> AskedVector | None:
    """What a question means that is no part of a request, None where nothing is embedded. Raises as `embed` does, and
    `TimeoutError`."""
    deployment = fairlead.current()
    space, pages = deployment.vectors, deployment.context.vectors
    if space is None or pages is None or not pages.embedded.sections or not question.strip():
        return None
    arrival = Arrival(door=DOOR)
    kind = deployment.tasks.default.name
    done = await _asked(fairlead, space, caller, question[:QUESTION_END], NO_LABELS, kind, arrival)
    vector = packed_vector(done.vectors[0], "the question")
    same = len(vector) // 4 == pages.embedded.length
    return AskedVector(pages.key, pages.embedded.upto, space.near, vector) if same else None


async def _embedded(
    fairlead: Fairlead, deployment: Deployment, action: Action, task: Task, text: str, labels: Labels
) -> list[float]:
    """The vector, by a run of its own. Raises `TimeoutError`, and whatever the path raises."""
    space = deployment.vectors
    assert space is not None
    if action.arrival.deadline is not None:
        space = replace(space, within=min(space.within, action.arrival.deadline))
    with action.trace.waiting():
        came = action.arrival
        arrival = Arrival(door=DOOR, within=action.run, workflow=came.workflow, keep=came.keep)
        done = await _asked(fairlead, space, action.caller, text, labels, task.type.name, arrival)
    action.cost += done.answer.cost
    return done.vectors[0]


async def _asked(
    fairlead: Fairlead, space: VectorSpace, caller: Caller, text: str, labels: Labels, task: str, arrival: Arrival
) -> Embedded:
    request = EmbedRequest(model=space.model, texts=[text], size=len(text.encode()), purpose="query", labels=labels)
    kind = TaskType(name=task, deadline=space.within)
    arrival = replace(arrival, deadline=space.within, task=kind)
    async with asyncio.timeout(space.within + _GRACE):
        return await embed(fairlead, caller, request, arrival)
