"""How a run begins: the workflow by its name, its input as the definition wants it, once for each name of a start."""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.errors import BadInput, NotFound, closest
from fairlead.workflows.definition import Bundle
from fairlead.workflows.forms import Form
from fairlead.workflows.runs import Started

LONGEST_ONCE: Final = 200  # characters


def started(
    workflows: Mapping[str, Bundle], name: str, given: Any, *, once: str = "", priority: int | None = None, door: str
) -> Started:
    """What `Runs.begin` takes. Raises `NotFound` for no such workflow, `BadInput` naming what is wrong with `given`."""
    bundle = workflows.get(name)
    if bundle is None:
        raise NotFound(
            f"there is no workflow {name!r}",
            why="" if workflows else "this workspace has none",
            mend=closest(name, workflows) or "write workflows/NAME.yaml, then `fairlead apply`",
            subject=name,
        )
    if len(once) > LONGEST_ONCE:
        raise BadInput(
            f"`once` has {len(once)} characters", why=f"{LONGEST_ONCE} are the most", mend="shorten it", param="once"
        )
    definition = bundle.definition
    value, wrong = Form({"type": "object", **definition.input}, "input").taken({} if given is None else given)
    if wrong:
        raise BadInput(
            f"the input of {name} does not fit: {wrong}",
            mend=f"`fairlead workflow show {name}` tells what it takes",
            param="input",
            subject=name,
        )
    return Started(
        workflow=name,
        digest=bundle.digest,
        body=bundle.body,
        input=value,
        once=once,
        priority=definition.priority if priority is None else priority,
        door=door,
    )
