"""Which failed checks of a run were taken by their step's `otherwise`: kept nowhere, so the run is walked again."""

import asyncio
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fairlead.workflows.bundle import Bundle
from fairlead.workflows.graph import every_step
from fairlead.workflows.opened import Opened
from fairlead.workflows.programs import bundle_of
from fairlead.workflows.tracing.pictured import MOST_STEPS
from fairlead.workflows.tracing.replaying import Rerun, TooLong, rerun


def caught_checks(opened: Opened, asked: Collection[str]) -> list[dict[str, Any]]:
    """Each with its place and what was wrong. `asked` are the places that it waits for. None where no step could have
    one, and where the run has done too much to be walked again for this. Call it in a thread."""
    if len(opened.results) > MOST_STEPS or not _may(bundle_of(opened.definition)):
        return []
    try:
        with ThreadPoolExecutor(1) as apart:  # whoever asks may be in a loop already
            return list(_caught(apart.submit(lambda: asyncio.run(rerun(opened, asked, most=MOST_STEPS))).result()))
    except TooLong:
        return []


def _may(bundle: Bundle) -> bool:
    """Whether a step has a check, or gives what a schema wants, and an `otherwise`."""
    every = (step for name in (bundle.name, *bundle.subflows) for _, step in every_step(bundle.of(name).steps))
    return any(step.otherwise and (step.check or getattr(step.model or step.agent, "gives", None)) for step in every)


def _caught(run: Rerun) -> Iterator[dict[str, Any]]:
    for each in run.steps.values():
        failed = each.caught
        if failed is not None and failed.kind == "check" and failed.at == each.at.text:
            message = f"{failed.message}; what its `otherwise` says took its place"
            yield {"at": failed.at, "kind": failed.kind, "code": failed.code, "message": message, "mend": failed.mend}
