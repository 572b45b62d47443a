"""People who are signed in with a browser: who they are now, until when, and what ends it.

A session is a random cookie whose digest stands in the database, with what the provider said, sealed for the person:
erasing them ends it. The claims are read as the workspace in force reads them, by the code that reads access tokens.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import NotFound, Overloaded, Unauthenticated
from fairlead.identity.keys import digest_of
from fairlead.identity.proof import Proof, Proofs, person_of
from fairlead.identity.settings import Identity, Provider
from fairlead.identity.sign_in import PURPOSE, Attempt, address, begun, code_of, opened, sealed, text_of
from fairlead.identity.types import Caller
from fairlead.storage.checkpoints import log_origin
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.browser_rows import BrowserRow

Note = Callable[["Connection", str, str, str, str], None]
"""Keeps a deed in the log: its kind, by what it was done, the subject's id, and the rest."""

_UNREFRESHED: Final = 3_600_000  # milliseconds for which a provider is believed that cannot be asked again
_SEEN_EVERY: Final = 60_000
_KEPT_AFTER: Final = 3_600_000  # longer than an attempt lasts, so that none makes a second session
_STEPS_BACK: Final = 120_000  # by which a clock may be set right; a session from further ahead is not believed
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Proof)


class Started(Struct, frozen=True):
    """A person has signed in: the cookie's value, and where they wanted to go."""

    secret: str
    next: str
    caller: Caller
    lasts: int  # seconds

    def __repr__(self) -> str:
        return "Started()"


