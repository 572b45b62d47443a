"""A doubt whether what was stitched holds the answer: told to the model and to the caller, and never a refusal."""

import asyncio
from typing import Final

from msgspec.structs import replace

from fairlead.context import Pack
from fairlead.evidence import Reader, answerable
from fairlead.execution.sufficiency import Enough, Required
from fairlead.tasks.types import Task

NEED: Final = "an answer"
_CAUTION: Final = (
    "The passages may not hold what is asked ({why}). If they do not, say so in plain words, and do not answer from "
    "elsewhere."
)


async def doubted(task: Task, pack: Pack, enough: Enough, reader: Reader | None) -> Enough:
    """What is known with a doubt added, where the task type asks for one and the local checker has it. In a thread: it
    takes about a millisecond a passage, and up to a second in all where a `reader` reads the nearest of them."""
    if not task.type.answerable or not pack.passages:
        return enough
    found = await asyncio.to_thread(answerable, task.question, pack.passages, reader)
    if found.score >= task.type.answerable:
        return enough
    why = "; ".join(found.reasons) or "what they say comes near it, and no more"
    said = f"the pages that were found may not hold the answer ({why})"
    return replace(
        enough,
        told=(*enough.told, Required(NEED, "missing", "caveat", said)),
        caution="\n".join(filter(None, (enough.caution, _CAUTION.format(why=why)))),
        notes=(*enough.notes, said),
    )
