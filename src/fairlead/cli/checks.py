"""What `fairlead doctor` looks at. Each check tells what it found, and for what is not right, what mends it."""

import os
import platform
import shutil
import sqlite3
from contextlib import closing
from functools import cached_property
from typing import Final

from msgspec import Struct

from fairlead import __version__
from fairlead.cli.compiled import in_folder, published_revision
from fairlead.cli.opening import fleet_of, log_of, open_store, open_vault
from fairlead.cli.place import MASTER_KEY, Place, key_command, secrets, variable
from fairlead.cli.probing import probed
from fairlead.cli.setting_up import is_private
from fairlead.cli.when import age
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.storage.database import is_postgres
from fairlead.storage.store import SCHEMA_VERSION, Store
from fairlead.workspace.changes import diff
from fairlead.workspace.compile import Workspace
from fairlead.workspace.load import read_folder
from fairlead.workspace.published import load_revision
from fairlead.workspace.text import PRICES, WorkspaceText

OK: Final = "ok"
WARN: Final = "warn"
BAD: Final = "bad"

_LITTLE_SPACE: Final = 1 << 30
_NO_SPACE: Final = 100 << 20
_SOON_ENDS: Final = 30 * 86_400_000  # milliseconds
_OLD_CHECKPOINT: Final = 7 * 86_400_000  # milliseconds
_EARLIEST: Final = 1_750_000_000_000  # milliseconds: no clock that is set shows a time before this program was written


class Finding(Struct, frozen=True):
    """What a check came to. `state` is ok, warn or bad."""

    subject: str
    state: str
    said: str
    mend: str = ""


class Looked:
    """What checks share, opened when the first of them asks."""

    def __init__(self, place: Place, online: bool) -> None:
        self.place = place
        self.online = online

    @cached_property
    def store(self) -> Store:
        """The state database. Raises `BadInput` where it was not made yet or has another schema."""
        return open_store(self.place)

    @cached_property
    def compiled(self) -> Workspace:
        """What the folder says now. Raises `InvalidWorkspace` with every problem."""
        return in_folder(self.place)

    def close(self) -> None:
        """Closes the database, if a check opened it."""
        if "store" in self.__dict__:
            self.store.close()


def program(looked: Looked) -> list[Finding]:
    """Versions of what Fairlead runs on."""
    said = f"fairlead {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    with closing(sqlite3.connect(":memory:")) as connection:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" not in options:
        return [Finding("program", BAD, f"{said} without full-text search", "use a Python whose SQLite has FTS5")]
    return [Finding("program", OK, said)]


def workspace(looked: Looked) -> list[Finding]:
    """Does the folder compile, and what is there to remark on it?"""
    compiled = looked.compiled
    sound = Finding("workspace", OK, f"{looked.place.workspace}: {compiled.organisation}, sound")
    # Missing keys and prices are told with the models.
    remarks = [each for each in compiled.warnings if not each.startswith("models.")]
    return [sound, *(Finding("workspace", WARN, remark, "fairlead check") for remark in remarks)]


def data_folder(looked: Looked) -> list[Finding]:
    """Only its owner may look into it."""
    folder = looked.place.data
    if not folder.is_dir():
        raise BadInput(f"there is no data folder {folder}", mend=f"fairlead migrate -w {looked.place.workspace}")
    if not is_private(folder):
        mode = f"{os.stat(folder).st_mode & 0o777:o}"
        return [Finding("data folder", BAD, f"{folder} is open to others (mode {mode})", f"chmod 700 {folder}")]
    return [Finding("data folder", OK, f"{folder} is its owner's alone")]


def disk(looked: Looked) -> list[Finding]:
    """Room for the log to grow."""
    folder = looked.place.data if looked.place.data.is_dir() else looked.place.workspace
    free = shutil.disk_usage(folder).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free >= _LITTLE_SPACE:
        return [Finding("disk", OK, said)]
    state = BAD if free < _NO_SPACE else WARN
    return [Finding("disk", state, said, "make room: a full disk refuses all new work")]


def master_key(looked: Looked) -> list[Finding]:
    """It is there, private, and the one that this database was made with."""
    open_vault(looked.place, looked.store)
    command = key_command(looked.place)
    source = command[0] if command else str(looked.place.key_file)
    source = MASTER_KEY if variable(MASTER_KEY) is not None else source
    return [Finding("master key", OK, f"from {source}; it opens this database")]


def database(looked: Looked) -> list[Finding]:
    """Its schema fits, it can be written, and what is acknowledged survives a power cut."""
    store = looked.store
    if is_postgres(looked.place.database):
        return _on_server(looked)
    with closing(sqlite3.connect(store.path, timeout=1.0, isolation_level=None)) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return [
                Finding("database", BAD, f"{store.path} cannot be written: {error}", "check rights, disk and locks")
            ]
    synchronous = looked.compiled.settings.storage.journal.synchronous
    said = f"{store.path}, schema {SCHEMA_VERSION}, {mode} mode, synchronous {synchronous}"
    if synchronous != "full":
        return [Finding("database", WARN, said, "a power cut may take the last moments: storage.journal.synchronous")]
    return [Finding("database", OK, said)]


def _on_server(looked: Looked) -> list[Finding]:
    """That it answers and its schema fits was seen when it was opened; this tries a writing transaction."""
    with looked.store.writing():
        pass
    synchronous = looked.compiled.settings.storage.journal.synchronous
    said = f"{looked.place.shown}, schema {SCHEMA_VERSION}, synchronous {synchronous}"
    if synchronous != "full":
        mend = "a crash of the server may take the last moments: storage.journal.synchronous"
        return [Finding("database", WARN, said, mend)]
    return [Finding("database", OK, said)]


