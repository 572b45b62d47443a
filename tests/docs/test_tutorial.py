"""Every command of the tutorial is run, in order, as a reader would."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.compile(r"```console\n(.*?)```", re.DOTALL)


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines of output that the page shows."""
    for block in BLOCKS.findall(page):
        command, shown = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, shown
                command, shown = line[2:], []
            elif line.strip("… "):
                shown.append(line)
        yield command, shown


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"{url} did not come up")


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    port = str(free_port())
    page = (ROOT / "docs" / "tutorial.md").read_text().replace("8700", port)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "fairlead"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fairlead "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    server: subprocess.Popen[bytes] | None = None
    ran = 0
    try:
        for command, shown in steps(page):
            if command.endswith("&"):
                server = subprocess.Popen(
                    ["sh", "-c", f"exec {command[:-1]}"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
                )
                wait_for(f"http://127.0.0.1:{port}/readyz")
                continue
            done = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            said = done.stdout + done.stderr
            assert done.returncode == 0, f"{command}\n{said}"
            for line in shown:
                for piece in filter(None, line.split("…")):
                    assert piece in said, f"{command}: the page shows {line!r}\n{said}"
            ran += 1
    finally:
        if server is not None:
            server.terminate()
            server.wait(timeout=20)
    assert ran >= 10
