"""Anchoring: copying what is signed to where the owner of the database has no hand in it, and reading it back.

It runs beside the requests, in a thread, in one worker at a time. What cannot be delivered is tried again at the next
turn; `fairlead doctor` tells of it.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, Broken, FairleadError, Upstream
from fairlead.models.declared import Secrets
from fairlead.net.addresses import checked_address
from fairlead.net.http import Http, Patience, header_value
from fairlead.storage.anchor_folders import add_files, commit_files, read_files, says_else
from fairlead.storage.anchors import (
    CHECKPOINTS,
    KEY_FILE,
    SUCCESSIONS,
    TOMBSTONES,
    Delivery,
    Kept,
    Standing,
    lacking,
    note_standing,
    standings,
)
from fairlead.storage.settings import AnchorSettings
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

log = logging.getLogger("fairlead.anchors")

_PATIENCE: Final = Patience(connect=5.0, first_byte=15.0, idle=15.0)
_DEADLINE: Final = 30.0
_LARGEST: Final = 8 << 20
_INDEX: Final = "index.json"


class Anchor(Struct, frozen=True):
    """A checked one of `audit.anchors`. Of `folder`, `git` and `url` one is set."""

    name: str
    folder: str = ""
    git: str = ""
    url: str = ""
    post: bool = False
    key: str = ""


def compile_anchors(settings: Mapping[str, AnchorSettings]) -> tuple[Anchor, ...]:
    """Raises BadInput naming the key."""
    return tuple(_compiled(name, asked) for name, asked in settings.items())


def _compiled(name: str, asked: AnchorSettings) -> Anchor:
    key = f"audit.anchors.{name}"
    if sum(map(bool, (asked.folder, asked.git, asked.url))) != 1:
        raise BadInput(
            f"{key} says not exactly one of `folder`, `git` and `url`",
            why="an anchor is one place",
            mend="give each place a name of its own",
        )
    if asked.key and not asked.key.startswith(("env:", "file:")):
        raise BadInput(f"{key}.key is no reference", why="a token is never in the text", mend="write env:NAME")
    url = ""
    if asked.url:
        url = checked_address(asked.url, key=f"{key}.url", at_home=asked.private, plain_http=False).url
    return Anchor(name, asked.folder, asked.git, url, asked.method == "post", asked.key)


class Reach:
    """How anchors are written and read. Blocking: call it in a thread. `beside` is the data folder."""

    def __init__(self, beside: Path, secrets: Secrets, clock: Clock) -> None:
        self._beside = beside
        self._secrets = secrets
        self._clock = clock

    def read(self, anchors: Iterable[Anchor]) -> dict[str, Kept | FairleadError]:
        """What each anchor has, or why it cannot be read."""
        found: dict[str, Kept | FairleadError] = {}
        for anchor in anchors:
            try:
                found[anchor.name] = self._read(anchor)
            except FairleadError as error:
                found[anchor.name] = error
        return found

    def put(self, anchor: Anchor, delivery: Delivery) -> None:
        """Raises Broken where it cannot be reached, or says something else already."""
        if anchor.folder:
            add_files(self._path(anchor.folder), delivery)
        elif anchor.git:
            commit_files(self._path(anchor.git), delivery, f"The log of {delivery.size} records")
        else:
            asyncio.run(self._send(anchor, delivery))

    def _path(self, text: str) -> Path:
        return self._beside / Path(text).expanduser()

    async def _send(self, anchor: Anchor, delivery: Delivery) -> None:
        async with Http(self._clock) as http:
            if anchor.post:
                for name, text in delivery.files:
                    await self._ask(http, anchor, "post", anchor.url, msgspec.json.encode({"name": name, "text": text}))
                return
            listed = await self._listed(http, anchor)
            for name, text in delivery.files:
                kept = await self._ask(http, anchor, "get", f"{anchor.url}/{name}")
                if kept is None:
                    await self._ask(http, anchor, "put", f"{anchor.url}/{name}", text.encode())
                elif not delivery.fits(name, text, kept.decode("utf-8", "replace")):
                    raise says_else(f"{anchor.url}/{name}")
            names = sorted({*listed, *(name for name, _ in delivery.files)})
            await self._ask(http, anchor, "put", f"{anchor.url}/{_INDEX}", msgspec.json.encode(names))

    async def _listed(self, http: Http, anchor: Anchor) -> list[str]:
        """The names of the files that were put there: an address cannot be looked into as a folder can."""
        listed = await self._ask(http, anchor, "get", f"{anchor.url}/{_INDEX}")
        if listed is None:
            return []
        try:
            return msgspec.json.decode(listed, type=list[str])
        except msgspec.DecodeError:
            raise Broken(f"{anchor.url}/{_INDEX} is not a list of names", mend="see who wrote there") from None

    def _read(self, anchor: Anchor) -> Kept:
        if anchor.folder or anchor.git:
            return read_files(self._path(anchor.folder or anchor.git))
        if anchor.post:
            raise Broken(
                f"what was posted to {anchor.url} cannot be read back",
                mend="fetch it there, and give its checkpoints with --checkpoint FILE",
            )
        return asyncio.run(self._fetch(anchor))

    async def _fetch(self, anchor: Anchor) -> Kept:
        async with Http(self._clock) as http:
            texts: dict[str, list[str]] = {CHECKPOINTS: [], SUCCESSIONS: [], TOMBSTONES: []}
            key = ""
            for name in await self._listed(http, anchor):
                found = await self._ask(http, anchor, "get", f"{anchor.url}/{name}")
                if found is None:
                    raise Broken(f"{anchor.url}/{name} is gone", why="the list of what was put there names it")
                text = found.decode("utf-8", "replace")
                if name == KEY_FILE:
                    key = text.strip()
                elif (kind := name.partition("/")[0]) in texts:
                    texts[kind].append(text)
        return Kept(key, *(tuple(texts[kind]) for kind in (CHECKPOINTS, SUCCESSIONS, TOMBSTONES)))

    async def _ask(self, http: Http, anchor: Anchor, method: str, url: str, body: bytes = b"") -> bytes | None:
        """What was answered; None where there is nothing to get."""
        headers = {"accept-encoding": "identity", "content-type": "text/plain; charset=utf-8"}
        if anchor.key:
            token = self._secrets(anchor.key)
            if not token:
                raise Broken(f"there is no token for the anchor {anchor.name}", why=f"{anchor.key} holds nothing")
            headers["authorization"] = f"Bearer {header_value(token, name=f'audit.anchors.{anchor.name}.key')}"
        given = {"deadline": self._clock.monotonic() + _DEADLINE, "patience": _PATIENCE, "subject": anchor.name}
        try:
            if method == "get":
                asked = http.get(url, headers, **given)  # type: ignore[arg-type]
            else:
                asked = (http.put if method == "put" else http.post_json)(url, headers, body, **given)  # type: ignore[arg-type]
            async with await asked as answer:
                if answer.status == 404 and method == "get":
                    return None
                if not 200 <= answer.status < 300:
                    raise Broken(f"the anchor {anchor.name} answered with status {answer.status}", why=url)
                return await answer.read(_LARGEST)
        except Upstream as error:
            raise Broken(f"the anchor {anchor.name} cannot be reached", why=error.why or error.message) from error


class Round(Struct, frozen=True):
    """What came of one turn: how far each anchor has got, and who failed and why."""

    standings: tuple[Standing, ...] = ()

    @property
    def failed(self) -> list[Standing]:
        """How it stands with the anchors that the turn failed at."""
        return [each for each in self.standings if each.failure]


class Anchoring:
    """Delivers to the anchors of the revision in force. `anchors` is replaced when another comes into force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, secrets: Secrets, organisation: str) -> None:
        self.anchors: tuple[Anchor, ...] = ()
        self.organisation = organisation
        self._store = store
        self._vault = vault
        self._clock = clock
        self._reach = Reach(store.beside, secrets, clock)

    def deliver(self) -> Round:
        """Bring every anchor up to date. Blocks; returns at once where there are none, or another worker is at it."""
        if not self.anchors:
            return Round()
        with self._store.database.elected("anchoring") as mine:
            if not mine:
                return Round()
            known = standings(self._store)
            return Round(tuple(self._bring(each, known.get(each.name, Standing(each.name))) for each in self.anchors))

    def read(self) -> dict[str, Kept | FairleadError]:
        """What each anchor has, or why it cannot be read."""
        return self._reach.read(self.anchors)

    def _bring(self, anchor: Anchor, standing: Standing) -> Standing:
        try:
            delivery = lacking(self._store, self._vault, self.organisation, standing)
            if delivery is None and not standing.failure:
                return standing
            while delivery is not None:
                self._reach.put(anchor, delivery)
                now = self._clock.now()
                standing = Standing(anchor.name, delivery.size, delivery.tombstones, now, now)
                delivery = lacking(self._store, self._vault, self.organisation, standing)
            standing = msgspec.structs.replace(standing, failure="")
        except FairleadError as error:
            log.error("the anchor %s was not reached: %s (%s)", anchor.name, error, error.why)
            failure = f"{error.message}{f': {error.why}' if error.why else ''}"
            standing = msgspec.structs.replace(standing, tried_at=self._clock.now(), failure=failure)
        with self._store.writing() as connection:
            note_standing(connection, standing)
        return standing
