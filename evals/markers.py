"""Looks for texts that must not be on a disk, in every form in which they could be: as they are, cut in two by a page's
end, in capitals, as UTF-16, base64 in each alignment, hexadecimal, escaped for URLs or JSON, in compressed files.

A marker is twenty letters and digits by chance. Each form has windows of eight bytes; a file is looked through at every
offset for all of them at once.
"""

import base64
import bz2
import gzip
import lzma
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

LENGTH: Final = 20
_WINDOW: Final = 8
_CHUNK: Final = 32 << 20
_OVERLAP: Final = 512
_BITS: Final = 22
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_PACKED: Final[tuple[tuple[bytes, Callable[[bytes], bytes]], ...]] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ", lzma.decompress),
    (b"x\x9c", zlib.decompress),
    (b"x\xda", zlib.decompress),
)


def forms(marker: str) -> Iterator[tuple[str, bytes]]:
    """Every form in which a marker is looked for, by the form's name."""
    plain = marker.encode()
    yield "plain", plain
    yield "capitals", marker.upper().encode()
    yield "utf-16-le", marker.encode("utf-16-le")
    yield "utf-16-be", marker.encode("utf-16-be")
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    yield "url", "".join(f"%{byte:02x}" for byte in plain).encode()
    yield "URL", "".join(f"%{byte:02X}" for byte in plain).encode()
    yield "json", "".join(f"\\u{byte:04x}" for byte in plain).encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + plain)
        first, last = -(-before * 8 // 6), (before + len(plain)) * 8 // 6  # the letters that nothing else decides
        for name, encoded in (("base64", whole), ("base64url", whole.translate(bytes.maketrans(b"+/", b"-_")))):
            yield f"{name}+{before}", encoded[first:last]


@dataclass
class Found:
    """What was found: in which forms and files, by marker; and how much was looked through."""

    where: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    files: int = 0
    size: int = 0


class Finder:
    """Looks for these markers."""

    def __init__(self, markers: Iterable[str]) -> None:
        self._known: dict[bytes, list[tuple[str, str, int, bytes]]] = defaultdict(list)
        for marker in markers:
            for name, form in forms(marker):
                whole = name in ("plain", "capitals")  # a part of it is a find too: pages end anywhere
                for at in range(0, len(form) - _WINDOW + 1, 1 if whole else 4):
                    window = form[at : at + _WINDOW]
                    self._known[window].append((marker, name, at, b"" if whole else form))
        windows = np.frombuffer(b"".join(self._known), dtype="<u8")
        self._table = np.zeros(1 << _BITS, dtype=bool)
        self._table[_mixed(windows)] = True

    def look_through(self, root: Path, found: Found) -> None:
        """All files below a folder."""
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                self.look_at(path, found)

    def look_at(self, path: Path, found: Found, name: str = "") -> None:
        try:
            with path.open("rb") as file:
                before = head = b""
                while data := file.read(_CHUNK):
                    head = head or data
                    found.size += len(data)
                    self._seek(before + data, name or str(path), found)
                    before = data[-_OVERLAP:]
        except (FileNotFoundError, PermissionError, OSError):
            return  # it went meanwhile: what took its place is looked at too
        found.files += 1
        for magic, unpack in _PACKED:
            if head.startswith(magic):
                try:
                    self._seek(unpack(path.read_bytes()), f"{path} unpacked", found)
                except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError):
                    continue
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            raise RuntimeError(f"{path} is compressed by zstd, which nothing here unpacks")

    def _seek(self, data: bytes, name: str, found: Found) -> None:
        for shift in range(_WINDOW):
            count = (len(data) - shift) // _WINDOW
            if count <= 0:
                continue
            view = np.frombuffer(data, dtype="<u8", count=count, offset=shift)
            for place in np.nonzero(self._table[_mixed(view)])[0]:
                at = shift + int(place) * _WINDOW
                for marker, form, offset, whole in self._known.get(data[at : at + _WINDOW], ()):
                    if not whole or data[at - offset : at - offset + len(whole)] == whole:
                        found.where[marker].add((form, name))


def _mixed(windows: Any) -> Any:
    return (windows * _MIX) >> np.uint64(64 - _BITS)


def planted(folder: Path, marker: str) -> set[str]:
    """Files with a marker in each form, each in a folder's file of its own. Gives the names of what must be found."""
    folder.mkdir()
    for name, form in forms(marker):
        (folder / f"{name}.bin").write_bytes(b"\x01before" + form + b"after\xff")
    plain = marker.encode()
    (folder / "cut.bin").write_bytes(b"\0" * 4000 + plain[:11] + b"\0" * 4096 + plain[11:])
    (folder / "edge.bin").write_bytes(b"\0" * (_CHUNK - 9) + plain)
    (folder / "packed.gz").write_bytes(gzip.compress(b"line " * 50 + plain))
    (folder / "packed.xz").write_bytes(lzma.compress(b"line " * 50 + plain))
    (folder / "packed.z").write_bytes(zlib.compress(b"line " * 50 + plain))
    return {each.name for each in folder.iterdir()}
