"""Grants: what people have connected with accounts of their own, kept for them until they, somebody who runs the
deployment, or the provider ends it.

Tokens are sealed for their person and go with them. Every end is one transaction with its record. Every method reads
or writes the database: call it in a thread.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.errors import NotFound
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.token_endpoint import Tokens
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.tools.grant_settings import GrantSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.grant_rows import GrantRow, State

EVERY_AGENT: Final = "*"
REASONS: Final = {
    "refused": "the provider has ended it",
    "lost": "a renewal was cut off in the middle, and the provider takes the old token no more",
    "over": "its token has ended, and there is none to renew it with",
    "left": "the identity provider has taken its person out",
    "restored": "the database was restored from a backup",
    "person": "the person has disconnected it",
    "operator": "whoever runs this Fairlead has revoked it",
}
"""Why a grant has ended, in words."""

_encode = msgspec.json.Encoder().encode
_tokens = msgspec.json.Decoder(Tokens)
_names = msgspec.json.Decoder(tuple[str, ...])


class Told(Protocol):
    """Makes the log's entry of what was done to the deployment."""

    def __call__(self, clock: Clock, kind: str, *, by: str, about: str = "", person: str = "") -> Entry: ...


class Grant(Struct, frozen=True, kw_only=True):
    """What somebody has connected, without its tokens. Times in milliseconds since 1970, 0 for never or not known.
    `agents` may use it: "" is the person themself, "*" every agent that acts for them."""

    id: str
    person: str
    tenant: str
    system: str
    agents: tuple[str, ...]
    scopes: tuple[str, ...]
    state: "State"
    reason: str
    made_at: int
    ended_at: int
    expires_at: int
    renews: bool
    authority: str  # to whom its tokens may be shown: see `authority_of`


