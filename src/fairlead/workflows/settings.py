"""The part of a workspace that is about durable runs."""

from typing import Annotated, Final

from msgspec import Meta, Struct

_DAY: Final = 86_400_000  # milliseconds


class WorkflowsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`workflows:` in fairlead.yaml. The workflows themselves stand in `workflows/NAME.yaml`."""

    keep: Annotated[float, Meta(gt=0, le=3650, description="For how many days a run is kept after its end.")] = 30
    at_once: Annotated[int, Meta(ge=1, le=1000, description="How many runs one process walks at the same time.")] = 16

    @property
    def kept_for(self) -> int:
        """In milliseconds."""
        return int(self.keep * _DAY)
