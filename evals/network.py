"""Machines without machines: network namespaces, each with a link to clients and models and one to the database.

A namespace lives as long as a sleeping process in it, so nothing is left behind, however the measurement ends. What is
made lies in a network namespace of our own (`inside` starts the program again in one): the machine's network is not
touched. Needs root, or what stands for it, and the program `ip`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

FRONT, BACK = "10.77.1", "10.77.2"
HOME = 1  # our own place in both networks
_INSIDE = "FAIRLEAD_EVAL_INSIDE"


def possible() -> bool:
    """Whether this machine lets us make network namespaces."""
    if not (shutil.which("ip") and shutil.which("unshare") and shutil.which("nsenter")):
        return False
    made = subprocess.run(
        ["unshare", "-n", "ip", "link", "add", "fl0", "type", "bridge"], capture_output=True, check=False
    )
    return made.returncode == 0


def inside() -> None:
    """Go on in a network namespace of our own; returns in it."""
    if os.environ.get(_INSIDE):
        return
    if not possible():
        raise SystemExit("this machine does not let us make network namespaces: root, and the program `ip`, are needed")
    os.environ[_INSIDE] = "yes"
    os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.orig_argv[1:]])


@dataclass(frozen=True)
class Host:
    """One namespace. `front` and `back` are its addresses."""

    number: int
    pid: int

    @property
    def front(self) -> str:
        return f"{FRONT}.{10 + self.number}"

    def command(self, command: Sequence[str]) -> list[str]:
        """The same command, run on this host."""
        return ["nsenter", "-t", str(self.pid), "-n", *command]

    def cut_from_database(self) -> None:
        """Its link to the database goes down on the other side, without a word to anybody."""
        _ip("link", "set", f"back{self.number}", "down")

    def joined_again(self) -> None:
        _ip("link", "set", f"back{self.number}", "up")


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Namespaces, joined by a bridge for clients and models and one for the database. Ours is on both."""
    _ip("link", "set", "lo", "up")
    for name, net in (("front", FRONT), ("back", BACK)):
        _ip("link", "add", name, "type", "bridge")
        _ip("addr", "add", f"{net}.{HOME}/24", "dev", name)
        _ip("link", "set", name, "up")
    with ExitStack() as stack:
        made = []
        for number in range(1, count + 1):
            process = stack.enter_context(subprocess.Popen(["unshare", "-n", "sleep", "86400"]))
            stack.callback(process.kill)
            _until_apart(process.pid)
            made.append(Host(number, process.pid))
            for name, net in (("front", FRONT), ("back", BACK)):
                _join(made[-1], name, net)
            subprocess.run(made[-1].command(["ip", "link", "set", "lo", "up"]), check=True)
        yield made


def _join(host: Host, bridge: str, net: str) -> None:
    near, far = f"{bridge}{host.number}", f"far{bridge}{host.number}"
    _ip("link", "add", near, "type", "veth", "peer", "name", far)
    _ip("link", "set", far, "netns", str(host.pid))
    _ip("link", "set", near, "master", bridge)
    _ip("link", "set", near, "up")
    for step in (
        ("link", "set", far, "name", bridge),
        ("addr", "add", f"{net}.{10 + host.number}/24", "dev", bridge),
        ("link", "set", bridge, "up"),
    ):
        subprocess.run(host.command(["ip", *step]), check=True)


def _until_apart(pid: int) -> None:
    ours = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{pid}/ns/net") == ours:
        time.sleep(0.005)  # `unshare` takes a few milliseconds to leave


def _ip(*what: str) -> None:
    subprocess.run(["ip", *what], check=True)
