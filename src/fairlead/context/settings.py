"""The `context:` part of fairlead.yaml: what holds for pages that do not say it themselves."""

from typing import Annotated

from msgspec import Meta, Struct, field

from fairlead.context.upkeep_settings import NO_UPKEEP, UpkeepSettings
from fairlead.labels import ClassName, DataClass


class ContextSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults for pages below `context/` whose front matter leaves a key out."""

    audience: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(min_length=1, description="Groups that a page is written for, where the page does not name them."),
    ] = ("everyone",)
    class_: Annotated[
        ClassName,
        Meta(description="Data class of a page that does not state one: public, internal, confidential, restricted."),
    ] = field(default="internal", name="class")
    owner: Annotated[
        str, Meta(description="Who answers for a page that names no owner: a person, team or department.")
    ] = ""

    upkeep: UpkeepSettings = NO_UPKEEP

    @property
    def data_class(self) -> DataClass:
        return DataClass[self.class_]
