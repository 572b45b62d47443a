"""What this machine gives to this process: cores, memory and graphics processors, as far as the system says.

A container's limits count, not what its host has. Nothing is installed or loaded for it: files of the system are read,
and one program is asked where it is there.
"""

import csv
import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.cli.place import for_programs

_PATIENCE: Final = 3.0  # seconds
_GIB: Final = 1 << 30
_UNLIMITED: Final = 1 << 60  # what the first version of control groups says for no limit
_VENDORS: Final = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_ASKS: Final = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")


class Graphics(Struct, frozen=True):
    """A graphics processor. Memory is in bytes, None where the system does not say."""

    name: str
    memory: int | None = None
    free: int | None = None


class Hardware(Struct, frozen=True, kw_only=True):
    """What this process may use. `cores` counts parts of them where a limit does; `present` is what the machine has.
    Memory is in bytes. `no_graphics` says why there is none."""

    processor: str
    cores: float
    present: int
    memory: int | None
    available: int | None
    graphics: tuple[Graphics, ...]
    no_graphics: str = ""


def hardware(root: Path = Path("/")) -> Hardware:
    """Looked at now. `root` is where the system's files are."""
    memory, available = _memory(root)
    graphics, why = _graphics(root)
    return Hardware(
        processor=_processor(root),
        cores=_cores(root),
        present=os.cpu_count() or 1,
        memory=memory,
        available=available,
        graphics=graphics,
        no_graphics=why,
    )


def fingerprint(root: Path = Path("/")) -> str:
    """What measurements of this machine are kept under: equal machines with equal limits have one, whatever they are
    called. Made from files alone: a worker waits for it."""
    memory, _ = _memory(root)
    said = (_processor(root), _cores(root), round((memory or 0) / _GIB), sorted(_cards(root)))
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


def _text(path: Path) -> str:
    """The text of a small file of the system, "" where there is none."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _processor(root: Path) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return platform.processor() or platform.machine()


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the control groups that this process is in, from its own outwards."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        if number == "0":
            top = root / "sys/fs/cgroup"
            folder = top / rest.partition(":")[2].lstrip("/")
            yield folder
            while folder != top and top in folder.parents:
                folder = folder.parent
                yield folder


def _cores(root: Path) -> float:
    usable = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    limits = [_text(folder / "cpu.max").split() for folder in _groups(root)]
    older = root / "sys/fs/cgroup/cpu"
    limits.append([_text(older / "cpu.cfs_quota_us"), _text(older / "cpu.cfs_period_us")])
    for limit in limits:
        if len(limit) == 2 and limit[0].isdigit() and limit[1].isdigit() and int(limit[1]):
            usable = min(usable, int(limit[0]) / int(limit[1]))
    return round(usable, 2)


def _memory(root: Path) -> tuple[int | None, int | None]:
    """What there is, and what is free of it, within all limits."""
    said = {
        name: int(value.split()[0]) << 10
        for name, _, value in (line.partition(":") for line in _text(root / "proc/meminfo").splitlines())
        if value.split() and value.split()[0].isdigit()
    }
    memory, available = said.get("MemTotal"), said.get("MemAvailable")
    if memory is None:
        return _whole_memory(), None
    older = root / "sys/fs/cgroup/memory"
    limits = [(_text(folder / "memory.max"), _text(folder / "memory.current")) for folder in _groups(root)]
    limits.append((_text(older / "memory.limit_in_bytes"), _text(older / "memory.usage_in_bytes")))
    for limit, used in limits:
        if limit.isdigit() and int(limit) < _UNLIMITED:
            memory = min(memory, int(limit))
            if available is not None and used.isdigit():
                available = min(available, max(0, int(limit) - int(used)))
    return memory, available


def _whole_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _cards(root: Path) -> list[str]:
    """Graphics processors as the system's files name them."""
    named = [
        value.strip()
        for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information"))
        for name, _, value in (line.partition(":") for line in _text(path).splitlines())
        if name == "Model"
    ]
    others = [
        f"{_VENDORS[vendor]} {_text(card / 'device/device')}"
        for card in sorted((root / "sys/class/drm").glob("card[0-9]*"))
        if "-" not in card.name
        if (vendor := _text(card / "device/vendor")) in _VENDORS
        if not (named and vendor == "0x10de")
    ]
    return named + others


def _graphics(root: Path) -> tuple[tuple[Graphics, ...], str]:
    asked = _asked_program()
    if asked:
        return asked, ""
    cards = _cards(root)
    if cards:
        return tuple(Graphics(name, *_memory_of_card(root, name)) for name in cards), ""
    why = "it has no graphics processor that this process can see"
    return (), why if shutil.which(_ASKS[0]) is None else f"{why}; {_ASKS[0]} found none"


def _memory_of_card(root: Path, name: str) -> tuple[int | None, int | None]:
    """Only the drivers of one vendor tell it in a file."""
    for card in (root / "sys/class/drm").glob("card[0-9]*"):
        vendor = _VENDORS.get(_text(card / "device/vendor"), "")
        total, used = (_text(card / "device" / f"mem_info_vram_{what}") for what in ("total", "used"))
        if f"{vendor} {_text(card / 'device/device')}" == name and total.isdigit() and used.isdigit():
            return int(total), int(total) - int(used)
    return None, None


def _asked_program() -> tuple[Graphics, ...]:
    program = shutil.which(_ASKS[0])
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, *_ASKS[1:]], capture_output=True, text=True, timeout=_PATIENCE, env=for_programs(), check=False
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ()
    return read_cards(done.stdout) if done.returncode == 0 else ()


def read_cards(text: str) -> tuple[Graphics, ...]:
    """What that program answers: name, memory and free memory in MiB, a card a line."""
    found = []
    for row in csv.reader(text.splitlines(), skipinitialspace=True):
        if len(row) == 3:
            memory, free = (int(one) << 20 if one.isdigit() else None for one in row[1:])
            found.append(Graphics(row[0], memory, free))
    return tuple(found)
