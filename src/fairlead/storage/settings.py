"""The part of fairlead.yaml that says where and how safely state is kept."""

from typing import Annotated, Final, Literal

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
            description="Seconds that a caller waits for a settlement while the database is locked or away, or the "
            "disk full. It is written all the same once that is over.",
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


class MasterKeySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`master_key:` in fairlead.yaml: a program that gives the master key, such as the client of a key service."""

    command: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="The program and its arguments; no shell is between. It runs in the workspace, as whoever runs "
            "Fairlead, and prints the key in base64 or hexadecimal. FAIRLEAD_MASTER_KEY, where set, comes first.",
        ),
    ]


class AnchorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `audit.anchors`: a folder, a git folder or an address, in hands other than the database's."""

    folder: Annotated[
        str,
        Meta(
            description="A folder to which files are added and in which none is ever changed, such as a mounted store "
            "that keeps what was written. A relative path counts from the data folder."
        ),
    ] = ""
    git: Annotated[
        str, Meta(description="A clone of a git repository: each delivery is a commit, pushed where it has a remote.")
    ] = ""
    url: Annotated[
        str, Meta(description="An https address. With `put`, files go to addresses below it, and are read from there.")
    ] = ""
    method: Annotated[
        Literal["put", "post"],
        Meta(
            description="`put`: a file at an address of its own. `post`: `{name, text}` to `url`; nothing is read back."
        ),
    ] = "put"
    key: Annotated[
        str, Meta(description="Where the token is that is sent as `authorization: Bearer`: `env:NAME` or `file:PATH`.")
    ] = ""
    private: Annotated[bool, Meta(description="Allows an address inside a private network.")] = False


class AuditSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`audit:` in fairlead.yaml: where copies of signed checkpoints go."""

    anchors: Annotated[
        dict[str, AnchorSettings],
        Meta(description="Places that whoever owns the database does not own, by name. All of them get everything."),
    ] = {}


_UNITS: Final = {"h": 3_600_000, "d": 86_400_000}
_USUALLY_KEPT: Final = 30 * _UNITS["d"]


_Span = Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}[hd]$", examples=["12h", "30d"])]


class RetentionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`retention:` in fairlead.yaml: for how long requests and replies are kept, as `90d` or `12h`. Of several that
    apply the shortest counts; records and proofs stay."""

    classes: Annotated[
        dict[Literal["public", "internal", "confidential", "restricted"], _Span],
        Meta(description="By the data class of what was said."),
    ] = {}
    tasks: Annotated[dict[str, _Span], Meta(description="By task type.")] = {}
    otherwise: Annotated[
        _Span | None, Meta(description="What none of these is about. Without it, until the person is erased.")
    ] = None

    @staticmethod
    def milliseconds(span: str) -> int:
        """A span such as `90d` or `12h` in milliseconds."""
        return int(span[:-1]) * _UNITS[span[-1]]


class SessionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`sessions:` in fairlead.yaml: conversations that Fairlead remembers between calls."""

    keep: Annotated[
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}[hd]$")] | Literal[0] | None,
        Meta(
            description="How long after its last use a conversation is remembered, encrypted under its person's key: "
            "`30d`, `12h`; 0 remembers nothing. Without it, 30 days, or nothing where `payloads` is `none`."
        ),
    ] = None
    most_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 28, description="The largest conversation that is gone on with.")
    ] = 4 << 20

    def kept_for(self, payloads: str) -> int:
        """How long conversations are remembered, in milliseconds; 0 for not at all."""
        if self.keep is None:
            return _USUALLY_KEPT if payloads == "keep" else 0
        return int(self.keep[:-1]) * _UNITS[self.keep[-1]] if self.keep else 0


class FlowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`flows:` in fairlead.yaml: what agents have read is kept, so that policies know where arguments come from."""

    keep: Annotated[
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}[hd]$")] | Literal[0] | None,
        Meta(
            description="For how long what was read can prove where a value came from, encrypted under its person's "
            "key: `12h`, `2d`; 0 keeps nothing, and all arguments are of unknown source. Without it, a day, or nothing "
            "where `payloads` is `none`."
        ),
    ] = None

    def kept_for(self, payloads: str) -> int:
        """In milliseconds; 0 for not at all."""
        if self.keep is None:
            return _UNITS["d"] if payloads == "keep" else 0
        return int(self.keep[:-1]) * _UNITS[self.keep[-1]] if self.keep else 0


class MemoryKeepSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`memory.keep:`. For how long something is remembered after it was last written, by scope."""

    run: Annotated[_Span, Meta(description="What belongs to one run, or to one piece of work.")] = "7d"
    session: Annotated[_Span, Meta(description="What belongs to one conversation of a person.")] = "30d"
    person: Annotated[_Span, Meta(description="What is known of and for a person.")] = "365d"
    team: Annotated[_Span, Meta(description="What the members of a group share.")] = "365d"


class MemorySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`memory:` in fairlead.yaml: runs and agents may remember something for later ones. Without it nothing is."""

    keep: MemoryKeepSettings = MemoryKeepSettings()
    entries: Annotated[
        int, Meta(ge=1, le=1000, description="The most entries of one scope: one more, and the least used goes.")
    ] = 200
    most_bytes: Annotated[int, Meta(ge=64, le=65_536, description="The largest value, as JSON.")] = 8192

    def kept_for(self, scope: str) -> int:
        """The longest that an entry of such a scope is kept, in milliseconds."""
        return RetentionSettings.milliseconds(getattr(self.keep, scope))
