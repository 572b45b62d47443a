"""Where a command works: the workspace, its state, and the secrets of the environment.

Besides the composition root this is the only module that reads the environment.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from msgspec import Struct

from fairlead.errors import BadInput, NotFound
from fairlead.storage.database import Where, database_at, database_path, is_postgres

ENTRY = "fairlead.yaml"
DATA = ".fairlead"
KEY_FILE = "master.key"
DATABASE = "state.db"
MASTER_KEY = "FAIRLEAD_MASTER_KEY"
NEW_MASTER_KEY = "FAIRLEAD_NEW_MASTER_KEY"

Workspace = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        envvar="FAIRLEAD_WORKSPACE",
        metavar="DIR",
        show_default=False,
        help="The workspace. Default: this folder, or the nearest above it with a fairlead.yaml.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", show_default=False, help="The data folder. Default: .fairlead in the workspace."
    ),
]
Url = Annotated[
    str,
    typer.Option(
        "--url", envvar="FAIRLEAD_URL", show_default=False, help="Where Fairlead runs. Default: as configured."
    ),
]


class Place(Struct, frozen=True):
    """A workspace's folder, and where its state is."""

    workspace: Path
    data: Path
    database: Where

    @property
    def shown(self) -> str:
        """Where state is, for people: without user and password."""
        return database_at(self.database).shown

    @property
    def beside(self) -> Path:
        """The folder for what belongs near the database and not in it."""
        return self.database.parent if isinstance(self.database, Path) else self.data

    @property
    def key_file(self) -> Path:
        """Where the master key is, where neither the environment nor a program gives it."""
        return self.data / KEY_FILE


def find(workspace: Path | None, data: Path | None = None) -> Place:
    """The place that the options name. `storage.url` of fairlead.yaml wins over `data`. Raises `NotFound`."""
    folder = _folder(workspace)
    state = (data or folder / DATA).absolute()
    database = _declared_database(folder) or state / DATABASE
    return Place(folder, state, database)


def _folder(workspace: Path | None) -> Path:
    if workspace is not None:
        if (workspace / ENTRY).is_file():
            return workspace.absolute()
        raise NotFound(
            f"there is no {ENTRY} in {workspace}",
            why="a workspace is a folder with a fairlead.yaml",
            mend=f"make one: fairlead init {workspace}",
        )
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ENTRY).is_file():
            return folder
    raise NotFound(
        f"there is no workspace in {here}, nor above it",
        why="a workspace is a folder with a fairlead.yaml",
        mend="make one: fairlead init NAME; or name its folder with --workspace DIR",
    )


def settings_of(folder: Path) -> dict[str, Any]:
    """The plain data of fairlead.yaml, unchecked; nothing where it is not sound. For finding things, never for
    deciding."""
    from fairlead.workspace.yaml_lines import Document, parse_yaml

    document = parse_yaml(ENTRY, (folder / ENTRY).read_bytes())
    return document.data if isinstance(document, Document) and isinstance(document.data, dict) else {}


def _declared_database(folder: Path) -> Where | None:
    storage = settings_of(folder).get("storage")
    url = storage.get("url") if isinstance(storage, dict) else None
    return database_in(folder, url) if isinstance(url, str) and url else None


def database_in(folder: Path, url: str) -> Where:
    """What `storage.url` means in a workspace: a relative path counts from it, `env:NAME` and `file:PATH` hold the
    address. Raises `BadInput`."""
    if url.startswith(("env:", "file:")):
        found = secrets(folder)(url)
        if not found:
            raise BadInput(
                f"storage.url: there is nothing in {url}",
                why="the address of the database is kept there",
                mend="set it to postgresql://USER:PASSWORD@HOST/NAME, or to the path of a file",
                subject="storage.url",
            )
        url = found
    return url if is_postgres(url) else folder / database_path(url)


def key_command(place: Place) -> list[str]:
    """The program that gives the master key, as the folder says; empty where it comes from elsewhere.

    The published text is not asked: it lies in the database, whose owner must not choose what runs here. Raises
    `BadInput` for what is no command.
    """
    if variable(MASTER_KEY) is not None:
        return []
    said = settings_of(place.workspace).get("master_key")
    if said is None:
        return []
    command = said.get("command") if isinstance(said, dict) else None
    if not isinstance(command, list) or not command or not all(isinstance(each, str) and each for each in command):
        raise BadInput(
            "master_key.command is not a program with its arguments",
            why="a key file that is there by chance must not stand in for it",
            mend="write master_key: {command: [PROGRAM, ARGUMENT]}",
            subject="master_key",
        )
    return command


def currency_of(place: Place) -> str:
    """The currency of every amount in this workspace."""
    budgets = settings_of(place.workspace).get("budgets")
    return str(budgets.get("currency", "USD")) if isinstance(budgets, dict) else "USD"


def secrets(folder: Path) -> Callable[[str], str | None]:
    """Gives the secret that `env:NAME` or `file:PATH` stands for, None where there is none. A relative path counts
    from the workspace."""

    def secret(reference: str) -> str | None:
        kind, _, where = reference.partition(":")
        if kind == "env":
            return os.environ.get(where) or None
        if kind == "file":
            try:
                return (folder / Path(where).expanduser()).read_text("utf-8").strip() or None
            except (OSError, UnicodeDecodeError):
                return None
        return None

    return secret


def variable(name: str) -> str | None:
    """A variable of the environment, None where it is not set."""
    return os.environ.get(name)


def for_programs() -> dict[str, str]:
    """The environment for programs that are started. What would lead git to another repository than the one it is told
    is left out: it is set where a command runs in a hook of git's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def config_folder() -> Path:
    """This user's own folder for what programs keep of Fairlead servers (XDG Base Directory). Raises `BadInput`."""
    said = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        return (Path(said) if Path(said).is_absolute() else Path.home() / ".config") / "fairlead"
    except RuntimeError:
        raise BadInput(
            "there is no folder to keep logins in", why="this account has no home", mend="set XDG_CONFIG_HOME"
        ) from None


def user() -> str:
    """Who runs the command, as far as the system says."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"uid-{os.getuid()}"


def wants_colour(stream: TextIO) -> bool:
    """Only on a terminal, and not where NO_COLOR is set (https://no-color.org) or the terminal knows none."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def server_url(workspace: Path | None) -> str:
    """Where the workspace's server listens, as far as its text says; the default where there is no workspace."""
    try:
        server = settings_of(_folder(workspace)).get("server")
    except NotFound:
        server = None
    said = server if isinstance(server, dict) else {}
    host = str(said.get("host", "127.0.0.1"))
    if host in ("0.0.0.0", "::"):  # noqa: S104 all addresses, of which this one is near
        host = "127.0.0.1"
    scheme = "https" if said.get("tls") else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{said.get('port', 8700)}"
