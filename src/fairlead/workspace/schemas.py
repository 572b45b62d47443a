"""JSON Schemas of every file of a workspace, made from the very structs that read them. Editors complete and check."""

import inspect
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from fairlead.context.sources.settings import SourcesFile
from fairlead.controls import ControlSettings
from fairlead.policy import RulesFile
from fairlead.tasks import TaskSettings
from fairlead.tools.cards import SystemCard
from fairlead.workflows.definition import Definition
from fairlead.workspace.page_schema import PageFrontMatter, with_kinds
from fairlead.workspace.settings import PolicyTestsFile, WorkspaceSettings

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_SAID_HERE: Final[Mapping[str, Mapping[str, str]]] = {
    "Placement": {
        "kind": "On this device, on the organisation's own machines, or in a cloud.",
        "region": "Where in the world, such as `eu-central-1`.",
        "vendor": "Whose machines these are.",
        "retention_days": "For how many days the vendor keeps what it is sent; 0 for not at all. Unknown if left out.",
    },
    "BudgetsSettings": {
        "departments": "Caps by department; `*` for each that is not named.",
        "persons": "Caps by person; `*` for each that is not named.",
        "tasks": "Caps by task type; `*` for each that is not named.",
        "workflows": "Caps by workflow, over all of its runs; `*` for each that is not named.",
    },
    **{
        name: {"use": "How the system is spoken to."}
        for name in ("McpSettings", "OpenApiSettings", "SqlSettings", "PythonSettings")
    },
    **{
        name: {"kind": "`aggregate`: a table of groups; `decision`: somebody decides about a text."}
        for name in ("AggregateSetting", "DecisionSetting")
    },
    **{
        name: {"from": "What kind of source it is."}
        for name in ("FolderSource", "DocumentsSource", "GitSource", "McpSource")
    },
    "PriceSettings": {"tiers": "Prices of longer requests, ascending."},
    "PolicyCase": {
        "action": "What is asked.",
        "task": "The task type of the request.",
        "door": "By which door the request came.",
        "facts": "What was read out of the reply, for `release_reply`.",
    },
    "CaseCaller": {
        "person": "The person's stable name.",
        "groups": "The person's groups.",
        "department": "The person's department.",
        "roles": "The person's roles.",
        "agent": "The program that acts for the person.",
        "tenant": "The person's tenant.",
    },
    "CaseItem": {
        "id": "The page's path below context/, without its suffix.",
        "audience": "Whom the page is for.",
        "owner": "Who answers for the page.",
        "class": "How far its text may travel.",
    },
}
"""What keys mean whose structs do not say it themselves."""

FILES: Final[Mapping[str, tuple[str, Any]]] = {
    "fairlead.schema.json": ("fairlead.yaml", WorkspaceSettings),
    "rules.schema.json": ("rules/*.yaml", RulesFile),
    "task.schema.json": ("tasks/*.yaml", TaskSettings),
    "system.schema.json": ("systems/NAME.yaml", SystemCard),
    "control.schema.json": ("controls/*.yaml", ControlSettings),
    "policy-tests.schema.json": ("policies/tests.yaml", PolicyTestsFile),
    "workflow.schema.json": ("workflows/NAME.yaml", Definition),
    "sources.schema.json": ("context/sources.yaml", SourcesFile),
    "context-front-matter.schema.json": ("front matter of context/**/*.md", PageFrontMatter),
}


@cache
def json_schemas() -> Mapping[str, bytes]:
    """Each schema's text by its file name, formatted for reading and for comparing."""
    return {name: _text(name, title, kind) for name, (title, kind) in FILES.items()}


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas into `folder`, in place of older ones. Returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in json_schemas().items():
        (folder / name).write_bytes(text)
        written.append(folder / name)
    return written


def _text(name: str, title: str, kind: Any) -> bytes:
    schema = msgspec.json.schema(kind)
    if kind is PageFrontMatter:
        schema = with_kinds(schema)
    for struct, keys in _SAID_HERE.items():
        for key, said in keys.items():
            _describe(schema["$defs"].get(struct), key, said)
    top = {"$schema": _DRAFT, "$id": name, "title": f"Fairlead: {title}", **_tidy(schema)}
    return (json.dumps(top, indent=2, ensure_ascii=False) + "\n").encode()


def _describe(definition: dict[str, Any] | None, key: str, said: str) -> None:
    """Say what a key means. Beside a `$ref` too: since draft 2019-09 it may have siblings."""
    if definition is not None and key in definition["properties"]:
        definition["properties"][key] = {"description": said, **definition["properties"][key]}


def _says_nothing(key: str, value: Any) -> bool:
    return (key == "required" and value == []) or (key == "default" and isinstance(value, dict))


def _tidy(part: Any) -> Any:
    """Descriptions without the source's line breaks; `required` and defaults only where they tell something."""
    if isinstance(part, list):
        return [_tidy(each) for each in part]
    if not isinstance(part, dict):
        return part
    tidied = {key: _tidy(value) for key, value in part.items() if not _says_nothing(key, value)}
    if isinstance(tidied.get("description"), str):
        paragraphs = inspect.cleandoc(tidied["description"]).split("\n\n")
        tidied["description"] = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return tidied
