"""The part of a workspace that is about durable runs."""

from typing import Annotated, Final

from msgspec import Meta, Struct

_DAY: Final = 86_400_000  # milliseconds


Places = Annotated[int, Meta(ge=1, le=10_000)]


class QueueSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `workflows.queues`. Workflows with this `queue` share its places."""

    at_once: Annotated[Places, Meta(description="The most runs at once, of all workflows of the queue and all hosts.")]


class DepartmentQueueSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `workflows.departments`."""

    at_once: Annotated[Places, Meta(description="The most runs at once that its people have begun, on all hosts.")]


class WorkflowsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`workflows:` in fairlead.yaml. The workflows themselves stand in `workflows/NAME.yaml`."""

    keep: Annotated[float, Meta(gt=0, le=3650, description="For how many days a run is kept after its end.")] = 30
    at_once: Annotated[int, Meta(ge=1, le=1000, description="How many runs one process walks at the same time.")] = 16

    queues: Annotated[
        dict[str, QueueSettings], Meta(description="Queues by name, which workflows name by `queue`.")
    ] = {}
    departments: Annotated[
        dict[str, DepartmentQueueSettings],
        Meta(description="Limits by the department of who began a run; `*` for each that is not named."),
    ] = {}

    @property
    def kept_for(self) -> int:
        """In milliseconds."""
        return int(self.keep * _DAY)
