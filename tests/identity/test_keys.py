"""Keys: what they look like, what is remembered of them, and the table they are kept in."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine
from tests.identity.issuer import NOW, ToldClock

from fairlead.errors import BadInput, NotFound, Unauthenticated
from fairlead.identity.key_table import add_key, list_keys, revoke_key
from fairlead.identity.keys import Key, caller_of, digest_of, is_well_formed, new_key
from fairlead.storage.schema import metadata


def key(name: str = "app", **changes: object) -> Key:
    fields = {"name": name, "digest": digest_of(name), "person": "ada", "created_at": NOW, "created_by": "grace"}
    return Key(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_a_new_key_is_well_formed_and_unlike_any_other(clock: ToldClock) -> None:
    made = [new_key(clock) for _ in range(50)]
    assert len({secret for secret, _ in made}) == 50
    for secret, digest in made:
        assert is_well_formed(secret)
        assert secret[3:].isalnum()
        assert len(secret) == 52
        assert digest == digest_of(secret)


@given(st.data())
def test_one_wrong_character_is_seen(data: st.DataObject) -> None:
    secret, _ = new_key(ToldClock())
    position = data.draw(st.integers(0, len(secret) - 1))
    other = data.draw(st.characters().filter(lambda character: character != secret[position]))
    assert not is_well_formed(secret[:position] + other + secret[position + 1 :])
    assert not is_well_formed(secret[:position] + secret[position + 1 :])


@given(st.text())
def test_no_text_is_taken_for_a_key(text: str) -> None:
    assert not is_well_formed(text)
    assert not is_well_formed("fl_" + text)


def test_a_key_stands_for_its_caller() -> None:
    caller = caller_of(key(agent="bot", groups=frozenset({"support"}), expires_at=NOW + 1), NOW)
    assert (caller.person, caller.agent, caller.credential, caller.expires) == ("ada", "bot", "key:app", NOW + 1)
    assert caller.groups == {"support"}


def test_a_revoked_and_an_expired_key_are_told_apart() -> None:
    with pytest.raises(Unauthenticated, match="'app' was revoked"):
        caller_of(key(revoked_at=NOW), NOW)
    with pytest.raises(Unauthenticated, match="'app' has expired"):
        caller_of(key(expires_at=NOW), NOW)


def test_a_stored_key_comes_back_as_it_was(connection: Connection) -> None:
    stored = key(groups=frozenset({"b", "a"}), roles=frozenset({"admin"}), department="sales", expires_at=NOW + 5)
    add_key(connection, stored)
    assert list_keys(connection) == (stored,)


def test_a_taken_name_is_refused_even_after_a_revocation(connection: Connection) -> None:
    add_key(connection, key())
    revoke_key(connection, "app", NOW)
    with connection.begin_nested(), pytest.raises(BadInput, match="there is a key named 'app' already"):
        add_key(connection, key(digest=digest_of("other")))


@pytest.mark.parametrize("name", ["", "App", "-a", "a b", "a/b", "a" * 64, "é"])
def test_an_unfit_name_is_refused(connection: Connection, name: str) -> None:
    with pytest.raises(BadInput, match="is no name for a key"):
        add_key(connection, key(name))


def test_a_key_without_a_person_is_refused(connection: Connection) -> None:
    with pytest.raises(BadInput, match="no person"):
        add_key(connection, key(person=""))


def test_a_revocation_keeps_its_first_time(connection: Connection) -> None:
    add_key(connection, key())
    revoke_key(connection, "app", NOW)
    revoke_key(connection, "app", NOW + 9)
    assert [stored.revoked_at for stored in list_keys(connection)] == [NOW]


def test_revoking_an_unknown_key_is_an_error(connection: Connection) -> None:
    with pytest.raises(NotFound, match="no key named 'ghost'"):
        revoke_key(connection, "ghost", NOW)
