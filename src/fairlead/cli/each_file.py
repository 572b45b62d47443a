"""A run for each of many files: begun a few at a time, each file once, told as they end."""

import glob
import json as jsons
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from fairlead.cli.asking import PATIENCE, got, posted
from fairlead.cli.brought import with_files
from fairlead.cli.output import data, json_data, say
from fairlead.cli.resting import rests
from fairlead.errors import BadInput, Overloaded, Upstream

T = TypeVar("T")
MOST: Final = 10_000
"""Files of one command."""
_AT_ONCE: Final = 8
_GLANCE: Final = 0.3  # seconds


def files_of(pattern: str) -> tuple[str, list[Path]]:
    """`KEY=PATTERN`: the key, and the files that the pattern names, in their order. Raises `BadInput`."""
    key, mark, where = pattern.partition("=")
    if not (key and mark and where):
        raise BadInput(
            f"--each is {pattern!r}", why="it is a key of the input, = and files", mend="--each 'document=inbox/*.pdf'"
        )
    found = [Path(each) for each in sorted(glob.glob(where, recursive=True)) if Path(each).is_file()]
    if not found or len(found) > MOST:
        why = "no file is there of that name" if not found else f"{MOST:,} are the most at once"
        raise BadInput(
            f"--each names {len(found):,} files", why=why, mend="quote the pattern: --each 'document=inbox/*.pdf'"
        )
    return key, found


def run_each(name: str, given: dict[str, Any], pattern: str, address: str, key: str, json: bool) -> bool:
    """Begin a run for each file, at most a few at once, and wait until all are over or ask somebody. Whether all went
    well. The same file begins the same run, whenever it is given again."""
    told, under_way = [], dict[str, str]()
    left = iter(_begun(name, given, *files_of(pattern), address, key))
    more = True
    while more or under_way:
        while more and len(under_way) < _AT_ONCE:
            one = next(left, None)
            if one is None:
                more = False
            elif one["run"]:
                under_way[one["run"]] = one["file"]
            else:
                told.append(one)
                _say(one)
        for run, file in list(under_way.items()):
            found = _patiently(partial(got, address, f"/v1/workflows/runs/{run}", key))
            if rests(found):
                del under_way[run]
                told.append(_told(file, found))
                _say(told[-1])
        if under_way:
            time.sleep(_GLANCE)
    count = Counter(each["status"] for each in told)
    json_data(told) if json else data(", ".join(f"{number} {status}" for status, number in sorted(count.items())))
    return not count.keys() & {"failed", "cancelled", "lost", "refused"}


def _begun(
    name: str, given: dict[str, Any], as_key: str, files: list[Path], address: str, key: str
) -> Iterator[dict[str, Any]]:
    for file in files:
        try:
            value = with_files(given, {as_key: str(file)}, {}, Path())
            body = {"input": value, "once": f"sha256:{value[as_key]['sha256']}"}
            yield {"file": str(file), "run": _patiently(partial(_run_begun, name, body, address, key))}
        except BadInput as error:
            yield {"file": str(file), "run": "", "status": "refused", "said": error.message}


def _run_begun(name: str, body: dict[str, Any], address: str, key: str) -> str:
    with posted(address, body, key, path=f"/v1/workflows/{quote(name, safe='')}/runs") as answer:
        return str(jsons.loads(answer.read())["id"])


def _patiently(ask: Callable[[], T]) -> T:
    """What a server gives that is busy now and then: it is asked again after the time that it names, for ten minutes in
    all. A batch does not end because others are at work as well."""
    waited = 0.0
    while True:
        try:
            return ask()
        except (Overloaded, Upstream) as error:
            pause = error.retry_after
            if not pause or waited + pause > PATIENCE:
                raise
            say(f"{error.message}: asking again in {pause:g} s")
        time.sleep(pause)
        waited += pause


def _told(file: str, found: dict[str, Any]) -> dict[str, Any]:
    asks = " ".join(each["ask"] or each["for"] for each in found.get("waits", ()))
    said = asks or found.get("failure", {}).get("message", "")
    return {"file": file, "run": found["id"], "status": found["status"], "said": said}


def _say(one: dict[str, Any]) -> None:
    say(f"{one['file']}: {one['status']}" + (f": {one['said'][:300]}" if one["said"] else ""))
