"""Which memory gets large pages, and that nothing but its pages changes."""

from pathlib import Path

import pytest

from fairlead.server import large_pages
from fairlead.server.large_pages import filled, use_large_pages

SIZE = 2 << 20


def mapping(low: int, high: int, there: int, *, rights: str = "rw-p", what: str = "00:00 0 ") -> str:
    """As /proc/self/smaps has it; `there` in kB."""
    head = f"{low:x}-{high:x} {rights} 00000000 {what}\n"
    return f"{head}Size: {(high - low) // 1024:>17} kB\nKernelPageSize: 4 kB\nRss: {there:>18} kB\nVmFlags: rd wr mr\n"


def test_whole_pages_within_memory_that_is_in_use() -> None:
    whole, middle = mapping(SIZE, 3 * SIZE, 4096), mapping(4 * SIZE + 4096, 7 * SIZE - 4096, 6000)
    assert list(filled(whole + middle, SIZE)) == [(SIZE, 3 * SIZE), (5 * SIZE, 6 * SIZE)]


@pytest.mark.parametrize(
    "left_alone",
    [
        mapping(SIZE, 5 * SIZE, 64),  # a thread's stack: nearly all of it is not there
        mapping(SIZE + 4096, 2 * SIZE + 4096, 2048),  # no whole page fits
        mapping(SIZE, 3 * SIZE, 4096, rights="r-xp"),
        mapping(SIZE, 3 * SIZE, 4096, rights="rw-s"),
        mapping(SIZE, 3 * SIZE, 4096, what="fd:01 1234    /usr/lib/libsqlite3.so"),
        mapping(SIZE, 3 * SIZE, 4096, what="00:00 0        [stack]"),
    ],
)
def test_other_memory_is_left_alone(left_alone: str) -> None:
    heap = mapping(8 * SIZE, 9 * SIZE, 2048, what="00:00 0        [heap]")
    assert list(filled(left_alone + heap, SIZE)) == [(8 * SIZE, 9 * SIZE)]


def test_what_is_in_memory_stays_what_it_is() -> None:
    kept = [number * 3 for number in range(10**5)]
    asked = use_large_pages()
    assert asked % 4096 == 0
    assert kept == [number * 3 for number in range(10**5)]


def test_nothing_is_asked_for_where_nobody_shall_use_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_pages, "_SETTINGS", tmp_path)
    assert use_large_pages() == 0  # a system without them
    (tmp_path / "enabled").write_text("always madvise [never]\n")
    (tmp_path / "hpage_pmd_size").write_text(f"{SIZE}\n")
    assert use_large_pages() == 0
