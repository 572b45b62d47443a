"""Upkeep, beside the requests: pages are looked over once a day and after each publish, by one worker for all; owners
are told by webhook and mail. Where the workspace names neither, nothing is done."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.context.catalogue import load_catalogue
from fairlead.context.sufficiency import day_of
from fairlead.context.upkeep.impact import affected, cited_in, cites
from fairlead.context.upkeep.measured import overdue
from fairlead.context.upkeep.owners import Owners, known_owners
from fairlead.context.upkeep.passages import fates
from fairlead.context.upkeep.requests import Requests
from fairlead.context.upkeep.settings import NO_UPKEEP, MailSettings, UpkeepSettings
from fairlead.context.upkeep.settled import FELT, settled, without_proposers
from fairlead.context.upkeep.telling import FOUND, WEEK, Digest, back_after, needs_of, to_escalate, to_tell
from fairlead.costs.record import Record, decode_record
from fairlead.identity import Key
from fairlead.identity.people import People
from fairlead.models.declared import Secrets
from fairlead.net.mail import Mail, MailServer, send
from fairlead.storage.store import Store
from fairlead.tasks.types import TaskType
from fairlead.workspace.compile import Workspace
from fairlead.workspace.custody import Steadiness
from fairlead.workspace.digests import address_of, mail_of, told_of
from fairlead.workspace.organising import names_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger("fairlead.upkeep")

MAIL: Final = "mail:"  # no webhook can be called so
CONTROL: Final = "upkeep"
_DAY: Final = 86_400_000


class Around(Struct, frozen=True, kw_only=True):
    """What of the revision in force upkeep goes by. `names` are owners that are known from keys and settings, `pushing`
    the providers that push their people, each with the attribute that names a person; `requiring` are the task types
    that must rest on something."""

    settings: UpkeepSettings = NO_UPKEEP
    snapshot: str = ""
    names: frozenset[str] = frozenset()
    pushing: Mapping[str, str] = {}
    requiring: tuple[TaskType, ...] = ()


class Upkeeping:
    """Blocking, but for `chore`. `under` is replaced when another revision comes into force."""

    def __init__(self, store: Store, clock: Clock, requests: Requests, people: People, secrets: Secrets) -> None:
        self.under = Around()
        self._store = store
        self._clock = clock
        self._requests = requests
        self._people = people
        self._secrets = secrets
        self._steadiness = Steadiness(clock, back=True)

    async def chore(self) -> None:
        """Ask every minute or so."""
        if self.under.snapshot and (self.under.settings.on or self.under.requiring):
            await asyncio.to_thread(self.run)

    def run(self) -> None:
        """Look over the pages if it is time, and tell owners what they do not know yet. Not while the clock may be
        wrong: by another day other pages have expired, and what is taken back for that would be asked for twice."""
        under = self.under
        if not self._steadiness.holds():
            return
        with self._store.database.elected("upkeep") as mine:
            if not mine:
                return
            if self._is_time(under):
                if under.settings.on:
                    self.look(under)
                self.settle(under)
            if under.settings.on:
                self.tell(under)

    def _is_time(self, under: Around) -> bool:
        from fairlead.storage import request_rows as table

        with self._store.reading() as connection:
            at, snapshot = table.last_round(connection)
        return snapshot != under.snapshot or not 0 <= self._clock.now() - at < _DAY

    def look(self, under: Around) -> None:
        """Find what is the matter with pages and answers, and ask for it."""
        from fairlead.storage import request_rows as table
        from fairlead.storage.log import Log

        now, settings = self._clock.now(), under.settings
        today = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
        catalogue = load_catalogue(self._store, under.snapshot)
        rows = Log(self._store).since(now - settings.answers * _DAY)
        by_citation, by_item = cited_in(_citing(row.record for row in rows))
        became = fates(self._store, by_citation, under.snapshot)
        found = affected(by_citation, by_item, became, catalogue, today, untouched=True)
        suggested = overdue(self._store, catalogue, now)
        needs = needs_of(found, catalogue, self.owners(under), settings, suggested)
        self._requests.found(needs, FOUND, back_after)
        with self._store.writing() as connection:
            table.note_round(connection, now, under.snapshot)

    def settle(self, under: Around) -> None:
        """End what questions have asked for where it is there by now."""
        from fairlead.storage import request_rows as table

        now, rows = self._clock.now(), self._requests.listed("open")
        if any(row.kind in FELT for row in rows):
            catalogue = load_catalogue(self._store, under.snapshot)
            self._requests.over(list(settled(rows, under.requiring, catalogue, day_of(now))))
        if any(row.kind == "edit" for row in rows):
            with self._store.reading() as connection:
                kept = {row.id for row, _ in table.edits(connection, ["open"])}
            self._requests.over(without_proposers(rows, kept))
        with self._store.writing() as connection:
            table.note_round(connection, now, under.snapshot)

    def owners(self, under: Around) -> Owners:
        """Who owns pages, as far as is known now."""
        managers = {owner: each.manager for owner, each in under.settings.owners.items()}
        catalogue = load_catalogue(self._store, under.snapshot)
        return known_owners(catalogue, under.names, managers, self._pushed(under))

    def _pushed(self, under: Around) -> Callable[[str], bool | None]:
        def active(name: str) -> bool | None:
            provider, _, rest = name.partition("|")
            if rest and provider in under.pushing:
                found = self._people.find(provider, under.pushing[provider], rest)
                return found is not None and found.active
            for each in under.pushing:
                if (found := self._people.find(each, "userName", name)) is not None:
                    return found.active
            return None

        return active

    def tell(self, under: Around) -> list[Digest]:
        """Tell owners, and who is above them. That somebody was told and the message stand in one transaction: what is
        delivered twice has the same id."""
        from fairlead.storage import request_rows as table

        now, settings = self._clock.now(), under.settings
        with self._store.reading() as connection:
            rows = table.untold_or_told_since(connection, now - WEEK)
        owners = self.owners(under) if any(row.told_at and row.due_at < now for row in rows) else None
        late = to_escalate(rows, now, owners, settings) if owners is not None else []
        told = []
        for digest in (*to_tell(rows, now, settings), *late):
            ids = [row.id for row in digest.rows]
            with self._store.writing() as connection:
                current = table.among(connection, ids)
                if any(current.get(row.id) != row for row in digest.rows):
                    continue  # it has changed meanwhile: the next turn sees to it
                if not self._post(connection, digest, settings):
                    continue
                note = table.note_escalated if digest.late else table.note_told
                note(connection, ids, now)
            told.append(digest)
        return told

    def _post(self, connection: "Connection", digest: Digest, settings: UpkeepSettings) -> bool:
        """Leave the messages of a digest to be delivered. False where it can go nowhere."""
        from fairlead.controls.alarm_rows import post

        now, done = self._clock.now(), False
        if settings.alarm:
            body = msgspec.json.encode(told_of(digest, now))
            done = post(connection, new_id(self._clock, "msg"), CONTROL, settings.alarm, body, now)
        address = address_of(digest.to, settings)
        if settings.mail is not None and address:
            body = msgspec.json.encode(mail_of(digest, address, now))
            done = post(connection, new_id(self._clock, "msg"), CONTROL, MAIL, body, now) or done
        if not done:
            log.warning("%d requests to %s cannot be told: nobody has an address", len(digest.rows), digest.to)
        return done

    def others(self) -> "Mapping[str, Callable[[str, bytes], Awaitable[None]]]":
        """How mail is delivered under the revision in force."""
        return {MAIL: self._mailed} if self.under.settings.mail is not None else {}

    async def _mailed(self, id_: str, body: bytes) -> None:
        settings = self.under.settings.mail
        if settings is not None:
            mail = msgspec.structs.replace(msgspec.json.decode(body, type=Mail), id=id_)
            await asyncio.to_thread(send, self._server(settings), mail)

    def _server(self, settings: MailSettings) -> MailServer:
        password = self._secrets(settings.password) if settings.password else ""
        return MailServer(
            server=settings.server,
            port=settings.port,
            tls=settings.tls,
            user=settings.user,
            password=password or "",
            sender=settings.sender,
        )


def _citing(records: Iterable[bytes]) -> Iterable[Record]:
    """Those that cite anything. One that somebody damaged is no answer."""
    for record in records:
        if cites(record):
            try:
                yield decode_record(record)
            except msgspec.DecodeError:
                continue


def around(workspace: Workspace, snapshot: str, keys: Iterable[Key]) -> Around:
    """What upkeep goes by under a compiled revision."""
    settings = workspace.settings
    every = (*workspace.identity.keys, *keys)
    names = names_in(settings, every)
    pushing = {name: each.scim.person for name, each in workspace.identity.pushing.items() if each.scim is not None}
    return Around(
        settings=settings.context.upkeep,
        snapshot=snapshot,
        names=frozenset(names),
        pushing=pushing,
        requiring=tuple(each for each in workspace.tasks.types.values() if each.requires),
    )
