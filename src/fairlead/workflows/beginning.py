"""How a run begins: the workflow by its name, its input as the definition wants it, once for each name of a start, and
only where policies permit it. The one way for doors, schedules and copies."""

from collections.abc import Mapping
from typing import Any, Final

from fairlead.clock import Clock, new_id
from fairlead.costs.record import RECORD_VERSION, Record, RecordedError, encode_record
from fairlead.errors import BadInput, Broken, Denied, NotFound, closest
from fairlead.identity.types import Caller
from fairlead.labels import DataClass
from fairlead.policy import Policy
from fairlead.policy.cedar_request import Starting
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.forms import Form
from fairlead.workflows.opened import Decided, Started
from fairlead.workflows.run_rows import policies_of

STARTS: Final = "fairlead.workflows"
"""The door at which runs are begun."""
LONGEST_ONCE: Final = 200  # characters


class Permits:
    """Whether somebody may begin a run, by the policies in force: `in_force`, them and their revision, is replaced when
    another comes into force. A refusal is recorded before it is raised. It reads and writes the database: call it in a
    thread."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.in_force: tuple[Policy, str] | None = None
        self._store = store
        self._vault = vault
        self._clock = clock

    def decided(self, who: Caller, bundle: Bundle, door: str, *, copy: bool = False) -> Decided:
        """What policies say of this start. Raises `Denied`."""
        if self.in_force is None:
            raise Broken("no revision is in force here yet", mend="try again shortly", subject=bundle.name)
        policy, revision = self.in_force
        decided = Decided(policy.start(who, starting(bundle), door, copy=copy), revision)
        if not decided.decision.allowed:
            raise self._denied(who, bundle.name, door, decided, copy)
        return decided

    def _denied(self, who: Caller, name: str, door: str, decided: Decided, copy: bool) -> Denied:
        decision = decided.decision
        error = Denied(
            f"{who.person} may not begin {name}",
            why="; ".join([*(each.text for each in decision.reasons), *decision.errors]),
            mend=f'have a policy permit `start_workflow` for Workflow::"{name}": how-to/run-workflows',
            step="authorize",
            subject=name,
        )
        error.run = new_id(self._clock, "ref")
        person = self._vault.subject_for(who.person).id
        record = Record(
            v=RECORD_VERSION, kind="start_workflow", run=error.run, at=self._clock.now(), about=name, agent=who.agent,
            credential=who.credential, department=who.department, door=door, tenant=who.tenant,
            outcome="refused", error=RecordedError(error.code, error.step), person=person,
            flags=("copy",) if copy else (), **policies_of(decided),
        )  # fmt: skip
        with self._store.writing() as connection:
            self._store.database.append(connection, [Entry(record.run, record.at, encode_record(record))])
        return error


def starting(bundle: Bundle) -> Starting:
    """A start of this workflow, as policies are told of it."""
    return Starting(bundle.name, DataClass[bundle.definition.data_class or "public"])


def started(
    workflows: Mapping[str, Bundle], name: str, given: Any, *, once: str = "", priority: int | None = None, door: str
) -> Started:
    """What `Runs.begin` takes. Raises `NotFound` for no such workflow, `BadInput` naming what is wrong with `given`."""
    bundle = workflows.get(name)
    if bundle is None:
        raise NotFound(
            f"there is no workflow {name!r}",
            why="" if workflows else "this workspace has none",
            mend=closest(name, workflows) or "write workflows/NAME.yaml, then `fairlead apply`",
            subject=name,
        )
    if len(once) > LONGEST_ONCE:
        raise BadInput(
            f"`once` has {len(once)} characters", why=f"{LONGEST_ONCE} are the most", mend="shorten it", param="once"
        )
    definition = bundle.definition
    value, wrong = Form({"type": "object", **definition.input}, "input").taken({} if given is None else given)
    if wrong:
        raise BadInput(
            f"the input of {name} does not fit: {wrong}",
            mend=f"`fairlead workflow show {name}` tells what it takes",
            param="input",
            subject=name,
        )
    return Started(
        workflow=name,
        digest=bundle.digest,
        body=bundle.body,
        input=value,
        once=once,
        priority=definition.priority if priority is None else priority,
        door=door,
    )
