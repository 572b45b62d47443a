"""The part of fairlead.yaml that says where and how safely state is kept."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]


class JournalSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How the journal groups and guards what actions make durable."""

    synchronous: Annotated[
        Literal["full", "normal"],
        Meta(
            description="`full`: what was acknowledged survives a power cut. `normal`: it survives a crash of "
            "Fairlead, but a power cut (on PostgreSQL: a crash of the server) may take the last moments."
        ),
    ] = "full"
    queue: Annotated[
        Positive,
        Meta(description="How many writes may wait. Beyond it new actions are refused with 503, settlements never."),
    ] = 2048
    group: Annotated[Positive, Meta(description="The most writes that share one transaction.")] = 256
    pace: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Seconds that the journal rests after a group of three or more, so that more writes share the "
            "next transaction. A lone write never waits for it. 0: no rest.",
        ),
    ] = 0.002
    patience: Annotated[
        float,
        Meta(
            gt=0,
            description="Seconds for which a settlement is tried again while the database is locked or the disk full.",
        ),
    ] = 30.0
    wal_frames: Annotated[
        Positive, Meta(description="Pages in SQLite's write-ahead log from which it is copied back (a checkpoint).")
    ] = 4000


class StorageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`storage:` in fairlead.yaml."""

    url: Annotated[
        str,
        Meta(
            description="A path or `sqlite:///path/to/state.db`; or `postgresql://USER@HOST/NAME`, for several hosts. "
            "`env:NAME` or `file:PATH` hold the address where a password is part of it. Empty: `.fairlead/state.db` in "
            "the workspace."
        ),
    ] = ""
    journal: JournalSettings = JournalSettings()
