"""What a workspace says about who may approve calls: the `approvals:` part of fairlead.yaml."""

from typing import Annotated

from msgspec import Meta, Struct


class ApproverSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `approvals.roles`: who has a role, beside those whose key or token names it."""

    persons: Annotated[tuple[str, ...], Meta(description="Persons who have it, as keys and tokens name them.")] = ()
    groups: Annotated[tuple[str, ...], Meta(description="Groups whose members have it.")] = ()
    quorum: Annotated[int, Meta(ge=1, le=10, description="How many different persons must agree.")] = 1
    escalate_to: Annotated[
        str, Meta(description="The role that may answer in its place after `escalate_after`. Default: none.")
    ] = ""
    escalate_after: Annotated[float, Meta(gt=0, le=720, description="Hours until then.")] = 4


class ApprovalSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`approvals:` in fairlead.yaml. Which calls need one, and of which role, is said by policies (`@approval`)."""

    roles: Annotated[dict[str, ApproverSettings], Meta(description="Who has which role.")] = {}
    managers: Annotated[
        dict[str, str], Meta(description="Whose `manager` is whom: a person by the person who reports to them.")
    ] = {}
    heads: Annotated[
        dict[str, str], Meta(description="The `manager` of those of whom `managers` says nothing, by department.")
    ] = {}
    organisation: Annotated[
        bool,
        Meta(
            description="Whether published pages of kind unit, role and flow say who manages whom, who has which role "
            "and what needs more agreement, where `roles`, `managers` and `heads` do not. Only pages count that are "
            "written here and verified by somebody whom they do not name."
        ),
    ] = False
    expires: Annotated[
        float, Meta(gt=0, le=720, description="Hours after which a question, or what was granted, is void.")
    ] = 24
    keep: Annotated[
        float,
        Meta(ge=0, le=3650, description="Days for which one is kept after its end. With `payloads: none`: not at all."),
    ] = 30
    through: Annotated[
        tuple[str, ...],
        Meta(
            description="Programs through which people may answer, as keys and tokens name them. Default: none, so "
            "that no agent answers with the rights of its person."
        ),
    ] = ()
    notify: Annotated[str, Meta(description="One of `alarms:`, which is called when something is asked.")] = ""
    link_hours: Annotated[float, Meta(gt=0, le=168, description="For how long a signed link can be used.")] = 8
