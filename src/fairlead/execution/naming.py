"""Under which key the pseudonyms of an action are made: one that its person's conversation has for itself."""

from fairlead.costs.ledger import Action
from fairlead.policy.pseudonyms import Pseudonyms


def pseudonyms_for(action: Action) -> Pseudonyms:
    """Those of this action, the same throughout its conversation, its piece of work or its flow, or throughout this run
    where it belongs to none.

    The key follows from the person's own, so that nothing is kept of it, and no pseudonym can be made again once the
    person is erased.
    """
    arrival = action.arrival
    known = (("session", arrival.session), ("work", arrival.work), ("flow", arrival.flow), ("with", arrival.affinity))
    kind, name = next(((kind, name) for kind, name in known if name), ("run", action.run))
    action.pseudonyms = Pseudonyms(action.secret_for(f"{kind}\0{action.caller.tenant}\0{name}"))
    return action.pseudonyms
