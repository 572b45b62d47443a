"""What a workspace may say about controls: `controls/*.yaml`, one file each, and `alarms:` in fairlead.yaml."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Words = tuple[str, ...]
Window = Annotated[
    str,
    Meta(pattern="^[1-9][0-9]{0,2}[mhd]$", examples=["5m", "24h", "30d"], description="Such as 5m, 1h, 24h or 30d."),
]


class Where(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records: those for which every key that is given fits. Of a key's words one is enough."""

    kind: Annotated[Words, Meta(min_length=1, description="What the record is about.")] = ("call_model",)
    outcome: Annotated[Words, Meta(description="How it ended: done, refused, failed, abandoned, orphaned.")] = ()
    error: Annotated[Words, Meta(description="Codes of errors, such as withheld or over_budget.")] = ()
    flags: Annotated[Words, Meta(description="Flags of the bill, such as reconcile or overrun.")] = ()
    categories: Annotated[Words, Meta(description="What detectors found; any of these.")] = ()
    data_class: Annotated[Words, Meta(description="The highest data class of the text.")] = ()
    model: Annotated[Words, Meta(description="Models that were attempted.")] = ()
    placement: Annotated[Words, Meta(description="Where they run: device, on_prem, cloud.")] = ()
    department: Annotated[Words, Meta(description="The callers' departments.")] = ()
    agent: Annotated[Words, Meta(description="The programs that acted.")] = ()
    task: Annotated[Words, Meta(description="Task types.")] = ()
    door: Annotated[Words, Meta(description="Doors, by the names that records give them.")] = ()
    policies: Annotated[Words, Meta(description="Ids of policies that decided.")] = ()
    hits: Annotated[Words, Meta(description="Rules that only watch or warn, and applied.")] = ()
    dropped_by: Annotated[Words, Meta(description="What dropped a model, such as health or stopped.")] = ()
    cost_over: Annotated[float, Meta(ge=0, description="Records that cost more, in units of the currency.")] | None = (
        None
    )


class OnBreach(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a breach does, beside being recorded."""

    alarm: Annotated[Words, Meta(description="Names of `alarms:` that are called.")] = ()
    stop: Annotated[
        Literal["agent", "model", "department", "person", "organisation"] | None,
        Meta(description="What is stopped: the one whose group is in breach (the same word as `by`), or everything."),
    ] = None
    stop_for: Annotated[
        Window | None, Meta(description="When the stop ends by itself. Default: when it is resumed.")
    ] = None


class ControlSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """controls/NAME.yaml: what must stay true of the records. It is in breach while the measure is over `most`."""

    title: Annotated[str, Meta(min_length=1, max_length=200, description="What it says, in a sentence.")]
    why: Annotated[str, Meta(max_length=1000, description="Why, and which rule or framework asks for it.")] = ""
    measure: Annotated[
        Literal["count", "share", "cost"],
        Meta(description="How many records fit `where`, which share of those that fit `among`, or what they cost."),
    ] = "count"
    where: Annotated[Where, Meta(description="The records that are counted.")] = Where()
    among: Annotated[Where | None, Meta(description="Of a share: the whole. Default: every action.")] = None
    by: Annotated[
        Literal["agent", "model", "department", "person", "task", "placement"] | None,
        Meta(description="Measured for each of these by itself. Records without one are left out."),
    ] = None
    window: Annotated[Window, Meta(description="Over which time up to now.")] = "24h"
    most: Annotated[float, Meta(ge=0, description="The most that is well: a number, a share such as 0.05, or money.")]
    well_at: (
        Annotated[float, Meta(ge=0, description="At which measure a breach is over. Default: nine tenths of `most`.")]
        | None
    ) = None
    least: Annotated[int, Meta(ge=1, description="Of a share: how many records it takes before it means anything.")] = (
        20
    )
    severity: Annotated[Literal["info", "warning", "critical"], Meta(description="For those who are alarmed.")] = (
        "warning"
    )
    on_breach: Annotated[OnBreach, Meta(description="What a breach does.")] = OnBreach()


class AlarmSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `alarms:`: a webhook. Its body holds ids and figures, never texts or names."""

    url: Annotated[str, Meta(description="Where it is posted. Redirects are not followed.")]
    secret: Annotated[str, Meta(pattern="^(env|file):.+", description="What signs it: `env:NAME` or `file:PATH`.")]
    inside: Annotated[bool, Meta(description="It is meant to be inside a private network, or on this machine.")] = False
    plain_http: Annotated[bool, Meta(description="Its network is trusted: `http` will do.")] = False
