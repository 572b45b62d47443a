"""A test that a workspace writes for its own policies (`policies/tests.yaml`), as data."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.labels import ClassName
from fairlead.models.door_names import DoorName


class CaseCaller(Struct, frozen=True, forbid_unknown_fields=True):
    """Who asks in a test."""

    person: str = "someone"
    groups: tuple[str, ...] = ()
    department: str = ""
    roles: tuple[str, ...] = ()
    agent: str = ""
    tenant: str = ""


class CaseItem(Struct, frozen=True, forbid_unknown_fields=True, rename={"data_class": "class"}):
    """A context item in a test."""

    id: str = ""
    audience: tuple[str, ...] = ()
    owner: str = ""
    data_class: ClassName = "public"


class PolicyCase(Struct, frozen=True, forbid_unknown_fields=True, rename={"data_class": "class"}):
    """One test: a question, and the answer that is expected."""

    name: Annotated[str, Meta(description="What the test shows.")]
    expect: Annotated[
        Literal["allow", "ask", "deny", "redact"],
        Meta(description="redact: allowed once something is out; ask: of a tool's call, allowed once a person agrees."),
    ]
    action: Literal["call_model", "call_tool", "read_context", "release_reply", "start_workflow"] = "call_model"
    caller: CaseCaller = CaseCaller()
    model: Annotated[
        str, Meta(description="A model of the workspace; one with deployments stands for each of them.")
    ] = ""
    item: CaseItem | None = None
    tool: Annotated[str, Meta(description="Of `call_tool`: the tool, as `system.tool`.")] = ""
    arguments: Annotated[dict[str, Any], Meta(description="Of `call_tool`: what the tool is called with.")] = {}
    sources: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="Of `call_tool`: where arguments come from that are not the caller's own words."),
    ] = {}
    read: Annotated[
        tuple[str, ...], Meta(description="Of `call_tool`: what the run has read, as `tool:shop.order`.")
    ] = ()
    workflow: Annotated[str, Meta(description="Of `start_workflow`: the workflow; `class` is the one it declares.")] = (
        ""
    )
    task: str = ""
    door: DoorName | None = None
    text: Annotated[str, Meta(description="Text whose labels the detectors find.")] = ""
    labels: Annotated[tuple[str, ...], Meta(description="Categories, beside those found in `text`.")] = ()
    asked: Annotated[tuple[str, ...], Meta(description="Of a reply: the categories of the request.")] = ()
    data_class: Annotated[ClassName, Meta(description="The data class, where higher than that of `text`.")] = "public"
    facts: dict[str, str | bool | int | float] = {}
    by: Annotated[str, Meta(description="The id of a policy that must be among those that decided.")] = ""
    redact: Annotated[tuple[str, ...], Meta(description="Exactly the categories to be taken out.")] = ()
