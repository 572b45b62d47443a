"""A branch of a git repository, by the `git` program: its files by their blobs, and for each when it changed last.

An address is fetched into a copy of our own; a repository on this machine is read where it is. Argument lists are
fixed, and no hook, no filter and no helper that a repository names is run.
"""

import posixpath
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from fairlead.context.sources.codeowners import MOST_BYTES, PLACES, Owners, read_owners
from fairlead.context.sources.files import USUAL, day_of, too_many
from fairlead.context.sources.globs import chosen
from fairlead.context.sources.reading import kind_of, most_bytes, too_large
from fairlead.context.sources.settings import GitSource, is_address
from fairlead.context.sources.types import MOST_ENTRIES, Entry, Failure, Listing, Reach, Seen
from fairlead.errors import NotFound, Upstream

_SAFE: Final = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never"),
    *("-c", "core.quotePath=false", "-c", "log.showSignature=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"),
)
_FETCHING: Final = 600  # seconds
_READING: Final = 120
_OURS: Final = "refs/heads/fairlead"
_FILE: Final = frozenset(("100644", "100755"))


class GitBranch:
    """One branch. The mark of a file is the hash of its blob, so it is exact."""

    def __init__(self, name: str, settings: GitSource, reach: Reach) -> None:
        self._key = f"sources.{name}"
        self._settings = settings
        # A repository can name programs to reach others with. Whoever only reads reaches nobody.
        alone = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
        self._environment = {**reach.environment, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", **alone}
        self._is_ours = is_address(settings.url)
        self._folder = (
            reach.copies / f"{name}.git" if self._is_ours else reach.workspace / Path(settings.url).expanduser()
        )
        inner = posixpath.normpath(settings.folder.strip("/") or ".")
        self._inner = "" if inner == "." else inner
        self._commit = ""

    def listing(self, seen: Seen) -> Listing:
        """What the branch's last commit has, fetched before where the copy is ours. Links and submodules are skipped,
        hidden files left out. Raises `NotFound` where there is no such repository, branch or folder, `Upstream` where
        it cannot be fetched, `BadInput` for too many files."""
        if self._is_ours:
            self._fetch()
        elif not self._folder.is_dir():
            raise _no_repository(self._key, self._settings.url)
        before = seen.state
        self._commit = self._resolved(_OURS if self._is_ours else self._settings.branch or "HEAD")
        takes = chosen(self._settings.include or USUAL, self._settings.exclude)
        blobs: dict[str, str] = {}
        skipped: dict[str, Failure] = {}
        for mode, blob, path in self._tree():
            if not takes(path) or path.startswith(".") or "/." in path:
                continue
            if mode in _FILE:
                blobs[path] = blob
            else:
                skipped[path] = Failure(why="it is a link or a submodule", mend="put the file itself in its place")
            if len(blobs) > MOST_ENTRIES:
                raise too_many(self._key)
        facts = self._facts(before, seen.entries, blobs)
        owners = self._owners()
        entries = tuple(
            Entry(
                path=path,
                mark=blob,
                changed=facts[path][0] if path in facts else "",
                origin=facts[path][1] if path in facts else path,
                owner=owners.of(f"{self._inner}/{path}" if self._inner else path) if owners else "",
            )
            for path, blob in blobs.items()
        )
        gone = seen.entries.keys() - blobs.keys()
        moved = self._moved(before, blobs) if before and gone else {}
        return Listing(entries=entries, skipped=skipped, moved=moved, state=self._commit)

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | Failure]]:
        """One program gives all of them."""
        if not entries:
            return
        arguments = ["git", *_SAFE, "-C", str(self._folder), "cat-file", "--batch"]
        with subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for entry in entries:
                process.stdin.write(f"{entry.mark}\n".encode())
                process.stdin.flush()
                yield entry, _content(process.stdout, kind_of(entry.path))

    def _fetch(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self._folder / "HEAD").is_file():
            self._folder.mkdir(exist_ok=True, mode=0o700)
            self._git("init", "--quiet", "--bare", ".")
        wanted = f"refs/heads/{self._settings.branch}" if self._settings.branch else "HEAD"
        fetching = ("fetch", "--quiet", "--no-tags", "--force", "--no-recurse-submodules", "--no-write-fetch-head")
        arguments = (*fetching, "--end-of-options", self._settings.url, f"+{wanted}:{_OURS}")
        done = self._done(arguments, b"", _FETCHING, "https:ssh:file")
        if done.returncode:
            raise self._failed("fetch", done.stderr)

    def _resolved(self, name: str) -> str:
        found = self._asked("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if not found:
            raise NotFound(
                f"{self._key}: {self._settings.url} has no branch {self._settings.branch or 'with a commit'}",
                why="it was renamed or deleted, or nothing was committed yet",
                mend=f"write its name as `{self._key}.branch`",
                subject=self._key,
            )
        return found.decode().strip()

    def _tree(self) -> Iterator[tuple[str, str, str]]:
        top = f"{self._commit}:{self._inner}" if self._inner else self._commit
        found = self._asked("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", top)
        if found is None:
            raise NotFound(
                f"{self._key}: the repository has no folder {self._inner}",
                mend=f"write `{self._key}.folder` as it is seen from the top of the repository",
                subject=self._key,
            )
        for line in found.split(b"\0"):
            about, _, path = line.partition(b"\t")
            if path:
                mode, _, blob = about.decode().split(" ")
                yield mode, blob, path.decode("utf-8", "replace")

    def _owners(self) -> Owners | None:
        if not self._settings.codeowners:
            return None
        listing = ("ls-tree", "-z", "--name-only", "--full-tree", "--end-of-options", self._commit)
        there = self._git(*listing, *PLACES).decode("utf-8", "replace").split("\0")
        place = next((each for each in PLACES if each in there), None)
        found = self._asked("cat-file", "blob", f"{self._commit}:{place}") if place else None
        return read_owners(found[:MOST_BYTES].decode("utf-8", "replace")) if found is not None else None

    def _facts(self, before: str, seen: Mapping[str, Entry], blobs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """Day and origin (`path@commit`) of the last change of each file: in one pass over the commits of the branch,
        or over those that are new. A merge counts when it came to the branch, and a new name is no change."""
        known = {path: (each.changed, each.origin) for path, each in seen.items() if each.changed}
        complete = blobs.keys() <= known.keys()
        if before == self._commit and complete:
            return known
        is_further = bool(before) and self._is_ancestor(before)
        # What was not seen then may be older than `before`: only what the new commits touch is known by them alone.
        found = self._logged(f"{before}..{self._commit}" if is_further else self._commit)
        if is_further and not blobs.keys() <= (known | found).keys():
            found = self._logged(self._commit)
        return known | found if is_further else found

    def _logged(self, commits: str) -> dict[str, tuple[str, str]]:
        way = ("--first-parent", "--diff-merges=first-parent", "-M100%", "--no-ext-diff", "--no-textconv")
        form = ("--name-status", "-z", "--format=%x01%H%x00%ct", "--end-of-options", commits, "--")
        words = self._git("log", *way, *form, *self._below()).decode("utf-8", "replace").split("\0")
        found: dict[str, tuple[str, str]] = {}
        later: dict[str, str] = {}  # what a file of that time is called now
        cut = f"{self._inner}/" if self._inner else ""
        commit, day, at = "", "", 0
        while at < len(words):
            word = words[at].lstrip("\n")
            if word.startswith("\x01"):
                commit, day, at = word[1:13], day_of(float(words[at + 1].strip() or 0)), at + 2
            elif re.fullmatch(r"[RC]\d+", word):
                old, new = words[at + 1], words[at + 2]
                now = later.pop(new, new)
                if word[0] == "R":
                    later[old] = now
                else:
                    found.setdefault(now.removeprefix(cut), (day, f"{now}@{commit}"))
                at += 3
            elif re.fullmatch(r"[A-Z]\d*", word) and at + 1 < len(words):
                now = later.get(words[at + 1], words[at + 1])
                if word != "D":
                    found.setdefault(now.removeprefix(cut), (day, f"{now}@{commit}"))
                at += 2
            else:
                at += 1
        return found

    def _moved(self, before: str, blobs: Mapping[str, str]) -> dict[str, str]:
        """Former paths of files that git takes for the same, though something in them changed."""
        comparing = ("diff-tree", "-r", "-z", "-M60%", "--diff-filter=R", "--name-status", "--no-ext-diff")
        found = self._asked(*comparing, "--end-of-options", before, self._commit, "--", *self._below())
        words = (found or b"").decode("utf-8", "replace").split("\0")
        cut = f"{self._inner}/" if self._inner else ""
        pairs = zip(words[1::3], words[2::3], strict=False)
        return {new.removeprefix(cut): old.removeprefix(cut) for old, new in pairs if new.removeprefix(cut) in blobs}

    def _is_ancestor(self, commit: str) -> bool:
        asked = ("merge-base", "--is-ancestor", commit, self._commit)
        return re.fullmatch(r"[0-9a-f]{40,64}", commit) is not None and self._asked(*asked) is not None

    def _below(self) -> tuple[str, ...]:
        return (f":(top,literal){self._inner}",) if self._inner else ()

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git says. Raises `Upstream` where it fails."""
        done = self._done(arguments, given, _READING)
        if done.returncode:
            raise self._failed(arguments[0], done.stderr)
        return done.stdout

    def _asked(self, *arguments: str) -> bytes | None:
        """What git says, None where there is no such thing. Raises `Upstream` where it is no repository."""
        done = self._done(arguments, b"", _READING)
        if (done.returncode and b"not a git repository" in done.stderr) or b"dubious ownership" in done.stderr:
            raise self._failed(arguments[0], done.stderr)
        return None if done.returncode else done.stdout

    def _done(
        self, arguments: Sequence[str], given: bytes, patience: int, allowed: str = "none"
    ) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                ["git", *_SAFE, "-C", str(self._folder), *arguments],
                input=given,
                capture_output=True,
                timeout=patience,
                env={**self._environment, "GIT_ALLOW_PROTOCOL": allowed},
                start_new_session=True,  # no terminal that it could ask for a password
                check=False,
            )
        except FileNotFoundError:
            raise Upstream(
                f"{self._key}: the program `git` is not installed here",
                why="repositories are read by it",
                mend="install git",
                subject=self._key,
            ) from None
        except subprocess.TimeoutExpired:
            raise Upstream(
                f"{self._key}: git {arguments[0]} did not end within {patience} s",
                mend="look whether the repository answers, then run this again",
                subject=self._key,
            ) from None

    def _failed(self, what: str, said: bytes) -> Upstream:
        lines = [each for each in said.decode("utf-8", "replace").splitlines() if each.strip()]
        why = next((each for each in lines if each.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
        return Upstream(
            f"{self._key}: git {what} failed",
            why=" ".join(why.split())[:400],
            mend=f"try it by hand: git ls-remote {self._settings.url}",
            subject=self._key,
        )


def _content(given: IO[bytes], kind: str) -> bytes | Failure:
    """The next blob of `cat-file --batch`, which says its size before it."""
    size = given.readline().rsplit(b" ", 1)[-1].strip()
    if not size.isdigit():
        return Failure(why="the repository lacks it", mend="run `git fsck` there", lasting=False)
    left = int(size) + 1  # a line end follows
    if left - 1 <= most_bytes(kind):
        return given.read(left)[:-1]
    while left > 0 and (passed := given.read(min(left, 1 << 20))):
        left -= len(passed)
    return too_large(int(size), kind)


def _no_repository(key: str, url: str) -> NotFound:
    return NotFound(
        f"{key}: there is no repository {url}",
        why="it was moved, or what it lies on is not mounted here",
        mend=f"put it back, or say in context/sources.yaml where it is: `{key}.url`",
        subject=key,
    )
