"""A real PostgreSQL server of its own, on a loopback port, in a temporary folder, for as long as somebody needs it.

Its programs are Debian's package `postgresql`; `tools/postgres.sh` installs it.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from tests.ports import free_port

MISSING = "the programs of a PostgreSQL server are not installed: run tools/postgres.sh"
_UNPRIVILEGED = ("postgres", "nobody")
_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "jit": "off",
}


def programs() -> Path | None:
    """The folder of the newest server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def programs_with_vectors() -> Path | None:
    """The same with the extension `vector`: those of the package `pgserver`, where it is installed."""
    found = find_spec("pgserver")
    return Path(found.origin).parent / "pginstall" / "bin" if found is not None and found.origin else None


class Server:
    """Started by `start`. A server does not run as root, so root lends it another user."""

    def __init__(
        self, folder: Path, *, fsync: bool, network: str = "", address: str = "", of: Path | None = None
    ) -> None:
        self._bin = of or programs()
        self.folder = folder
        self._user = _unprivileged()
        self._fsync = fsync
        self._network = network
        self._address = address
        self._numbers = itertools.count()
        self.port = 0

    def start(self) -> None:
        if self._user:
            shutil.chown(self.folder, self._user)
        data = self.folder / "data"
        # en_US-like sorting would be C here as well: our own columns say how they are compared.
        self._run("initdb", "-D", str(data), "-U", "fairlead", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        self.port = free_port()  # it stays ours while the server is down and is to come back
        said = {**_SETTINGS, "port": str(self.port), "fsync": "on" if self._fsync else "off"}
        if self._network:
            said["listen_addresses"] = f"'127.0.0.1,{self._address}'"
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self._network} trust\n")
        with (data / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = {value}\n" for name, value in said.items())
        self._control("start")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def restart(self) -> None:
        """As after a crash: sessions end in the middle, and the server recovers from its log."""
        self._control("restart", "-m", "immediate")

    def halt(self) -> None:
        self._control("stop", "-m", "immediate")

    def go_on(self) -> None:
        self._control("start")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://fairlead@127.0.0.1:{self.port}/{database}"

    def make_database(self, template: str = "template1") -> str:
        """A database of its own, and its URL."""
        import psycopg

        name = f"db_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def ask_for_proof(
        self, group: str, *, tls: tuple[Path, Path, Path] | None = None, names: tuple[str, ...] = ()
    ) -> None:
        """From now on members of a group need their password, or, with certificate, key and authority of `tls`, a
        certificate. Everybody else is trusted as before. `names` are lines of pg_ident.conf (a certificate's
        name and an account), without which each certificate must have the account's name."""
        import psycopg

        data = self.folder / "data"
        rules = [f"host all +{group} 127.0.0.1/32 scram-sha-256\n"]
        with psycopg.connect(self.url(), autocommit=True) as connection:
            if tls is not None:
                for name, path in zip(("ssl_cert_file", "ssl_key_file", "ssl_ca_file"), tls, strict=True):
                    copy = data / path.name
                    copy.touch(mode=0o600)
                    copy.write_bytes(path.read_bytes())
                    if self._user:
                        shutil.chown(copy, self._user)
                    connection.execute(f"ALTER SYSTEM SET {name} = '{copy}'")
                connection.execute("ALTER SYSTEM SET ssl = on")
                mapped = f" map={group}" if names else ""
                rules.insert(0, f"hostssl all +{group}_certified 127.0.0.1/32 cert{mapped}\n")
            with (data / "pg_ident.conf").open("a") as file:
                file.writelines(f"{group} {line}\n" for line in names)
            with (data / "pg_hba.conf").open("r+") as file:
                before = file.read()
                file.seek(0)
                file.write("".join(rules) + before)
            connection.execute("SELECT pg_reload_conf()")

    def drop_database(self, url: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def _control(self, *what: str) -> None:
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-t", "180", *what)

    def _run(self, program: str, *given: str) -> None:
        assert self._bin is not None, MISSING
        done = subprocess.run(
            [str(self._bin / program), *given],
            cwd=self.folder,
            user=self._user,
            group=self._user and _group_of(self._user),
            extra_groups=[] if self._user else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            log = self.folder / "log"
            said = done.stdout or (log.read_bytes() if log.exists() else b"")
            raise RuntimeError(f"{program} {' '.join(given)} failed:\n{said.decode(errors='replace')[-2000:]}")


def _unprivileged() -> str | None:
    import pwd

    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in names)


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


@contextlib.contextmanager
def server(*, fsync: bool = False, network: str = "", address: str = "", of: Path | None = None) -> Iterator[Server]:
    """A running server, on `address` as well for everybody in a network, where one is given. Its programs are those in
    the folder `of`, otherwise the newest. Raises RuntimeError where they are missing."""
    if of is None and programs() is None:
        raise RuntimeError(MISSING)
    folder = Path(mkdtemp(prefix="fairlead-postgres-"))
    folder.chmod(0o700)
    made = Server(folder, fsync=fsync, network=network, address=address, of=of)
    try:
        made.start()
        yield made
    finally:
        with contextlib.suppress(RuntimeError):
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)
