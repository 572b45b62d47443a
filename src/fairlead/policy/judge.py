"""Cedar, asked about one action: the policies that can apply to it, parsed once, and the way a forbid is lifted."""

import json
from collections.abc import Callable, Iterator, Sequence

import cedarpy
from msgspec.structs import replace

from fairlead.policy.cedar_request import CedarRequest
from fairlead.policy.reads import Reads
from fairlead.policy.sources import Statement
from fairlead.policy.types import Decision, Hit, Reason

RequestWithout = Callable[[frozenset[str]], CedarRequest]
"""Makes the request for a text from which the given categories have been taken."""

_NONE: frozenset[str] = frozenset()
_RELEASES = ("release_reply", "release_result")
_BY_DEFAULT = (Reason("default-deny", "no policy permits it, and what is not permitted is denied"),)


class Judge:
    """The policies that can apply to one action. Without a cache: each question goes to Cedar."""

    def __init__(self, action: str, statements: Sequence[Statement], group: str = "") -> None:
        """`group` is the group of actions that the action is in, if any. Without an action all statements count, and
        their own scopes say for which."""
        self.action = action
        self._denial = "withhold" if action in _RELEASES else "refuse"
        names = {action, group}
        mine = [each for each in statements if not action or each.actions is None or names & each.actions]
        watching = [each for each in mine if each.mode != "enforce"]
        self.statements = {each.id: each for each in mine}
        self.reads = Reads(mine, "categories" if action in _RELEASES else "labels")
        self._policies = _parsed([each for each in mine if each.mode == "enforce"])
        self._watching = _parsed(watching) if watching else None

    def decide(self, requests: Sequence[RequestWithout], present: frozenset[str]) -> list[Decision]:
        """One decision for each request about a text in which the categories `present` were found.

        Where all that stands against it is lifted by redaction, Cedar is asked again about the redacted text, and
        the second answer counts. What rules in shadow and warn mode would have done is noted beside it.
        """
        decisions = self._decided(requests, present)
        if self._watching is None:
            return decisions
        noted = self._watched(requests, present, self._watching)
        return [replace(each, hits=(*each.hits, *hits)) for each, hits in zip(decisions, noted, strict=True)]

    def _decided(self, requests: Sequence[RequestWithout], present: frozenset[str]) -> list[Decision]:
        first = self._answers([without(_NONE) for without in requests])
        lifts = [self._lift(decision) & present for decision in first]
        again = [index for index, lift in enumerate(lifts) if lift]
        if not again:
            return first
        second = self._answers([requests[index](lifts[index]) for index in again])
        for index, decision in zip(again, second, strict=True):
            if decision.allowed:
                against = first[index].reasons
                hits = tuple([Hit(each.policy, "enforce", "redact", each.text) for each in against])
                first[index] = Decision(
                    "allow",
                    against + decision.reasons,
                    redact=lifts[index],
                    hits=hits,
                    pseudonymise=self._named(against) & lifts[index],
                )
        return first

    def _watched(
        self, requests: Sequence[RequestWithout], present: frozenset[str], watching: cedarpy.PolicySet
    ) -> list[tuple[Hit, ...]]:
        """For each request the rules that are not enforced and apply: each by itself, as it would if it were."""
        asked = self._answers([without(_NONE) for without in requests], watching)
        return [
            tuple(self._hits(decision, request, present, watching))
            for decision, request in zip(asked, requests, strict=True)
        ]

    def _hits(
        self, decision: Decision, request: RequestWithout, present: frozenset[str], watching: cedarpy.PolicySet
    ) -> Iterator[Hit]:
        for reason in decision.reasons:
            statement = self.statements.get(reason.policy)
            if statement is None:
                continue
            lift = statement.redact & present
            left = self._answers([request(lift)], watching)[0].reasons if lift else (reason,)
            lifted = all(each.policy != statement.id for each in left)
            yield Hit(statement.id, statement.mode, "redact" if lifted else self._denial, reason.text)

    def _lift(self, decision: Decision) -> frozenset[str]:
        """The categories whose removal lifts every forbid that decided; empty where nothing can."""
        if decision.allowed or decision.errors:
            return _NONE
        against = [self.statements.get(reason.policy) for reason in decision.reasons]
        lifts = [each.redact if each is not None else _NONE for each in against]
        return frozenset().union(*lifts) if lifts and all(lifts) else _NONE

    def _named(self, against: Sequence[Reason]) -> frozenset[str]:
        """The categories that all who want them out would have pseudonyms for: where one wants a mark, it is a mark."""
        by = [self.statements[each.policy] for each in against]
        marked = frozenset().union(*(each.redact - each.pseudonymise for each in by))
        return frozenset().union(*(each.pseudonymise for each in by)) - marked

    def _answers(self, requests: Sequence[CedarRequest], policies: cedarpy.PolicySet | None = None) -> list[Decision]:
        named = (each for request in requests for each in (request.principal, request.resource, *request.others))
        entities = {(each["uid"]["type"], each["uid"]["id"]): each for each in named}
        bodies = [request.body for request in requests]
        results = cedarpy.is_authorized_batch(bodies, policies or self._policies, list(entities.values()))
        return [self._decision(result) for result in results]

    def _decision(self, result: cedarpy.AuthzResult) -> Decision:
        errors = tuple(result.diagnostics.errors)
        if result.decision is cedarpy.Decision.NoDecision:
            return Decision("deny", errors=errors or ("Cedar came to no decision",))
        reasons = tuple(Reason(name, self.statements[name].reason) for name in sorted(result.diagnostics.reasons))
        if errors:  # Cedar passes over a forbid that fails, so an error means that nobody knows
            return Decision("deny", reasons, errors=errors)
        if result.allowed:
            return Decision("allow", reasons)
        return Decision("deny", reasons or _BY_DEFAULT)


def _parsed(statements: Sequence[Statement]) -> cedarpy.PolicySet:
    trees = {each.id: each.tree for each in statements}
    return cedarpy.PolicySet.from_json_str(json.dumps({"staticPolicies": trees, "templates": {}, "templateLinks": []}))
