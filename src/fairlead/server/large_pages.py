"""Large pages for what a worker keeps from its start on.

Each request walks through some megabytes of code and data that are spread over thousands of pages of 4 KiB, more than
the processor knows the addresses of at a time. One page of 2 MiB stands for 512 of them. Nothing else changes: it is
advice to the kernel, which may not take it.
"""

import ctypes
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SETTINGS: Final = Path("/sys/kernel/mm/transparent_hugepage")
_OWN: Final = Path("/proc/self/smaps")
_ADVISE, _COLLAPSE = 14, 25  # MADV_HUGEPAGE and, since Linux 6.1, MADV_COLLAPSE: at once, and not some minutes later
# Private memory that can be written and belongs to no file, with what of it is there (proc(5)). Not stacks.
_MAPPING: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *(?:\[heap\]|\[anon:.*\])?\n(?:\w+: .*\n)*?Rss: +(\d+) kB$", re.MULTILINE
)


def use_large_pages() -> int:
    """Ask for them, for all memory that this process has by now. Returns for how many bytes: 0 where the system has
    none, or was told that nobody shall use them."""
    if sys.platform != "linux":
        return 0
    try:
        if "[never]" in (_SETTINGS / "enabled").read_text():
            return 0
        size = int((_SETTINGS / "hpage_pmd_size").read_text())
        found = list(filled(_OWN.read_text(), size))
    except (OSError, ValueError):
        return 0
    advise = ctypes.CDLL(None).madvise
    for low, high in found:
        for advice in (_ADVISE, _COLLAPSE):
            advise(ctypes.c_void_p(low), ctypes.c_size_t(high - low), advice)
    return sum(high - low for low, high in found)


def filled(smaps: str, size: int) -> Iterator[tuple[int, int]]:
    """Where whole pages of `size` bytes fit into memory most of which is in use: the rest of it they would fill."""
    for low, high, there in _MAPPING.findall(smaps):
        first, end = int(low, 16), int(high, 16)
        if int(there) * 1024 * 2 < end - first:
            continue
        first, end = -(-first // size) * size, end // size * size
        if first < end:
            yield first, end
