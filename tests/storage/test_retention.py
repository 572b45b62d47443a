"""What was said goes when its time is over, whatever a sweep meets; what is held stays, and proofs hold."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.storage.conftest import OpenJournal

from fairlead.audit import verify_records
from fairlead.clock import SystemClock
from fairlead.costs.record import deed
from fairlead.storage import retention
from fairlead.storage.checkpoints import log_origin
from fairlead.storage.legal_holds import LegalHold, place_hold, release_hold
from fairlead.storage.log import Log
from fairlead.storage.personal_tables import session, session_turn
from fairlead.storage.retention import About, Rules, Swept, sweep
from fairlead.storage.schema import payload
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry, Sealed, Write
from fairlead.storage.vault import Vault

CLOCK = SystemClock()
DAY = 86_400_000
NOW = 1000 * DAY
RULES = Rules({"confidential": 10 * DAY, "restricted": 2 * DAY}, {"draft": 5 * DAY}, 100 * DAY)


class Said(msgspec.Struct):
    kind: str = ""
    data_class: str = ""
    task: str = ""


def read(record: bytes) -> About:
    said = msgspec.json.decode(record, type=Said)
    return About(said.data_class, said.task)


def told(about: str) -> Entry:
    return deed(CLOCK, "retention", by="fairlead", about=about)


async def say(open_journal: OpenJournal, subject: str, *said: tuple[str, str, int]) -> None:
    """Payloads of (class, task, days ago), in one group."""
    entries = []
    for number, (data_class, task, days) in enumerate(said):
        record = msgspec.json.encode({"data_class": data_class, "run": f"run_{number}", "task": task})
        entries.append(Entry(f"run_{number}", NOW - days * DAY, record, b"", Sealed(subject, b"sealed")))
    await open_journal().commit(Write(entries=tuple(entries)))


def left(store: Store) -> list[int]:
    store.bring_in_order()
    with store.reading() as connection:
        return list(connection.execute(select(payload.c.seq).order_by(payload.c.seq)).scalars())


async def test_each_class_and_task_goes_in_its_time_and_the_log_holds(
    store: Store, open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGE", 2)
    ages = [("internal", "", 101), ("internal", "", 99), ("confidential", "", 11), ("confidential", "draft", 6),
            ("internal", "draft", 6), ("restricted", "", 3), ("restricted", "", 1)]  # fmt: skip
    await say(open_journal, "s_1", *ages)
    assert sweep(store, RULES, NOW, read, told).payloads == 5
    assert left(store) == [1, 6]
    assert sweep(store, RULES, NOW, read, told) == Swept()
    assert sweep(store, RULES, NOW + 2 * DAY, read, told).payloads == 2
    store.bring_in_order()
    vault = Vault(bytes(range(32)), StoredSubjects(store), CLOCK)
    with Log(store).at_one_moment() as moment:
        verdict = verify_records(moment.records(), moment.head(), (), vault.verifier_key(log_origin(store, "acme")))
    assert verdict.ok
    assert verdict.size > len(ages), "each deletion is recorded"


@given(
    ages=st.lists(
        st.tuples(
            st.sampled_from(["public", "confidential", "restricted"]),
            st.sampled_from(["", "draft"]),
            st.integers(0, 120),
        ),
        max_size=6,
    )
)
def test_the_shortest_rule_that_applies_counts(ages: list[tuple[str, str, int]]) -> None:
    for data_class, task, _ in ages:
        spans = [RULES.classes.get(data_class), RULES.tasks.get(task)]
        assert RULES.keep(data_class, task) == min((span for span in spans if span), default=100 * DAY)


async def test_what_is_held_is_passed_over_and_goes_when_it_is_released(
    store: Store, open_journal: OpenJournal
) -> None:
    subject = Vault(bytes(range(32)), StoredSubjects(store), CLOCK).subject_for("max").id
    await say(open_journal, subject, ("restricted", "", 3), ("restricted", "", 4))
    hold = LegalHold("run", "run_1", subject, 1, "kim", "a case")
    with store.writing() as connection:
        place_hold(connection, hold)
    assert sweep(store, RULES, NOW, read, told).payloads == 1
    assert sweep(store, RULES, NOW, read, told).payloads == 0
    assert left(store) == [1]
    with store.writing() as connection:
        release_hold(connection, "run", "run_1")
    assert sweep(store, RULES, NOW, read, told).payloads == 1


async def test_a_sweep_that_dies_is_gone_on_with(
    store: Store, open_journal: OpenJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGE", 1)
    await say(open_journal, "s_1", *[("restricted", "", 9)] * 4)
    done = []

    def dies(about: str) -> Entry:
        done.append(about)
        if len(done) == 3:
            raise KeyboardInterrupt
        return told(about)

    with pytest.raises(KeyboardInterrupt):
        sweep(store, RULES, NOW, read, dies)
    assert len(left(store)) == 2, "what was not recorded was not deleted"
    assert sweep(store, RULES, NOW, read, told).payloads == 2


async def test_a_record_from_a_clock_that_was_ahead_is_looked_at_again(store: Store, open_journal: OpenJournal) -> None:
    await say(open_journal, "s_1", ("restricted", "", -1), ("restricted", "", 3))
    assert sweep(store, RULES, NOW, read, told).payloads == 1
    assert sweep(store, RULES, NOW + 4 * DAY, read, told).payloads == 1


async def test_a_shorter_time_counts_for_what_was_looked_at_before(store: Store, open_journal: OpenJournal) -> None:
    await say(open_journal, "s_1", ("internal", "", 50))
    assert sweep(store, RULES, NOW, read, told).payloads == 0
    assert sweep(store, Rules(otherwise=10 * DAY), NOW, read, told).payloads == 1
    assert sweep(store, Rules(), NOW, read, told) == Swept()


def test_turns_of_a_held_run_stay_until_it_is_released(store: Store) -> None:
    subject = Vault(bytes(range(32)), StoredSubjects(store), CLOCK).subject_for("kim").id
    with store.writing() as connection:
        place_hold(connection, LegalHold("run", "run_1", subject, 1, "max", "a case"))
        for name in ("turn_1", "resp_1", "turn_2", "turn_11"):
            row = {"id": name, "subject": subject, "tenant": "", "session": "", "previous": "", "size": 1,
                   "made_at": 0, "used_at": 0, "sealed": b"", "data_class": 3}  # fmt: skip
            connection.execute(session_turn.insert().values(row))
    assert sweep(store, RULES, NOW, read, told).turns == 2
    with store.writing() as connection:
        release_hold(connection, "run", "run_1")
    assert sweep(store, RULES, NOW, read, told).turns == 2


def test_turns_of_conversations_go_by_their_class(store: Store) -> None:
    vault = Vault(bytes(range(32)), StoredSubjects(store), CLOCK)
    subject = vault.subject_for("kim").id
    with store.writing() as connection:
        for name, data_class, days in (("a", 3, 3), ("b", 3, 1), ("c", 2, 3), ("d", -1, 3), ("e", 0, 3)):
            at = NOW - days * DAY
            row = {"id": name, "subject": subject, "tenant": "", "session": "", "previous": "", "size": 1,
                   "made_at": at, "used_at": at, "sealed": b"", "data_class": data_class}  # fmt: skip
            connection.execute(session_turn.insert().values(row))
    assert sweep(store, RULES, NOW, read, told).turns == 2
    with store.reading() as connection:
        assert connection.execute(select(session_turn.c.id).order_by(session_turn.c.id)).scalars().all() == [
            "b",
            "c",
            "e",
        ]
        assert connection.execute(select(session.c.id)).all() == []
