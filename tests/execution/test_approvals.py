"""Whatever people and programs do in whatever order: an approval is for one very call, once, and never one's own."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.world import FixedClock, _empty_database

from fairlead.errors import NotFound, Refused
from fairlead.execution.approval_question import NotOpen, Question, Why
from fairlead.execution.approvals import Approvals
from fairlead.identity.types import Caller
from fairlead.policy.approval_settings import ApprovalSettings, ApproverSettings
from fairlead.policy.approvals import ApprovalRules
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


class ApprovalMachine(RuleBasedStateMachine):
    """A model beside it knows who said what to which call."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.clock = FixedClock()
        self.store = Store.open(shutil.copyfile(_empty_database(), self.folder / "state.db"), synchronous="off")
        self.revision = "r1"
        self.calls: dict[str, tuple[Any, ...]] = {}
        self.asked_at: dict[str, int] = {}
        self.yes: dict[str, set[str]] = {}
        self.no: set[str] = set()
        self.used: set[str] = set()

    @initialize()
    def start(self) -> None:
        self.restart()

    @rule()
    def restart(self) -> None:
        vault = Vault(bytes(range(32)), StoredSubjects(self.store), self.clock)
        self.approvals = Approvals(self.store, vault, self.clock)
        self.approvals.rules = RULES

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

    @rule(data=st.data(), person=people, agent=agents, allowed=st.booleans(), published=st.booleans())
    def answer(self, data: st.DataObject, person: str, agent: str, allowed: bool, published: bool) -> None:
        if not self.calls:
            return
        id_ = data.draw(st.sampled_from(sorted(self.calls)))
        who = Caller(person=person, agent=agent, credential="key:test")
        try:
            self.approvals.answer(id_, who, allowed, "because", revision=self.revision)
        except (NotOpen, NotFound, Refused):
            return
        assert person != self.calls[id_][0]
        assert agent != "bot"
        assert self.calls[id_][3] == self.revision
        assert self.clock.at < self.asked_at[id_] + 24 * HOUR
        assert person not in self.yes.setdefault(id_, set())
        assert id_ not in self.no | self.used
        if allowed:
            self.yes[id_].add(person)
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
