"""Whoever gets the name of somebody who was taken out is somebody else: nothing of the one opens to the other."""

from dataclasses import dataclass

import msgspec
import pytest
from tests.identity.issuer import ToldClock
from tests.server.scim.pushing import Pushing, patch, provider
from tests.world import MASTER_KEY

from fairlead.costs.record import decode_record, deed
from fairlead.identity.grants import Grant, Grants
from fairlead.identity.key_table import add_key, list_keys
from fairlead.identity.keys import Key, digest_of
from fairlead.identity.token_endpoint import Tokens
from fairlead.storage import browser_rows, grant_rows
from fairlead.storage.fleet import Fleet
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault
from fairlead.tools.grant_settings import GrantSettings

ACME = provider(person="userName")
SETTINGS = msgspec.convert(
    {"issuer": "https://crm.test", "client": "fairlead", "scopes": {"orders": "read"}}, GrantSettings
)


@dataclass
class Kim:
    """Somebody who is signed in, has connected a system, begun to connect another, and made a key that is bound."""

    store: Store
    clock: ToldClock
    id: str
    grant: Grant
    grants: Grants
    pushing: Pushing

    def signed_in(self) -> bool:
        with self.store.reading() as connection:
            row = browser_rows.one(connection, b"digest")
        assert row is not None
        return not row.ended_at

    def consents(self) -> int:
        with self.store.reading() as connection:
            return len(connection.exec_driver_sql("SELECT * FROM consent").all())

    def key_counts(self) -> bool:
        with self.store.reading() as connection:
            return not list_keys(connection)[0].revoked_at

    def kinds(self) -> list[str]:
        self.store.bring_in_order()
        with self.store.reading() as connection:
            rows = connection.exec_driver_sql("SELECT record FROM log ORDER BY seq").scalars().all()
        found = [decode_record(bytes(each)) for each in rows]
        return [each.kind for each in found if each.credential == "scim:acme" and each.kind != "people"]


@pytest.fixture
def kim(store: Store, clock: ToldClock) -> Kim:
    pushing = Pushing(store, clock)
    id = pushing.add(ACME, "Kim")
    vault = Vault(MASTER_KEY, StoredSubjects(store), clock)
    grants, subject, now = Grants(store, vault, clock, deed), vault.subject_for("acme|Kim").id, clock.now()
    grant = grants.put("acme|Kim", "", "crm", SETTINGS, ("*",), Tokens(access="a-token", got_at=now), "test")
    session = browser_rows.BrowserRow(
        digest=b"digest",
        attempt=b"attempt",
        subject=subject,
        issuer=ACME.issuer,
        started_at=now,
        seen_at=now,
        asked_at=now,
        expires_at=now + 3_600_000,
        ended_at=0,
        sealed=b"-",
    )
    consent = grant_rows.ConsentRow(
        state="s", subject=subject, tenant="", session="b", system="erp", expires_at=now + 600_000, sealed=b"-"
    )
    with store.writing() as connection:
        browser_rows.begin(connection, session)
        grant_rows.begin(connection, consent, now)
        add_key(connection, Key(name="robot", digest=digest_of("k"), person="acme|kim", bound_to="acme"))
    return Kim(store, clock, id, grant, grants, pushing)


def test_a_name_that_is_given_to_somebody_else_opens_nothing_of_the_first(kim: Kim) -> None:
    before = Fleet(kim.store, kim.clock).current().number
    kim.pushing.ask(ACME, "DELETE", f"Users/{kim.id}")
    kim.pushing.add(ACME, "Kim")
    assert not kim.signed_in()
    assert kim.consents() == 0
    assert (kim.grants.one(kim.grant.id).state, kim.key_counts()) == ("ended", False)
    assert "taken its person out" in kim.grants.one(kim.grant.id).reason
    assert Fleet(kim.store, kim.clock).current().number == before + 1  # or workers would go on from memory
    assert kim.kinds() == ["signed_out", "grant_ended", "key_revoked"]


def test_a_name_that_was_given_up_opens_nothing(kim: Kim) -> None:
    kim.pushing.ask(ACME, "PATCH", f"Users/{kim.id}", patch({"op": "replace", "path": "userName", "value": "kim.lee"}))
    kim.pushing.ask(ACME, "POST", "Users", {"userName": "Kim", "externalId": "another"})
    assert (kim.signed_in(), kim.consents(), kim.key_counts()) == (False, 0, False)
    assert kim.grants.one(kim.grant.id).state == "ended"


def test_who_is_inactive_for_a_moment_is_signed_out_and_keeps_the_rest(kim: Kim) -> None:
    for flag in ("False", "True"):
        kim.pushing.ask(ACME, "PATCH", f"Users/{kim.id}", patch({"op": "Replace", "path": "active", "value": flag}))
    assert (kim.signed_in(), kim.consents()) == (False, 0)
    assert (kim.grants.one(kim.grant.id).state, kim.key_counts()) == ("active", True)


def test_another_external_id_or_spelling_of_a_name_ends_nothing(kim: Kim) -> None:
    new = {"op": "replace", "value": {"externalId": "another", "userName": "KIM"}}
    kim.pushing.ask(ACME, "PATCH", f"Users/{kim.id}", patch(new))
    assert (kim.signed_in(), kim.consents(), kim.key_counts()) == (True, 1, True)
    assert kim.grants.one(kim.grant.id).state == "active"


def test_an_external_id_is_nobody_elses_in_another_case(kim: Kim) -> None:
    by_id = provider()
    kim.pushing.ask(by_id, "POST", "Users", {"userName": "other", "externalId": "KIM"})
    found = kim.pushing.ask(by_id, "GET", "Users", filter='externalId eq "KIM"').body
    assert found is not None
    kim.pushing.ask(by_id, "DELETE", f"Users/{found['Resources'][0]['id']}")
    assert kim.key_counts()
