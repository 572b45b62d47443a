"""Edits that somebody proposes to a page: their words, kept sealed for them, until the page's owner answers.

Whoever may read a page may propose. What they write is untrusted: it is bounded, shown to its owner only, put before no
model, and gone with its proposer. Every method reads or writes the database: call it in a thread.
"""

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.context.types import Item
from fairlead.context.upkeep.requests import Need, row_of
from fairlead.errors import BadInput, NotFound, Refused
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Collection

    from fairlead.storage.request_rows import EditRow, RequestRow, State

MOST_TEXT: Final = 200_000  # characters
MOST_REASON: Final = 2_000
MOST_WAITING: Final = 20
"""Proposals of one person at once: nobody must bury an owner."""


class Edit(Struct, frozen=True, kw_only=True):
    """What is proposed. `read` is the page's text as its proposer saw it, `wanted` as they would have it; `run` the
    answer that made them; `answer` what its owner said to it."""

    item: str
    version: str
    read: str
    wanted: str
    reason: str = ""
    run: str = ""
    answer: str = ""
    by: str = ""
    tenant: str = ""


class TooManyWaiting(Refused):
    """As many proposals of this person wait for their answers as may.

    Owners are not to be buried. Wait until some were answered; `GET /v1/context/proposals` lists them.
    """

    code = "too_many_waiting"
    status = 429


class Proposals:
    """All proposed edits of a deployment. `due` is how many days owners have, and is replaced when another revision
    comes into force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, *, due: int = 7) -> None:
        self.store = store
        self.due = due
        self._vault = vault
        self._clock = clock

    def propose(self, person: str, item: Item, edit: Edit) -> "RequestRow":
        """What its owner is asked. The same text of the same person for the same version is one proposal. Raises
        `BadInput`, `TooManyWaiting`."""
        from sqlalchemy.exc import IntegrityError

        _require_fit(edit)
        try:
            return self._propose(person, item, edit)
        except IntegrityError:
            # The person was erased while this process knew their key. Who returns is somebody new.
            self._vault.clear_cache()
            return self._propose(person, item, edit)

    def _propose(self, person: str, item: Item, edit: Edit) -> "RequestRow":
        from fairlead.storage import request_rows as table

        key, now = self._vault.subject_for(person), self._clock.now()
        need = Need(
            kind="edit",
            item=item.id,
            cause=" ".join((item.version, key.id, hash_of(edit.wanted), *_of_tenant(edit.tenant))),
            owner=item.owner,
            words="somebody proposes another text: fairlead context requests show ID",
            weight=30,
            due=self.due,
        )
        sealed = self._vault.seal(key, msgspec.json.encode(replace(edit, by="")), _about(need.id))
        row = table.EditRow(
            request=need.id, subject=key.id, item=item.id, version=item.version, made_at=now, sealed=sealed
        )
        asked = row_of(need, 1, now)
        with self.store.writing() as connection:
            known = table.one(connection, need.id)
            if known is not None and known.state == "open" and table.edit(connection, need.id) is not None:
                return known
            if table.open_edits(connection, key.id) >= MOST_WAITING:
                raise TooManyWaiting(
                    f"{MOST_WAITING} proposals of this person wait already",
                    why="owners are not to be buried",
                    mend="wait until some of them were answered",
                )
            if known is None:
                table.insert_request(connection, asked)
            else:
                table.reopen(connection, known, now)
            table.insert_edit(connection, row)
            return table.one(connection, need.id) or asked

    def listed(self, states: "Collection[State]") -> "list[tuple[RequestRow, str]]":
        """Those in these states, each with the id of its proposer's key, the weightiest first."""
        from fairlead.storage import request_rows as table

        with self.store.reading() as connection:
            return table.edits(connection, states)

    def is_in(self, row: "RequestRow", tenant: str) -> bool:
        """Whether whoever proposes it did so as a member of this tenant."""
        return row.cause.split(" ")[3:] == _of_tenant(tenant)

    def subject(self, person: str) -> str:
        """The id of a person's key; "" for whoever has none, and so has proposed nothing."""
        return self._vault.id_of(person) or ""

    def of(self, request: str) -> Edit:
        """What a request proposes, and by whom. Raises `NotFound` once it went with its proposer."""
        row = self._row(request)
        edit = msgspec.json.decode(self._vault.open_sealed(row.subject, row.sealed, _about(request)), type=Edit)
        return replace(edit, by=self._vault.name_of(row.subject) or "")

    def answer(self, request: str, text: str) -> None:
        """Keep what the owner says to it, for its proposer."""
        from fairlead.storage import request_rows as table

        edit, row = self.of(request), self._row(request)
        answered = replace(edit, answer=text[:MOST_REASON], by="")
        sealed = self._vault.seal(self._vault.subject_for(edit.by), msgspec.json.encode(answered), _about(request))
        with self.store.writing() as connection:
            table.insert_edit(connection, replace(row, sealed=sealed))

    def _row(self, request: str) -> "EditRow":
        from fairlead.storage import request_rows as table

        with self.store.reading() as connection:
            row = table.edit(connection, request)
        if row is None:
            raise NotFound(
                f"there is no proposed text with {request}",
                why="it is another kind of request, or whoever proposed it was erased",
                mend="`fairlead context requests` lists what is open",
                subject=request,
            )
        return row


def hash_of(text: str) -> str:
    """The first 64 bits of a text's SHA-256, in hexadecimal: enough to tell texts of one page apart."""
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _of_tenant(tenant: str) -> list[str]:
    return [hash_of(tenant)] if tenant else []


def _require_fit(edit: Edit) -> None:
    if edit.wanted == edit.read:
        raise BadInput("the page says that already", mend="propose a text that differs")
    if len(edit.wanted) > MOST_TEXT or len(edit.reason) > MOST_REASON:
        raise BadInput(
            "what is proposed is too long",
            why=f"a text may have {MOST_TEXT:,} characters, a reason {MOST_REASON:,}",
            mend="propose a smaller change; a new page is added by fairlead context add",
        )
    try:
        edit.wanted.encode()
        edit.reason.encode()
    except UnicodeEncodeError:
        raise BadInput(
            "what is proposed is no text", why="it holds half of a character", mend="save it as UTF-8"
        ) from None
    if "\0" in edit.wanted:
        raise BadInput("what is proposed is no text", why="it holds a NUL byte", mend="propose Markdown")


def _about(request: str) -> bytes:
    return f"context edit\x00{request}".encode()