class Grants:
    """All grants of a deployment."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, told: Told) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._told = told
        self._fleet = Fleet(store, clock)

    def row_of(self, person: str, tenant: str, system: str) -> "GrantRow | None":
        """What this person has, or last had, at a system."""
        from fairlead.storage import grant_rows as table

        subject = self._vault.subject_for(person).id
        with self._store.reading() as connection:
            return table.of_person(connection, subject, tenant, system)

    def opened(self, row: "GrantRow") -> Tokens:
        """The tokens of a grant that is active. Raises `NotFound` where they went with their person."""
        return _tokens.decode(self._vault.open_sealed(row.subject, row.sealed, _about(row.id)))

    def claim(self, row: "GrantRow") -> str:
        """The lease under which this process renews it, "" where another does, or it is not as it was read."""
        from fairlead.storage import grant_rows as table

        lease = new_id(self._clock, "lease")
        with self._store.writing() as connection:
            return lease if table.claim(connection, row, lease) else ""

    def keep(self, row: "GrantRow", lease: str, tokens: Tokens, person: str) -> bool:
        """New tokens under a lease. False where the grant has ended, or another has taken the lease over."""
        from fairlead.storage import grant_rows as table

        if self._vault.id_of(person) != row.subject:  # erased meanwhile: nothing is sealed for somebody new
            return False
        sealed = self._sealed(row.id, tokens, person)
        with self._store.writing() as connection:
            return table.keep(connection, row.id, lease, sealed, tokens.expires_at, bool(tokens.refresh))

    def release(self, row: "GrantRow", lease: str, *, unsure: bool) -> None:
        """Give up renewing it. `unsure`: the provider may have renewed it all the same."""
        from fairlead.storage import grant_rows as table

        with self._store.writing() as connection:
            table.release(connection, row.id, lease, unsure)

    def end(self, row: "GrantRow", reason: str, lease: str) -> bool:
        """The provider has ended it, or it is over. `lease` is that under which this was found out."""
        from fairlead.storage import grant_rows as table

        now = self._clock.now()
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            if not table.end(connection, row.id, "ended", reason, now, lease):
                return False
            self._keep(connection, "grant_ended", "fairlead", row, f": {REASONS[reason]}")
        return True

    def put(
        self, person: str, tenant: str, system: str, settings: GrantSettings, agents: Iterable[str], tokens: Tokens,
        by: str,
    ) -> Grant:  # fmt: skip
        """What a person has just consented to, in place of what they had."""
        from fairlead.storage import grant_rows as table

        id_, now = new_id(self._clock, "grt"), self._clock.now()
        scopes = tuple(settings.scopes) if tokens.scopes is None else tokens.scopes
        row = table.GrantRow(
            id=id_,
            subject=self._vault.subject_for(person).id,
            tenant=tenant,
            system=system,
            authority=authority_of(settings),
            agents=_encode(sorted(set(agents))).decode(),
            scopes=_encode(sorted(scopes)).decode(),
            state="active",
            reason="",
            made_at=now,
            ended_at=0,
            expires_at=tokens.expires_at,
            renews=bool(tokens.refresh),
            lease="",
            unsure=False,
            version=1,
            sealed=self._sealed(id_, tokens, person),
        )
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            table.put(connection, row)
            self._keep(connection, "grant_made", by, row)
            self._fleet.announce(connection)  # who has tokens of the one before in memory drops them
        return self._shown(row, person)

    def let(self, grant: Grant, agents: Iterable[str], by: str) -> None:
        """Other agents may use it from now on. Raises `NotFound` where it has ended meanwhile."""
        from fairlead.storage import grant_rows as table

        with self._store.writing() as connection:
            row = table.one(connection, grant.id)
            if row is None or not table.change_agents(connection, grant.id, _encode(sorted(set(agents))).decode()):
                raise unknown(grant.id)
            self._keep(connection, "grant_changed", by, row)
            epoch = self._fleet.announce(connection)
        self._fleet.wait_until_seen(epoch, timeout=10)

    def revoke(self, grant: Grant, reason: str, by: str) -> Tokens | None:
        """End it here, at once and everywhere: when this returns, no live worker uses it any more. Returns what the
        provider can be asked to take back; None where it had ended. `reason` is "person" or "operator"."""
        from fairlead.storage import grant_rows as table

        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            row = table.one(connection, grant.id)
            if row is None or not table.end(connection, row.id, "revoked", reason, self._clock.now()):
                return None
            self._keep(connection, "grant_revoked", by, row)
            epoch = self._fleet.announce(connection)
        self._fleet.wait_until_seen(epoch, timeout=10)
        try:
            return self.opened(row)
        except NotFound:  # erased meanwhile
            return None

    def of(self, person: str, tenant: str) -> list[Grant]:
        """Those of a person, ended ones too."""
        subject = self._vault.id_of(person)
        return [] if subject is None else [each for each in self._listed(subject, "") if each.tenant == tenant]

    def all(self, person: str = "", system: str = "") -> list[Grant]:
        """For whoever runs the deployment. Those of the erased are gone."""
        subject = self._vault.id_of(person) if person else ""
        return [] if subject is None else self._listed(subject, system)

    def one(self, id_: str) -> Grant:
        """For whoever runs the deployment. Raises `NotFound`."""
        from fairlead.storage import grant_rows as table

        with self._store.reading() as connection:
            row = table.one(connection, id_)
        person = self._vault.name_of(row.subject) if row is not None else None
        if row is None or person is None:
            raise unknown(id_)
        return self._shown(row, person)

    def _listed(self, subject: str, system: str) -> list[Grant]:
        from fairlead.storage import grant_rows as table

        with self._store.reading() as connection:
            rows = table.listed(connection, subject, system)
        named = [(row, self._vault.name_of(row.subject)) for row in rows]
        return [self._shown(row, person) for row, person in named if person is not None]

    def _shown(self, row: "GrantRow", person: str) -> Grant:
        return Grant(
            id=row.id,
            person=person,
            tenant=row.tenant,
            system=row.system,
            agents=agents_of(row),
            scopes=_names.decode(row.scopes),
            state=row.state,
            reason=REASONS.get(row.reason, row.reason),
            made_at=row.made_at,
            ended_at=row.ended_at,
            expires_at=row.expires_at,
            renews=row.renews,
            authority=row.authority,
        )

    def _sealed(self, id_: str, tokens: Tokens, person: str) -> bytes:
        return self._vault.seal(self._vault.subject_for(person), _encode(tokens), _about(id_))

    def _keep(self, connection: "Connection", kind: str, by: str, row: "GrantRow", more: str = "") -> None:
        entry = self._told(self._clock, kind, by=by, about=f"{row.id} {row.system}{more}", person=row.subject)
        self._store.database.append(connection, [entry])


def authority_of(settings: GrantSettings) -> str:
    """A digest of whom tokens may be shown to: a workspace that names another gets none of those that it had."""
    return hashlib.sha256(_encode(settings.authority)).hexdigest()[:32]


def agents_of(row: "GrantRow") -> tuple[str, ...]:
    """Which agents may use it."""
    return _names.decode(row.agents)


def has_ended(system: str, reason: str) -> NoCredential:
    """What whoever would use it is told. `reason` is one of `REASONS`, or says itself why."""
    return NoCredential(
        f"nothing is there by which {system} could know you",
        why=f"what you connected has ended: {REASONS.get(reason, reason)}",
        mend=f"connect it anew: /connect/{system}",
        subject=system,
    )


def plain(grant: Grant) -> dict[str, Any]:
    """A grant as doors and commands show it. There is no token in it."""
    shown = msgspec.structs.asdict(grant)
    del shown["authority"]
    return {"object": "grant", **shown}


def unknown(id_: str) -> NotFound:
    """For a grant that there is not, or not any more."""
    return NotFound(
        f"there is no grant {id_!r}", why="it has ended, or was never made", mend="fairlead grants list", subject=id_
    )


def _about(id_: str) -> bytes:
    """What sealed tokens are bound to: they open in no other place."""
    return f"grant\x00{id_}".encode()
