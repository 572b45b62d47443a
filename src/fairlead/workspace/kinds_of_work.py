"""The task types of a workspace, each a file below tasks/, as they are recognised."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from fairlead.errors import BadInput
from fairlead.execution.extraction import check_schema
from fairlead.tasks import TaskSettings, TaskTypes, compile_tasks
from fairlead.tasks.meaning import InstalledEncoder
from fairlead.workspace.findings import Findings
from fairlead.workspace.places import placed
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import task_name

_USUAL_CONTEXT: Final = 1500  # tokens, where a workspace has pages and says nothing


def compiled_tasks(
    findings: Findings, settings: WorkspaceSettings, types: Mapping[str, TaskSettings | None], *, has_pages: bool
) -> TaskTypes | None:
    """The declared kinds of work, and what is recognised as none. Not where anything at all is wrong: what learns from
    the examples takes its time."""
    sound = {task_name(path): one for path, one in types.items() if one is not None}
    for name, one in sound.items():
        _task_types(findings, {name: one})
        findings.checked(f"tasks/{name}.yaml", partial(check_schema, "extracts", one.extracts))
    if findings.problems or len(sound) < len(types):
        return None
    default = settings.defaults.task if settings.defaults.task in sound else ""
    context = settings.defaults.context
    if context is None:
        context = _USUAL_CONTEXT if has_pages else 0
    encoder = None
    if settings.defaults.recognise == "meaning":
        encoder = findings.tried(InstalledEncoder)
        if encoder is None:
            return None
    return _task_types(findings, sound, default, context, encoder)


def _task_types(
    findings: Findings,
    types: Mapping[str, TaskSettings],
    default: str = "",
    context: int = 0,
    encoder: InstalledEncoder | None = None,
) -> TaskTypes | None:
    try:
        return compile_tasks(types, default=default, context=context, encoder=encoder)
    except BadInput as error:
        # The message begins with the type's name, which is the file's.
        name = max((one for one in types if error.message.startswith((f"{one}.", f"{one}:"))), key=len)
        said = re.sub(rf"(?<![\w.-]){re.escape(name)}\.", "", error.message.removeprefix(f"{name}:")).strip()
        about = BadInput(said, why=error.why, mend=error.mend)
        findings.problems.append(placed(about, findings.documents[f"tasks/{name}.yaml"]))
        return None
