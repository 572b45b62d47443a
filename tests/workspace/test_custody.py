"""What workers delete by age, and when they had better wait."""

from types import SimpleNamespace

from tests.world import FixedClock

from fairlead.clock import SystemClock
from fairlead.storage.journal import Journal
from fairlead.storage.sessions import Owner, Past, Sessions, Turn
from fairlead.storage.settings import RetentionSettings
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry, Sealed, Write
from fairlead.storage.vault import Vault
from fairlead.workspace.custody import Custody, Steadiness
from fairlead.workspace.settings import WorkspaceSettings

YEAR = 365 * 86_400_000
KIM = Owner("kim", "")


async def test_a_clock_that_is_put_forward_deletes_nothing_until_it_has_stood_for_an_hour(store: Store) -> None:
    clock = FixedClock()
    vault = Vault(bytes(range(32)), StoredSubjects(store), clock)
    sessions = Sessions(store, vault, clock, keep=30 * 86_400_000)
    sessions.remember(KIM, Turn(id="a", messages=b"a"), Past())
    journal = Journal(store, "w", SystemClock())
    sealed = Sealed(vault.subject_for("kim").id, b"sealed")
    await journal.commit(Write(entries=(Entry("run_1", clock.now(), b"{}", b"", sealed),)))
    journal.close()
    custody = Custody(store, vault, clock, lambda _: None)
    custody.under(WorkspaceSettings(organisation="acme", models={}, retention=RetentionSettings(otherwise="90d")))
    swept: list[bool] = []
    pins = SimpleNamespace(sweep=lambda: swept.append(True))
    clock.at += YEAR
    for _ in range(3):
        custody.clear(sessions, pins)
        clock.tick(60)
    assert (kept(store), swept) == ((1, 1), [])
    clock.at -= YEAR
    clock.tick(7200)
    custody.clear(sessions, pins)
    assert (kept(store), swept) == ((1, 1), [True]), "it was put right in time"
    clock.at += YEAR
    custody.clear(sessions)
    clock.tick(3601)
    custody.clear(sessions)
    assert kept(store) == (0, 0), "it was right to be put forward"


def kept(store: Store) -> tuple[int, int]:
    from sqlalchemy import func, select

    from fairlead.storage.personal_tables import session_turn
    from fairlead.storage.schema import payload

    store.bring_in_order()
    with store.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(each)).scalar_one() for each in (payload, session_turn)
        ]
    return counts[0], counts[1]


def test_a_machine_that_slept_and_a_clock_that_is_set_right_in_small_steps_are_steady() -> None:
    clock = FixedClock()
    steadiness = Steadiness(clock)
    for seconds, step in ((60, 500), (86_400, 0), (60, -120_000), (60, 59_000)):
        clock.tick(seconds)
        clock.at += step
        assert steadiness.holds()
    clock.at += 61_000
    assert not steadiness.holds()
