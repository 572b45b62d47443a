"""Money under caps: in whatever grouping it comes, from however many writers, no cap is passed and no unit lost."""

import shutil
import tempfile
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.storage.books_of import a_hold, balance, check_log, entry, limit, open_ids

from fairlead.clock import SystemClock
from fairlead.storage.books import Books, open_books
from fairlead.storage.group import Balance, Key, decide, scopes
from fairlead.storage.settings import JournalSettings
from fairlead.storage.store import Store
from fairlead.storage.types import Hold, Receipt, ScopeLimit, Write

SCOPES = ("organisation", "person/kim", "person/lee")
CAPS = {"organisation": 100, "person/kim": 60, "person/lee": 0}
limits = st.lists(st.sampled_from([limit(CAPS[scope], scope, warn=(50,)) for scope in SCOPES]), max_size=4).map(tuple)


@given(st.lists(st.tuples(limits, st.integers(0, 70)), max_size=12))
def test_a_group_decides_as_if_each_write_had_come_alone(wanted: list[tuple[tuple[ScopeLimit, ...], int]]) -> None:
    writes = [Write(open=a_hold(str(number), amount, *caps)) for number, (caps, amount) in enumerate(wanted)]
    together: dict[Key, Balance] = {}
    one_by_one: dict[Key, Balance] = {}
    grouped = decide(writes, (), 0, lambda key: together.setdefault(key, Balance())).answers
    single = [decide([w], (), 0, lambda key: one_by_one.setdefault(key, Balance())).answers[0] for w in writes]
    assert [str(answer) for answer in grouped] == [str(answer) for answer in single]
    assert together == one_by_one


class ManyWriters(RuleBasedStateMachine):
    """Groups of writes through two connections to one real database, against a model that is a few dictionaries."""

    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "state.db")
        self.store = Store.open(self.folder / "state.db")
        self.writers = [self.books(worker) for worker in ("w1", "w2")]
        self.holds: list[Hold] = []
        self.open: set[str] = set()
        self.held = dict.fromkeys(SCOPES, 0)
        self.spent = dict.fromkeys(SCOPES, 0)
        self.warned: list[str] = []

    def books(self, worker: str) -> Books:
        return open_books(self.store, worker, SystemClock(), JournalSettings(synchronous="normal"), 1.0)

    @rule(writer=st.integers(0, 1), wanted=st.lists(st.tuples(limits, st.integers(0, 70)), max_size=5))
    def reserve(self, writer: int, wanted: list[tuple[tuple[ScopeLimit, ...], int]]) -> None:
        asked = [a_hold(f"hold_{len(self.holds) + n}", amount, *caps) for n, (caps, amount) in enumerate(wanted)]
        answers = self.writers[writer].write([Write(open=hold) for hold in asked])
        for hold, answer in zip(asked, answers, strict=True):
            touched = {scope for scope, _ in scopes(hold.limits)}
            fits = all(self.held[scope] + self.spent[scope] + hold.amount <= CAPS[scope] for scope in touched)
            assert isinstance(answer, Receipt) == fits
            if fits:
                self.open.add(hold.id)
                for scope in touched:
                    self.held[scope] += hold.amount
        self.holds += asked

    @rule(writer=st.integers(0, 1), data=st.data(), overrun=st.integers(-70, 5))
    def settle(self, writer: int, data: st.DataObject, overrun: int) -> None:
        """Any holds, those that were refused or settled before among them."""
        if not self.holds:
            return
        chosen = data.draw(st.lists(st.sampled_from(self.holds), max_size=5, unique_by=lambda hold: hold.id))
        spent = [max(0, hold.amount + overrun) for hold in chosen]
        writes = [Write(close=h, spent=s, entries=(entry(h.id),)) for h, s in zip(chosen, spent, strict=True)]
        for hold, paid, answer in zip(chosen, spent, self.writers[writer].write(writes), strict=True):
            assert isinstance(answer, Receipt)
            assert answer.closed == (hold.id in self.open)
            self.warned += [warned.scope for warned in answer.warnings]
            if answer.closed:
                self.open.remove(hold.id)
                for scope, _ in scopes(hold.limits):
                    self.held[scope] -= hold.amount
                    self.spent[scope] += paid

    @rule()
    def restart(self) -> None:
        self.writers[0].end()
        self.writers[0] = self.books("w1")

    @invariant()
    def the_database_agrees_with_the_model(self) -> None:
        assert open_ids(self.store) == self.open
        for scope in SCOPES:
            assert balance(self.store, scope) == (self.held[scope], self.spent[scope])
            assert self.warned.count(scope) == (CAPS[scope] > 0 and self.spent[scope] >= CAPS[scope] / 2)
        check_log(self.store)

    def teardown(self) -> None:
        for writer in self.writers:
            writer.end()
        self.store.close()
        shutil.rmtree(self.folder)


def test_no_sequence_of_groups_passes_a_cap_or_loses_a_unit(empty_database: Path) -> None:
    ManyWriters.template = empty_database
    run_state_machine_as_test(
        ManyWriters,
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
