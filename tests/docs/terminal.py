"""A terminal in a folder: commands keep the folder and the variables of those before them, and servers run beside."""

import contextlib
import io
import os
import shlex
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from unittest import mock

from tests import programs
from tests.ports import free_port

from fairlead.cli.main import run

_SHELL = set("|><&;$`\n")  # what a command needs a shell for; all others run in this process, which is faster
_PATIENCE = 120.0  # seconds for a server to come up


class Terminal:
    """`port` stands for the default port of the pages, so that several can be played on one machine."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        found = folder / ".bin"
        found.mkdir()
        fairlead = shlex.join(programs.command("-m", "fairlead"))
        for name, command in {"fairlead": fairlead, "python": sys.executable}.items():
            (found / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
            (found / name).chmod(0o755)
        self._left = found / "left"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FAIRLEAD_") and not name.endswith("_API_KEY")
        }
        self._variables = {
            **clean,
            "PATH": f"{found}:{Path(sys.executable).parent}:{clean['PATH']}",
            "PWD": str(folder),
            "NO_COLOR": "1",
            "COLUMNS": "200",
            "FAIRLEAD_URL": f"http://127.0.0.1:{self.port}",
        }

    @property
    def folder(self) -> Path:
        return Path(self._variables["PWD"])

    @property
    def has_server(self) -> bool:
        return self._server is not None

    def run(self, command: str) -> tuple[int, str]:
        """The status of a command, and what it said on both streams. `fairlead serve` is left running."""
        command = command.replace("8700", str(self.port))
        if command.startswith("fairlead serve"):
            return self.serve(command)
        if command.startswith("fairlead ") and not _SHELL & set(command):
            return self._in_process(shlex.split(command)[1:])
        said = self._program(["sh", "-c", f"{command}\nstatus=$?\nenv -0 > {self._left}\nexit $status"])
        self._variables = dict(pair.split("=", 1) for pair in self._left.read_text().split("\0") if pair)
        return said

    def script(self, text: str) -> tuple[int, str]:
        """Run a Python program in the folder."""
        return self._program(programs.command("-c", text.replace("8700", str(self.port))))

    def serve(self, command: str = "fairlead serve") -> tuple[int, str]:
        """Start a server and wait until it may be asked."""
        self.stop()
        said = self._left.with_name("server.log")
        with said.open("wb") as log:
            self._server = subprocess.Popen(
                ["sh", "-c", f"exec {command.removesuffix('&')} --port {self.port}"],
                cwd=self.folder, env=self._variables, stdout=log, stderr=log,
            )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        while not self._is_ready():
            if self._server.poll() is not None or time.monotonic() > until:
                return 1, said.read_text()
            time.sleep(0.05)
        return 0, said.read_text()

    def stop(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(timeout=_PATIENCE)
            self._server = None

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _in_process(self, arguments: list[str]) -> tuple[int, str]:
        said = io.StringIO()
        with (
            mock.patch.dict(os.environ, self._variables, clear=True),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            return run(arguments), said.getvalue()

    def _program(self, command: list[str]) -> tuple[int, str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self._variables, stdin=subprocess.DEVNULL, timeout=180,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout
