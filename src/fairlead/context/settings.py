"""The `context:` part of fairlead.yaml: what holds for pages that do not say it themselves."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from fairlead.context.upkeep.settings import NO_UPKEEP, UpkeepSettings
from fairlead.labels import ClassName, DataClass

_UNITS: Final = {"h": 3_600_000, "d": 86_400_000}


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
    pinned: Annotated[
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,3}[hd]$")] | Literal[0],
        Meta(
            description="For how long after its last action a piece of work (`x-fairlead-work`) goes on with the pages "
            "that it began under: `12h`, `7d`; 0 pins nothing."
        ),
    ] = "7d"

    @property
    def pinned_for(self) -> int:
        """In milliseconds; 0 for not at all."""
        return int(self.pinned[:-1]) * _UNITS[self.pinned[-1]] if self.pinned else 0

    upkeep: UpkeepSettings = NO_UPKEEP
    embeddings: Annotated[
        str,
        Meta(
            min_length=1,
            description="Search by meaning, beside words. `local` works it out in this process, with a small model that"
            " is installed apart; nothing leaves the machine. Any other word is the name of a model for embeddings"
            " under `models:`. `none` for words alone.",
            examples=["none", "local", "vectors"],
        ),
    ] = "none"
    embeddings_within: Annotated[
        float,
        Meta(
            gt=0,
            le=60,
            description="Seconds that a model for embeddings may take for a question. After them it is searched by "
            "words alone.",
        ),
    ] = 2.0

    @property
    def embedding_model(self) -> str:
        """The model of the workspace that embeds pages and questions, "" where none does."""
        return "" if self.embeddings in ("none", "local") else self.embeddings

    @property
    def data_class(self) -> DataClass:
        """The class of pages that name none."""
        return DataClass[self.class_]