def workers(looked: Looked) -> list[Finding]:
    """Who serves, and whether they decide."""
    members, now = fleet_of(looked.store).members(), SystemClock().now()
    if not members:
        return [Finding("workers", OK, "none runs")]
    findings = []
    for member in members:
        said = f"{member.id} on {member.host}, process {member.pid}, since {age(now - member.started_at)}"
        if member.lease_until >= now:
            findings.append(Finding("workers", OK, said))
        else:
            since = age(now - member.lease_until)
            mend = "it died or is stuck: restart it; live workers settle what it held"
            findings.append(Finding("workers", WARN, f"{said}: no lease for {since}", mend))
    return findings


def revision(looked: Looked) -> list[Finding]:
    """Is what the folder says what the workers decide under?"""
    current = published_revision(looked.store)
    if not current:
        return [Finding("revision", WARN, "nothing is published yet", "fairlead apply")]
    published = load_revision(looked.store, current).text.files
    old = WorkspaceText({path: content for path, content in published.items() if path != PRICES})
    changes = diff(old, read_folder(looked.place.workspace))
    if changes:
        said = f"{current} is in force; the folder differs ({len(changes)} changes)"
        return [Finding("revision", WARN, said, "fairlead revisions diff, then fairlead apply")]
    return [Finding("revision", OK, f"{current} is in force, and the folder says the same")]


def audit(looked: Looked) -> list[Finding]:
    """How much of the log is signed, and since when."""
    with log_of(looked.store).at_one_moment() as moment:
        size, signed = moment.head().size, moment.last_signed()
    if signed is None:
        state = WARN if size else OK
        return [Finding("audit", state, f"{size} records, none signed", "fairlead audit checkpoint" if size else "")]
    old = SystemClock().now() - signed[1]
    said = f"{size} records, {signed[0]} signed {age(old)} ago"
    if old > _OLD_CHECKPOINT and signed[0] < size:
        return [Finding("audit", WARN, said, "fairlead audit checkpoint")]
    return [Finding("audit", OK, said)]


def anchors(looked: Looked) -> list[Finding]:
    """Does each of them have what was signed? Tells what the last delivery came to; asks none of them."""
    from fairlead.storage.anchors import standings

    known, findings = standings(looked.store), []
    with log_of(looked.store).at_one_moment() as moment:
        signed = moment.last_signed()
    for name in looked.compiled.settings.audit.anchors:
        subject, standing = f"anchor {name}", known.get(name)
        if standing is None:
            findings.append(Finding(subject, WARN, "nothing was delivered yet", "fairlead audit checkpoint"))
        elif standing.failure:
            since = age(SystemClock().now() - standing.done_at) if standing.done_at else "ever"
            said = f"not reached since {since}: {standing.failure}"
            findings.append(Finding(subject, BAD, said, "workers try again each minute; see who keeps it"))
        else:
            said = (
                f"has {standing.size} of {signed[0] if signed else 0} signed records, {standing.tombstones} tombstones"
            )
            findings.append(Finding(subject, OK, said))
    return findings


def clock(looked: Looked) -> list[Finding]:
    """Records and budgets go by it."""
    now = SystemClock().now()
    rows = log_of(looked.store).latest(1)
    if now < _EARLIEST or (rows and rows[0].at > now + 60_000):
        return [Finding("clock", BAD, "this machine's clock is behind", "set the clock; budgets' periods go by it")]
    return [Finding("clock", OK, "not behind the log")]


def models(looked: Looked) -> list[Finding]:
    """Keys that are there, endpoints that answer."""
    compiled = looked.compiled
    answers = probed(compiled, only_local=not looked.online)
    findings = []
    for name, model in compiled.models.models.items():
        subject, missing = f"model {name}", compiled.models.unavailable.get(name)
        if missing:
            findings.append(Finding(subject, WARN, f"left out on this machine: {missing}", "set it, or leave it out"))
        elif answers.get(model.endpoint):
            findings.append(Finding(subject, BAD, answers[model.endpoint], "start its server, or correct `url`"))
        elif name not in compiled.rates:
            findings.append(Finding(subject, WARN, "its price is not known", f"add prices.{name} to fairlead.yaml"))
        else:
            asked = "answers" if model.endpoint in answers else "ready (not asked: --online)"
            findings.append(Finding(subject, OK, asked))
    return findings


def authorities(looked: Looked) -> list[Finding]:
    """Those by which people get certificates for databases: whether each is there, and for how long it counts."""
    from fairlead.identity.certificates import read_authority

    findings, reveal = [], secrets(looked.place.workspace)
    for name, system in looked.compiled.systems.items():
        said = system.settings.credential.certificate
        if said is None:
            continue
        subject, text = f"certificates for {name}", reveal(said.ca)
        try:
            left = read_authority(text or "", said.ca).ends - SystemClock().now()
        except BadInput as error:
            findings.append(Finding(subject, BAD, f"{error.message}: {error.why}", error.mend))
            continue
        state = BAD if left <= 0 else WARN if left < _SOON_ENDS else OK
        mend = "" if state == OK else "make a new authority, and give the database its certificate beside the old one"
        findings.append(
            Finding(subject, state, f"the authority ends in {age(left)}" if left > 0 else "it has ended", mend)
        )
    return findings
