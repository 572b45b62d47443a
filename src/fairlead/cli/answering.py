"""Answering what a run asks over the database, by whoever runs the deployment and for a person: no server need run."""

from typing import Any

import msgspec

from fairlead.cli.place import Place, user


def answered_here(place: Place, id_: str, order: dict[str, Any], person: str) -> dict[str, Any]:
    """Keep this person's answer; the log says who gave it in their name. The same is looked at as at a door: whether
    they have the role, that it is not their own run, and that the answer fits."""
    from fairlead.cli.approving import known_person, opened
    from fairlead.cli.compiled import published
    from fairlead.cli.opening import open_vault
    from fairlead.cli.pushed import authenticator_of
    from fairlead.clock import SystemClock
    from fairlead.identity.authenticate import OPERATOR
    from fairlead.learning.examples import Examples
    from fairlead.workflows.asked import Order, Workflows
    from fairlead.workflows.runs import Runs

    with opened(place) as (approvals, store):
        vault, clock = open_vault(place, store), SystemClock()
        examples, workspace = Examples(store, vault, clock), published(place, store)
        examples.take_up(workspace.policy, keep=workspace.settings.payloads == "keep")
        workflows = Workflows(store, vault, clock, Runs(store, vault, clock), lambda: approvals.rules, examples)
        workflows.standing = authenticator_of(place, store, workspace.identity).still
        who = msgspec.structs.replace(known_person(place, store, person), credential=f"{OPERATOR}{user()}")
        return workflows.carry_out(id_, who, msgspec.convert(order, Order))
