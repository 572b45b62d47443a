"""What a workspace says about how much runs at once: the `lanes:` part of fairlead.yaml."""

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Share = Annotated[float, Meta(gt=0, le=1_000)]


class LaneSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `lanes.names`. Kinds of work in different lanes wait in different queues."""

    tasks: Annotated[tuple[str, ...], Meta(description="The task types whose work takes this lane.")] = ()
    share: Annotated[
        Share,
        Meta(description="How much of the time of all places this lane gets, against the shares of others that wait."),
    ] = 1.0
    running: (
        Annotated[Count, Meta(description="The most actions of this lane at once, all workers together.")] | None
    ) = None
    waiting: Annotated[
        Count, Meta(description="The most that wait in this lane, all workers together. One more is refused with 503.")
    ] = 1000
    wait: Annotated[
        float,
        Meta(
            gt=0,
            le=86_400,
            description="Seconds after which one that still waits is refused; never after its deadline.",
        ),
    ] = 60.0


class DepartmentLaneSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `lanes.departments`."""

    share: Annotated[Share, Meta(description="Its share of a lane, against those of other departments that wait.")] = (
        1.0
    )
    running: Annotated[Count, Meta(description="The most actions of it at once, in all lanes and workers.")] | None = (
        None
    )


class LanesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`lanes:` in fairlead.yaml: how much runs at once, and how those who wait are taken in turn.

    Places go to lanes by their shares, within a lane to departments by theirs, within a department to its persons and
    their agents alike; what counts is the time for which places were held. Who waits holds no money.
    """

    running: Annotated[Count, Meta(description="The most actions at once, all lanes and workers together.")] | None = (
        None
    )
    names: Annotated[dict[str, LaneSettings], Meta(description="The lanes by name.")] = {}
    usual: Annotated[str, Meta(description="The lane of task types that none names. Default: a lane of their own.")] = (
        ""
    )
    departments: Annotated[
        dict[str, DepartmentLaneSettings],
        Meta(description="Limits and shares by department; `*` for each that is not named."),
    ] = {}
    tasks: Annotated[
        dict[str, Count], Meta(description="The most actions of a task type at once, all workers together.")
    ] = {}
