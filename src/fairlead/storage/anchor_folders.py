"""Anchors that are folders: files are added, none is changed; and in a git folder each delivery is a commit."""

import os
import subprocess
from pathlib import Path
from typing import Final

from fairlead.errors import Broken
from fairlead.storage.anchors import CHECKPOINTS, KEY_FILE, SUCCESSIONS, TOMBSTONES, Delivery, Kept
from fairlead.storage.durable import sync

_PATIENCE: Final = 60.0
_IDENTITY: Final = ("-c", "user.name=Fairlead", "-c", "user.email=fairlead@localhost", "-c", "commit.gpgsign=false")


def add_files(folder: Path, delivery: Delivery) -> None:
    """Add what is not there yet. Raises Broken where a file of this name says something else: the log was rolled back
    or forked since it was written."""
    try:
        if not folder.is_dir():
            raise Broken(f"there is no folder {folder}", mend="make it, or mount it: an anchor makes none by itself")
        for name, text in delivery.files:
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                _add(path, text)
            elif not delivery.fits(name, text, path.read_text("utf-8", "replace")):
                raise says_else(str(path))
    except OSError as error:
        raise Broken(
            f"cannot write to {folder}: {error.strerror or error}", mend="see its rights and its disk"
        ) from error


def says_else(where: str) -> Broken:
    """What is raised where an anchor has something else by the name of what it is to get."""
    return Broken(
        f"{where} says something else already",
        why="the log was rolled back, or has two histories",
        mend="fairlead audit verify --anchors tells where they part",
    )


def _add(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.unlink(missing_ok=True)  # what a crash has left; or a link by which somebody would have us write elsewhere
    with draft.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync(path.parent)


def read_files(folder: Path) -> Kept:
    """All that was added. Raises Broken where it cannot be read."""
    if not folder.is_dir():
        raise Broken(f"there is no folder {folder}", mend="mount it")

    def texts(below: str) -> tuple[str, ...]:
        return tuple(path.read_text("utf-8", "replace") for path in sorted((folder / below).glob("*.txt")))

    try:
        key = folder / KEY_FILE
        first = key.read_text("utf-8", "replace").strip() if key.exists() else ""
        return Kept(first, texts(CHECKPOINTS), texts(SUCCESSIONS), texts(TOMBSTONES))
    except OSError as error:
        raise Broken(f"cannot read {folder}: {error.strerror or error}", mend="see its rights") from error


def commit_files(folder: Path, delivery: Delivery, said: str) -> None:
    """Add files, commit them, and push where there is a remote. Raises Broken; then the next try goes on."""
    add_files(folder, delivery)
    _git(folder, "add", "--", *(name for name, _ in delivery.files))
    if _git(folder, "status", "--porcelain", "--untracked-files=no").strip():
        _git(folder, *_IDENTITY, "commit", "--quiet", "--no-verify", "-m", said)
    if _git(folder, "remote").strip():
        _git(folder, "push", "--quiet")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Broken(f"git does not work in {folder}: {error}", mend="see whether git is installed") from error
    if done.returncode:
        why = " ".join(done.stderr.split())[-300:]
        raise Broken(f"git {arguments[0] if arguments[0] != '-c' else 'commit'} failed in {folder}", why=why)
    return done.stdout
