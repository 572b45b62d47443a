"""Conversations belong to their person, go with them, and are forgotten in time."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from tests.erased import erase
from tests.world import FixedClock

from fairlead.errors import BadInput, Broken, NotFound, Refused
from fairlead.labels import DataClass, Labels
from fairlead.storage.legal_holds import LegalHold, place_hold, release_hold
from fairlead.storage.session_rows import MOST_TURNS
from fairlead.storage.sessions import Owner, Past, Sessions, Turn
from fairlead.storage.settings import SessionSettings
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

DAY = 86_400_000
KIM, LEE = Owner("kim", ""), Owner("lee", "")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def vault(store: Store, clock: FixedClock) -> Vault:
    return Vault(bytes(range(32)), StoredSubjects(store), clock)


@pytest.fixture
def sessions(store: Store, vault: Vault, clock: FixedClock) -> Iterator[Sessions]:
    return Sessions(store, vault, clock, keep=30 * DAY, most_bytes=4096)


def say(sessions: Sessions, id_: str, *, owner: Owner = KIM, previous: str = "", session: str = "") -> None:
    past = sessions.recall(owner, previous=previous, session=session)
    turn = Turn(id=id_, messages=id_.encode(), asked=b"asked", shown=b"shown")
    sessions.remember(owner, turn, past, previous=previous, session=session)


def said(past: Past) -> list[bytes]:
    return [turn.messages for turn in past.turns]


def rows(store: Store, table: str = "session_turn") -> int:
    with store.reading() as connection:
        return int(connection.execute(sql(f"SELECT COUNT(*) FROM {table}")).scalar_one())


def test_turns_come_back_in_order_and_may_branch(sessions: Sessions) -> None:
    say(sessions, "a")
    say(sessions, "b", previous="a")
    say(sessions, "c", previous="b")
    say(sessions, "d", previous="a")
    assert said(sessions.recall(KIM, previous="c")) == [b"a", b"b", b"c"]
    assert said(sessions.recall(KIM, previous="d")) == [b"a", b"d"]
    assert sessions.recall(KIM) == Past()
    assert sessions.turn(KIM, "b").shown == b"shown"


def test_who_comes_second_in_a_session_follows_who_came_first(sessions: Sessions) -> None:
    session = sessions.begin(KIM, b"about").id
    past = sessions.recall(KIM, session=session)
    for id_ in ("a", "b"):  # both had seen an empty one
        sessions.remember(KIM, Turn(id=id_, messages=id_.encode()), past, session=session)
    assert said(sessions.recall(KIM, session=session)) == [b"a", b"b"]
    assert sessions.session(KIM, session).about == b"about"


def test_labels_go_on_and_only_rise(sessions: Sessions) -> None:
    low = Labels(DataClass.internal, frozenset({"email"}))
    high = Labels(DataClass.restricted, frozenset({"iban"}))
    sessions.remember(KIM, Turn(id="a", messages=b"", labels=high), Past())
    sessions.remember(KIM, Turn(id="b", messages=b"", labels=low), Past(), previous="a")
    assert sessions.recall(KIM, previous="b").labels == high.joined(low)


@pytest.mark.parametrize("other", [LEE, Owner("kim", "elsewhere")])
def test_others_are_told_what_they_are_told_of_nothing(sessions: Sessions, other: Owner) -> None:
    say(sessions, "a")
    session = sessions.begin(KIM, b"").id
    say(sessions, "b", session=session)
    told = []
    for turn, name in (("a", session), ("x", "conv_x")):
        for act in (
            lambda turn=turn: sessions.recall(other, previous=turn),
            lambda turn=turn: sessions.turn(other, turn),
            lambda turn=turn: sessions.forget_turn(other, turn),
            lambda name=name: sessions.recall(other, session=name),
            lambda name=name: sessions.session(other, name),
            lambda name=name: sessions.forget_session(other, name),
            lambda name=name: sessions.remember(other, Turn(id="c", messages=b""), Past(), session=name),
        ):
            with pytest.raises(NotFound) as caught:
                act()
            told.append((re.sub("'[^']*'", "ID", caught.value.message), caught.value.why))
    assert told[: len(told) // 2] == told[len(told) // 2 :]
    assert said(sessions.recall(KIM, session=session)) == [b"b"]


def test_what_is_not_used_is_forgotten_and_what_is_used_stays(
    sessions: Sessions, clock: FixedClock, store: Store
) -> None:
    session = sessions.begin(KIM, b"").id
    say(sessions, "a")
    say(sessions, "b")
    clock.tick(20 * 86_400)
    say(sessions, "c", previous="a")
    assert sessions.sweep() == 0
    clock.tick(20 * 86_400)
    assert said(sessions.recall(KIM, previous="c")) == [b"a", b"c"]
    for gone in (lambda: sessions.recall(KIM, previous="b"), lambda: sessions.session(KIM, session)):
        with pytest.raises(NotFound):
            gone()
    assert (rows(store), rows(store, "session")) == (3, 1)
    assert sessions.sweep() == 2
    assert sessions.sweep() == 0
    assert (rows(store), rows(store, "session")) == (2, 0)


def test_a_shorter_keeping_counts_at_once(sessions: Sessions, clock: FixedClock) -> None:
    say(sessions, "a")
    clock.tick(7200)
    sessions.keep = 3_600_000
    with pytest.raises(NotFound):
        sessions.recall(KIM, previous="a")
    sessions.keep = 0
    with pytest.raises(BadInput, match="no conversations are remembered"):
        sessions.begin(KIM, b"")


def test_an_erased_person_leaves_nothing(sessions: Sessions, vault: Vault, store: Store) -> None:
    session = sessions.begin(KIM, b"").id
    say(sessions, "a", session=session)
    say(sessions, "b", owner=LEE)
    stale = sessions.recall(KIM, session=session)
    erase(store, vault, "kim")
    assert (rows(store), rows(store, "session")) == (1, 0)
    for gone in (
        lambda: sessions.recall(KIM, previous="a"),
        lambda: sessions.remember(KIM, Turn(id="c", messages=b""), stale, session=session),
    ):
        with pytest.raises(NotFound):
            gone()
    assert said(sessions.recall(LEE, previous="b")) == [b"b"]


def test_a_worker_that_does_not_know_of_an_erasure_yet_keeps_nothing(
    sessions: Sessions, vault: Vault, store: Store, clock: FixedClock
) -> None:
    vault.subject_for("kim")  # remembered in this process
    erase(store, Vault(bytes(range(32)), StoredSubjects(store), clock), "kim")
    with pytest.raises(NotFound):
        sessions.remember(KIM, Turn(id="a", messages=b"said"), Past())
    assert rows(store) == 0


def test_a_deleted_turn_takes_away_what_follows_from_it(sessions: Sessions) -> None:
    say(sessions, "a")
    say(sessions, "b", previous="a")
    sessions.forget_turn(KIM, "a")
    with pytest.raises(NotFound, match="not complete"):
        sessions.recall(KIM, previous="b")
    with pytest.raises(NotFound):
        sessions.turn(KIM, "a")
    assert sessions.turn(KIM, "b").messages == b"b"


def test_a_deleted_session_takes_its_turns_with_it(sessions: Sessions, store: Store) -> None:
    session = sessions.begin(KIM, b"").id
    say(sessions, "a", session=session)
    say(sessions, "b")
    sessions.forget_session(KIM, session)
    assert rows(store) == 1
    with pytest.raises(NotFound):
        sessions.recall(KIM, session=session)


def hold(store: Store, vault: Vault, kind: str, what: str = "") -> LegalHold:
    subject = vault.subject_for("kim").id
    made = LegalHold(kind, what or subject, subject, 1, "max", "a secret case")
    with store.writing() as connection:
        place_hold(connection, made)
    return made


@pytest.mark.parametrize("kind", ["person", "run"])
def test_what_is_held_is_neither_deleted_by_its_person_nor_forgotten_in_time(
    sessions: Sessions, vault: Vault, store: Store, clock: FixedClock, kind: str
) -> None:
    session, other = (sessions.begin(KIM, b"").id for _ in range(2))
    say(sessions, "turn_1", session=session)
    say(sessions, "resp_1")
    say(sessions, "resp_2", session=other)
    held = hold(store, vault, kind, "" if kind == "person" else "run_1")
    for forget, what in ((sessions.forget_session, session), (sessions.forget_turn, "turn_1"),
                         (sessions.forget_turn, "resp_1")):  # fmt: skip
        with pytest.raises(Refused, match="cannot be deleted") as refused:
            forget(KIM, what)
        assert "case" not in f"{refused.value} {refused.value.why} {refused.value.mend}"
    assert rows(store) == 3
    if kind == "run":
        sessions.forget_turn(KIM, "resp_2")
    clock.tick(31 * 86_400)
    while sessions.sweep():
        """A part of it at a time."""
    assert (rows(store), rows(store, "session")) == ((3, 2) if kind == "person" else (2, 1))
    with store.writing() as connection:
        release_hold(connection, kind, held.what)
    while sessions.sweep():
        """A part of it at a time."""
    assert (rows(store), rows(store, "session")) == (0, 0)


def test_a_conversation_that_has_grown_too_long_is_refused(sessions: Sessions) -> None:
    sessions.remember(KIM, Turn(id="a", messages=b"x" * 4000), Past())
    say(sessions, "b" * 97, previous="a")
    with pytest.raises(BadInput, match="4097 bytes"):
        sessions.recall(KIM, previous="b" * 97)


def test_a_conversation_of_too_many_turns_is_refused(sessions: Sessions, store: Store) -> None:
    say(sessions, "t0")
    with store.writing() as connection:
        for number in range(1, MOST_TURNS + 1):
            connection.execute(
                sql(
                    "INSERT INTO session_turn"
                    " SELECT :id, subject, tenant, session, :before, made_at, used_at, 1, sealed, data_class"
                    " FROM session_turn WHERE id = 't0'"
                ),
                {"id": f"t{number}", "before": f"t{number - 1}"},
            )
    with pytest.raises(BadInput, match=f"{MOST_TURNS + 1} turns"):
        sessions.recall(KIM, previous=f"t{MOST_TURNS}")


def test_rows_that_were_exchanged_do_not_open(sessions: Sessions, store: Store) -> None:
    say(sessions, "a")
    say(sessions, "b")
    with store.writing() as connection:
        connection.execute(
            sql("UPDATE session_turn SET sealed = (SELECT sealed FROM session_turn WHERE id = 'b') WHERE id = 'a'")
        )
    with pytest.raises(Broken, match="does not open"):
        sessions.turn(KIM, "a")


@given(st.integers(1, 99_999), st.sampled_from("hd"))
def test_how_long_is_said_in_hours_or_days(number: int, unit: str) -> None:
    assert SessionSettings(f"{number}{unit}").kept_for("none") == number * (DAY if unit == "d" else DAY // 24)


def test_without_payloads_nothing_is_remembered_unless_it_is_said() -> None:
    assert [SessionSettings(keep).kept_for(kept) for keep in (None, 0) for kept in ("keep", "none")] == [
        30 * DAY, 0, 0, 0
    ]  # fmt: skip
