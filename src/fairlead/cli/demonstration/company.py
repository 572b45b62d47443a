"""The scene: the workspace of Northlight Home, made ready for a day with stand-ins, and its server."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from fairlead.cli.demonstration.stand_in import StandIn
from fairlead.cli.place import DATA, DATABASE, ENTRY, Place
from fairlead.cli.setting_up import set_up
from fairlead.clock import SystemClock, day_of
from fairlead.errors import Broken
from fairlead.identity.keys import new_key
from fairlead.workspace.templates import write_template

ORGANISATION: Final = "Northlight Home"
OWN: Final = "own-"  # what the names of the visitor's own models begin with
VISITOR: Final = "you"
MARKETING_CAP: Final = "0.012"  # what a text may cost at most is close to it, what it does cost is a tenth
_PATIENCE: Final = 120.0  # seconds for the server to start, and to stop
_ANSWERING = re.compile(r"answering at (http://\S+)/v1")
_KEY_LINE = re.compile(r'^  ([a-z]+): \{secret: "env:NORTHLIGHT_[A-Z]+_KEY"', re.MULTILINE)

_POLICY = """\
@id("own-model-{name}-is-for-you-alone")
@reason("{name} is your own model: nobody in this demonstration may use it but you")
forbid (principal, action == Action::"call_model", resource == Model::"{name}")
unless {{ principal in Group::"visitor" }};
"""


class Company(Struct, frozen=True, kw_only=True):
    """The workspace with its state, and the key of everyone who acts in it. `first_key` is the administrator's."""

    place: Place
    keys: Mapping[str, str]
    own: Mapping[str, str]
    first_key: str


def found(folder: Path, stand_ins: Sequence[StandIn], own: Mapping[str, str]) -> Company:
    """Write the retail template into `folder`, with `stand_ins` in place of its cloud models and the visitor's `own`
    models beside them, and make its state. Raises `BadInput` where the folder is in use."""
    write_template("retail", folder, {"organisation": ORGANISATION, "today": day_of(SystemClock().now())})
    entry = folder / ENTRY
    text, keys = _with_keys(entry.read_text("utf-8"))
    text = _replaced(text, "    marketing: {monthly: 200,", f"    marketing: {{daily: {MARKETING_CAP},")
    for name, stand_in in zip(("small", "large"), stand_ins, strict=True):
        text = _replaced(text, _model_line(text, name), _stand_in_line(name, stand_in))
    for name, use in own.items():
        text = _replaced(text, "\nprefer:", f"  {name}: {use}\n\nprefer:")
        (folder / "policies" / f"{name}.cedar").write_text(_POLICY.format(name=name), "utf-8")
    entry.write_text(text + _PRICES, "utf-8")
    place = Place(folder, folder / DATA, folder / DATA / DATABASE)
    return Company(place=place, keys=keys, own=own, first_key=set_up(place).first_key)


# What the stand-ins ask for, in the range of what small and large models cost.
_PRICES = """
prices:
  small: {input: 0.25, output: 2}
  large: {input: 3, output: 15}
"""


def _with_keys(text: str) -> tuple[str, dict[str, str]]:
    """The text with a fresh key for everyone, of which only the digest stands in it, and the keys by name."""
    clock = SystemClock()
    visitor = f'  {VISITOR}: {{secret: "env:NORTHLIGHT_YOUR_KEY", department: visitors, groups: [visitor]}}'
    text = _replaced(text, "\nkeys:\n", f"\nkeys:\n{visitor}\n")
    keys: dict[str, str] = {}

    def digested(line: re.Match[str]) -> str:
        keys[line[1]], digest = new_key(clock)
        return f'  {line[1]}: {{secret: "sha256:{digest.hex()}"'

    return _KEY_LINE.sub(digested, text), keys


def _model_line(text: str, name: str) -> str:
    found = re.search(rf"^  {name}: .*$", text, re.MULTILINE)
    return found[0] if found else f"  {name}:"


def _stand_in_line(name: str, stand_in: StandIn) -> str:
    vendor = stand_in.vendor.lower()
    where = f"{{kind: cloud, vendor: {vendor}, retention_days: 30}}"
    return f"  {name}: {{use: openai-compatible/{vendor}-{name}, url: {stand_in.url!r}, placement: {where}}}"


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise Broken(f"the retail template has no line {old.strip()!r}", why="the demonstration expects it")
    return text.replace(old, new)


@contextmanager
def open_for_business(place: Place) -> Iterator[str]:
    """`fairlead serve` on a free port of this machine, as a process of its own. Gives its address; stops it after."""
    log = place.data / "serve.log"
    command = [sys.executable, "-m", "fairlead", "serve", str(place.workspace), "--port", "0", "--workers", "1"]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out) as server,
    ):
        try:
            yield _address(server, log)
        finally:
            _stop(server)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where the server answers, once it does."""
    give_up = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < give_up:
        said = _ANSWERING.search(log.read_text("utf-8", "replace"))
        if said and _is_ready(said[1]):
            return said[1]
        time.sleep(0.05)
    last = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
    raise Broken("the server did not start", why=" / ".join(last), mend="run `fairlead doctor`, and try again")


def _is_ready(url: str) -> bool:
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()
