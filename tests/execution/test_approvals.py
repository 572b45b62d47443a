"""Whatever people and programs do in whatever order: an approval is for one very call, once, and never one's own."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace
from tests.databases import migrated_file
from tests.erased import erase
from tests.world import FixedClock

from fairlead.errors import NotFound, Refused
from fairlead.execution.approval_question import NotOpen, OwnCall, Question, Why
from fairlead.execution.approvals import Approvals
from fairlead.identity.types import Caller
from fairlead.policy.approval_settings import ApprovalSettings, ApproverSettings
from fairlead.policy.approvals import ApprovalRules, Asker
from fairlead.storage.approval_rows import end_all
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

HOUR = 3_600_000
PEOPLE = ("kim", "lee", "max")
RULES = ApprovalRules(
    ApprovalSettings(
        roles={
            "lead": ApproverSettings(persons=PEOPLE, quorum=2),
            "owner": ApproverSettings(persons=("lee",), escalate_to="lead", escalate_after=4),
        },
        through=("portal",),
        expires=24,
    )
)
people = st.sampled_from(PEOPLE)
agents = st.sampled_from(["", "bot", "portal"])
revisions = st.sampled_from(["r1", "r2"])
wants = st.sampled_from([("lead",), ("owner",), ("lead", "owner")])


def question(wanted: tuple[str, ...] = ("owner",), *, person: str = "kim", amount: int = 1) -> Question:
    return Question(
        person=person, tenant="", agent="", department="", tool="bank.transfer", digest=str(amount), revision="r1",
        arguments={"amount": amount}, sources={}, facts={}, reasons=tuple(Why(each, each) for each in wanted),
        wanted=RULES.quorums(wanted),
    )  # fmt: skip


def test_of_a_value_that_nothing_proves_it_is_told_that_nobody_knows_where_it_is_from() -> None:
    asked = replace(question(), sources={"a": ("user",), "b": ("tool:crm.get", "unknown"), "c": ("unknown",)})
    assert asked.came("a") == "from user"
    assert asked.came("b") == "not known where from; read by then: tool:crm.get"
    assert asked.came("c") == asked.came("d") == "not known where from"


def opened(store: Store, clock: FixedClock) -> Approvals:
    approvals = Approvals(store, Vault(bytes(range(32)), StoredSubjects(store), clock), clock)
    approvals.rules_at = lambda _: RULES
    return approvals


def test_both_databases_keep_questions_alike(store: Store) -> None:
    clock = FixedClock()
    approvals, other = opened(store, clock), opened(store, clock)
    lee = Caller(person="lee", credential="key:lee")
    first = approvals.held_or_asked(question(), "key:kim")
    assert other.held_or_asked(question(), "key:kim") == first
    waits = other.held_or_asked(question(amount=2), "key:kim")
    assert other.answer(first.id, lee, True, "fine", revision="r1").state == "granted"
    assert approvals.use(first.id, "key:kim", "kim", "run_1")
    assert not other.use(first.id, "key:kim", "kim", "run_2")
    clock.at += 25 * HOUR
    approvals.sweep()
    assert [(each.id, each.state) for each in other.all()] == [(first.id, "used"), (waits.id, "expired")]
    clock.at += 31 * 24 * HOUR
    approvals.sweep()
    assert approvals.all() == []


def test_what_another_revision_asks_word_for_word_on_the_same_grounds_is_not_asked_anew(store: Store) -> None:
    approvals = opened(store, FixedClock())
    lee = Caller(person="lee", credential="key:lee")
    asked = replace(question(), basis="the same grounds")
    first = approvals.held_or_asked(asked, "key:kim").id
    with pytest.raises(NotOpen, match="another revision"):  # until the call has been decided under it
        approvals.answer(first, lee, True, "", revision="r2")
    later = replace(asked, revision="r2")
    assert approvals.held_or_asked(later, "key:kim").id == first
    assert approvals.answer(first, lee, True, "", revision="r2").question.revision == "r2"
    assert approvals.use(first, "key:kim", "kim", "run_1", once="wf_1:pay")
    cut_off = approvals.held_or_asked(replace(asked, revision="r3"), "key:kim", once="wf_1:pay")
    assert (cut_off.id, cut_off.state) == (first, "granted")
    changes = ({"basis": "others"}, {"basis": ""}, {"facts": {"price": 9}}, {"reasons": (Why("owner", "another"),)})
    for change in changes:
        other = approvals.held_or_asked(replace(later, revision="r4", **change), "key:kim", once="wf_1:pay")
        assert (other.id != first, other.state) == (True, "pending"), change
    unknown = [
        approvals.held_or_asked(replace(question(amount=9), revision=each), "key:kim").id for each in ("r1", "r2")
    ]
    assert len(set(unknown)) == 2


def test_both_databases_know_whose_calls_a_shared_question_is_about(store: Store) -> None:
    approvals = opened(store, FixedClock())
    shared = question(("lead",), person="budget organisation")
    (id_,) = {approvals.held_or_asked(shared, "key:x", who).id for who in ("kim", "lee", "kim", "ada")}
    kim, loud, lee, max_, eve = (Caller(person=who, credential="key:x") for who in ("kim", "LEE", "lee", "max", "eve"))
    for own in (kim, lee):
        with pytest.raises(OwnCall):
            approvals.answer(id_, own, True, "", revision="r1")
    with pytest.raises(Refused):
        approvals.roles_of(approvals.one(id_), replace(loud, roles=frozenset({"lead"})))
    assert [each.id for each in approvals.concerning(kim)] == [id_]
    assert approvals.concerning(eve) == []
    assert approvals.answer(id_, max_, True, "", revision="r1").state == "pending"
    erase(store, approvals._vault, "kim")
    assert approvals.roles_of(approvals.one(id_), kim) == {"lead"}  # whoever comes back is somebody new
    assert len(approvals.one(id_).askers) == 2


def test_what_was_open_in_a_backup_is_void_in_what_is_restored(store: Store) -> None:
    approvals = opened(store, FixedClock())
    granted, waits = (approvals.held_or_asked(question(amount=n), "key:kim") for n in (1, 2))
    approvals.answer(granted.id, Caller(person="lee", credential="key:lee"), True, "", revision="r1")
    with store.writing() as connection:
        assert end_all(connection, 1) == 2
    assert {each.state for each in approvals.all()} == {"expired"}
    assert not approvals.use(granted.id, "key:kim", "kim", "run_1")
    assert approvals.held_or_asked(question(amount=2), "key:kim").id != waits.id


def test_a_role_escalates_after_its_hours_and_a_manager_is_whose_manager_it_is() -> None:
    asker = Asker("kim", "", "sales", 0)
    max_, ada = Caller(person="max"), Caller(person="ada", roles=frozenset({"manager", "owner"}))
    assert not RULES.may_answer(["owner"], max_, asker, 4 * HOUR - 1)
    assert RULES.may_answer(["owner"], max_, asker, 4 * HOUR) == {"owner"}
    assert RULES.may_answer(["manager", "owner"], ada, asker, 0) == {"owner"}
    rules = ApprovalRules(ApprovalSettings(managers={"kim": "lee"}, heads={"sales": "ada"}))
    assert rules.may_answer(["manager"], Caller(person="lee"), asker, 0) == {"manager"}
    assert not rules.may_answer(["manager"], ada, asker, 0)  # kim's own manager is known
    assert rules.may_answer(["manager"], ada, Asker("max", "", "sales", 0), 0) == {"manager"}
    assert not rules.may_answer(["owner"], ada, Asker("max", "partner", "sales", 0), 0)  # of another tenant
    assert not rules.may_answer(["owner"], ada, Asker("ADA", "", "sales", 0), 0)  # however a token spells her


class ApprovalMachine(RuleBasedStateMachine):
    """A model beside it knows who said what to which call."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.clock = FixedClock()
        self.store = Store.open(shutil.copyfile(migrated_file(), self.folder / "state.db"), synchronous="off")
        self.revision = "r1"
        self.calls: dict[str, tuple[Any, ...]] = {}
        self.asked_at: dict[str, int] = {}
        self.yes: dict[str, set[str]] = {}
        self.no: set[str] = set()
        self.used: set[str] = set()
        self.shared: dict[str, set[str]] = {}

    @initialize()
    def start(self) -> None:
        self.restart()

    @rule()
    def restart(self) -> None:
        vault = Vault(bytes(range(32)), StoredSubjects(self.store), self.clock)
        self.approvals = Approvals(self.store, vault, self.clock)
        self.approvals.rules_at = lambda _: RULES

    @rule(person=people, agent=agents, arguments=st.integers(1, 2), wanted=wants, use=st.booleans())
    def call(self, person: str, agent: str, arguments: int, wanted: tuple[str, ...], use: bool) -> None:
        key = (person, agent, arguments, self.revision, wanted)
        question = Question(
            person=person, tenant="", agent=agent, department="", tool="bank.transfer", digest=str(arguments),
            revision=self.revision, arguments={"amount": arguments}, sources={}, facts={},
            reasons=tuple(Why(each, each) for each in wanted), wanted=RULES.quorums(wanted),
        )  # fmt: skip
        found = self.approvals.held_or_asked(question, "key:test")
        assert self.calls.setdefault(found.id, key) == key  # never another's
        self.asked_at.setdefault(found.id, self.clock.at)
        assert self.clock.at < self.asked_at[found.id] + 24 * HOUR
        assert found.id not in self.used
        if found.state == "denied":
            assert found.id in self.no
        if found.state == "granted":
            assert self._agreed(found.id)
            if use:
                assert self.approvals.use(found.id, "key:test", person, "run_1")
                assert not self.approvals.use(found.id, "key:test", person, "run_2")
                self.used.add(found.id)

    @rule(person=people)
    def call_that_does_not_fit(self, person: str) -> None:
        shared = question(("lead",), person="budget organisation", amount=3)
        found = self.approvals.held_or_asked(replace(shared, revision=self.revision), "key:test", person)
        key = ("budget organisation", "", 3, self.revision, ("lead",))
        assert self.calls.setdefault(found.id, key) == key
        self.asked_at.setdefault(found.id, self.clock.at)
        self.shared.setdefault(found.id, set()).add(person)
        vault = self.approvals._vault
        assert {vault.name_of(each) for each in self.approvals.one(found.id).askers} == self.shared[found.id]
        if found.state == "granted":
            assert self.approvals.use(found.id, "key:test", person, "run_1")
            self.used.add(found.id)

    @rule(data=st.data(), person=people, agent=agents, allowed=st.booleans(), published=st.booleans())
    def answer(self, data: st.DataObject, person: str, agent: str, allowed: bool, published: bool) -> None:
        if not self.calls:
            return
        id_ = data.draw(st.sampled_from(sorted(self.calls)))
        who = Caller(person=person, agent=agent, credential="key:test")
        try:
            done = self.approvals.answer(id_, who, allowed, "because", revision=self.revision)
        except (NotOpen, NotFound, Refused):
            return
        assert person != self.calls[id_][0]
        assert person not in self.shared.get(id_, set())  # their own call does not fit either
        assert agent != "bot"
        assert self.calls[id_][3] == self.revision
        assert self.clock.at < self.asked_at[id_] + 24 * HOUR
        assert person not in self.yes.setdefault(id_, set())
        assert id_ not in self.no | self.used
        if allowed:
            self.yes[id_].add(person)
            if done.state == "granted" and id_ in self.shared:
                assert len(self.yes[id_] - self.shared[id_]) >= 2
        else:
            self.no.add(id_)

    @rule(revision=revisions)
    def publish(self, revision: str) -> None:
        self.revision = revision

    @rule(hours=st.sampled_from([1, 5, 25]))
    def wait(self, hours: int) -> None:
        self.clock.at += hours * HOUR

    @rule()
    def sweep(self) -> None:
        self.approvals.sweep()

    @invariant()
    def what_is_granted_was_agreed_to(self) -> None:
        if not hasattr(self, "approvals"):
            return
        for each in self.approvals.all(("granted", "used")):
            assert self._agreed(each.id)
            assert each.id not in self.no
            assert (each.state == "used") == (each.id in self.used)

    def _agreed(self, id_: str) -> bool:
        by, wanted = self.yes.get(id_, set()), self.calls[id_][4]
        return all(len(by) >= 2 if role == "lead" else bool(by) for role in wanted)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


TestApprovals = ApprovalMachine.TestCase
TestApprovals.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