class BrowserSessions:
    """All of a deployment. `take_up` gives it the revision in force. Belongs to one event loop."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, proofs: Proofs, note: Note) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._proofs = proofs
        self._note = note
        self._identity = Identity()
        self._organisation = ""

    def take_up(self, identity: Identity, organisation: str) -> None:
        """Another revision has come into force."""
        self._identity = identity
        self._organisation = organisation

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Where people may sign in."""
        return tuple(each for each in self._identity.providers if each.login is not None)

    @property
    def programs(self) -> tuple[Provider, ...]:
        """Where people may sign programs in."""
        return tuple(each for each in self._identity.providers if each.cli is not None)

    @property
    def address(self) -> str:
        """Where browsers find this server, "" where the workspace does not say."""
        return self._identity.browser.url.rstrip("/")

    async def begin(self, provider: Provider, redirect: str, path: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie that binds the attempt to it. Raises `BadInput`, `Overloaded`."""
        attempt = begun(provider.issuer, redirect, path, self._clock)
        endpoints = await self._proofs.discovery.of(provider.issuer)
        assert provider.login is not None
        key = await asyncio.to_thread(self._key)
        return address(attempt, provider.login, endpoints), sealed(attempt, key, self._clock)

    async def finish(
        self, cookie: str, answer: Mapping[str, Sequence[str]], admitted: Callable[[Caller], object]
    ) -> Started:
        """Make a session of a provider's answer. `admitted` raises for whom it must not be made.

        Raises `Unauthenticated`, `Overloaded`, and what `admitted` raises.
        """
        attempt = opened(cookie, await asyncio.to_thread(self._key), self._clock.now())
        provider = self._provider(attempt.issuer)
        if provider is None:
            raise _over("the provider was taken out of the workspace meanwhile")
        code = code_of(attempt, answer, await self._proofs.discovery.of(provider.issuer))
        proof = await self._proofs.by_code(provider, code, attempt.verifier, attempt.redirect, attempt.nonce)
        expires = self._clock.now() + self._lasts(proof)
        caller = person_of(provider, proof, expires)
        admitted(caller)
        secret = await asyncio.to_thread(self._keep, attempt, caller, proof)
        return Started(secret, attempt.next, caller, self._lasts(proof) // 1000)

    async def person(self, secret: str) -> Caller | None:
        """Who it is, None where it is nobody's session any more. Raises `Overloaded` while nobody can tell."""
        found = await asyncio.to_thread(self._found, digest_of(secret))
        if found is None:
            return None
        row, provider, proof = found
        if proof.refresh and self._clock.now() - row.asked_at >= self._identity.browser.refresh_minutes * 60_000:
            anew = await self._anew(row, provider, proof)
            if anew is None:
                return None
            proof = anew
        try:
            caller = person_of(provider, proof, row.expires_at)
        except Unauthenticated:
            await self.end(secret, "the claims name nobody any more")
            return None
        if await asyncio.to_thread(self._is_of, row, caller):
            return caller
        await self.end(secret, "the claims name somebody else")
        return None

    async def end(self, secret: str, why: str) -> None:
        """End a session, and have the provider forget it where it can."""
        found = await asyncio.to_thread(self._found, digest_of(secret))
        if found is None:
            return
        row, provider, proof = found
        await asyncio.to_thread(self._end, row, why)
        try:
            await self._proofs.revoke(provider, proof.refresh)
        except (Overloaded, Unauthenticated):
            return  # it has ended here, which is what was asked

    def sweep(self) -> None:
        """Delete what has been over for long enough. Blocking."""
        from fairlead.storage import browser_rows as table

        before = self._clock.now() - _KEPT_AFTER
        with self._store.reading() as connection:
            if not table.is_any_over(connection, before):
                return
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            table.forget(connection, before)

    async def _anew(self, row: "BrowserRow", provider: Provider, proof: Proof) -> Proof | None:
        """What the provider says now. Of many who look at once one asks; the others go by what was said last."""
        now = self._clock.now()
        if not await asyncio.to_thread(self._take_turn, row, now):
            return proof
        try:
            anew = await self._proofs.by_refresh(provider, proof)
        except Unauthenticated:
            await asyncio.to_thread(self._end, row, "the provider refused to go on")
            return None
        except Overloaded:
            await asyncio.to_thread(self._give_turn_back, row, now)
            raise
        return anew if await asyncio.to_thread(self._reseal, row, anew) else None

    def _key(self) -> bytes:
        return self._vault.derived_key(log_origin(self._store, self._organisation), PURPOSE)

    def _provider(self, issuer: str) -> Provider | None:
        return next((each for each in self.providers if each.issuer == issuer), None)

    def _lasts(self, proof: Proof) -> int:
        whole = int(self._identity.browser.hours * 3_600_000)
        return whole if proof.refresh else min(whole, _UNREFRESHED)

    def _keep(self, attempt: Attempt, caller: Caller, proof: Proof) -> str:
        from fairlead.storage import browser_rows as table

        secret = text_of(self._clock.random_bytes(32))
        digest, key, now = digest_of(secret), self._vault.subject_for(caller.person), self._clock.now()
        row = table.BrowserRow(
            digest=digest,
            attempt=attempt.digest,
            subject=key.id,
            issuer=attempt.issuer,
            started_at=now,
            seen_at=now,
            asked_at=now,
            expires_at=caller.expires,
            ended_at=0,
            sealed=self._vault.seal(key, _encode(proof), _about(digest)),
        )
        with self._store.writing() as connection:
            if not table.begin(connection, row):
                raise _over("this sign-in was used before")
            self._note(connection, "signed_in", caller.credential, key.id, "")
        return secret

    def _found(self, digest: bytes) -> "tuple[BrowserRow, Provider, Proof] | None":
        from fairlead.storage import browser_rows as table

        with self._store.reading() as connection:
            row = table.one(connection, digest)
        if row is None or row.ended_at:
            return None
        now, idle = self._clock.now(), self._identity.browser.idle_minutes * 60_000
        provider = self._provider(row.issuer)
        if provider is None:
            self._end(row, "the provider was taken out of the workspace")
            return None
        if now >= row.expires_at or now - row.seen_at >= idle or now < row.seen_at - _STEPS_BACK:
            self._end(row, "its time is over")
            return None
        try:
            proof = _decoder.decode(self._vault.open_sealed(row.subject, row.sealed, _about(digest)))
        except NotFound:  # the person was erased meanwhile
            return None
        if now - row.seen_at >= min(_SEEN_EVERY, idle / 4):
            with self._store.writing() as connection:
                table.seen(connection, digest, now)
        return row, provider, proof

    def _is_of(self, row: "BrowserRow", caller: Caller) -> bool:
        return self._vault.id_of(caller.person) == row.subject

    def _take_turn(self, row: "BrowserRow", now: int) -> bool:
        from fairlead.storage import browser_rows as table

        with self._store.writing() as connection:
            return table.take_turn(connection, row, now)

    def _give_turn_back(self, row: "BrowserRow", now: int) -> None:
        from fairlead.storage import browser_rows as table

        with self._store.writing() as connection:
            table.give_turn_back(connection, row, now)

    def _reseal(self, row: "BrowserRow", proof: Proof) -> bool:
        from fairlead.storage import browser_rows as table

        name = self._vault.name_of(row.subject)
        if name is None:  # erased meanwhile
            return False
        key = self._vault.subject_for(name)
        sealed_anew = self._vault.seal(key, _encode(proof), _about(row.digest))
        with self._store.writing() as connection:
            return key.id == row.subject and table.reseal(connection, row.digest, sealed_anew)

    def _end(self, row: "BrowserRow", why: str) -> None:
        from fairlead.storage import browser_rows as table

        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            if table.end(connection, row.digest, self._clock.now()):
                self._note(connection, "signed_out", f"browser:{row.issuer}", row.subject, why)


def _about(digest: bytes) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return b"browser\x00" + digest


def _over(why: str) -> Unauthenticated:
    return Unauthenticated("nobody was signed in", why=why, mend="sign in again", step="authenticate")
