"""Whose rights are asked for: once for people whom nothing tells apart, and never for one as for another."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.cli.context_people import readers_of
from fairlead.identity import Caller
from fairlead.labels import Access, DataClass
from fairlead.policy import compile_policy
from fairlead.workspace.compile import Workspace

USUAL = """
permit (principal, action == Action::"call_model", resource);
permit (principal, action == Action::"read_context", resource)
when { principal.known_as.containsAny(resource.audience) || principal.known_as.contains(resource.owner) };
"""
BY_NAME = 'forbid (principal == Person::"lee", action == Action::"read_context", resource);'
BY_KEY = 'forbid (principal, action == Action::"read_context", resource) when { principal.credential == "key:lee" };'
ESCAPED = 'forbid (principal == Person::"\\u{6c}ee", action == Action::"read_context", resource);'
PERSONS = ("kim", "lee", "mo", "al", 'o"neil')


def access(*audience: str, owner: str = "") -> Access:
    return Access(frozenset(audience), DataClass.internal, owner)


@pytest.mark.parametrize("further", ["", BY_NAME, BY_KEY, ESCAPED])
def test_rights_are_those_that_each_would_have_alone(further: str) -> None:
    policy = compile_policy({"policies/a.cedar": USUAL + further})
    workspace = cast(Workspace, SimpleNamespace(policy=policy, systems={}, live={}))
    accesses = (access("sales"), access("person:mo"), access("board", owner="al"), access("hr"))
    callers = [Caller(person=name, department="sales", credential=f"key:{name}") for name in PERSONS]
    found = list(readers_of(workspace, accesses, callers))
    alone: dict[tuple[bool, ...], int] = {}
    for caller in callers:
        rights = tuple(map(policy.may_read(caller), accesses))
        alone[rights] = alone.get(rights, 0) + 1
    assert {tuple(map(reader.may_read, accesses)): reader.people for reader in found} == alone


def test_people_who_are_alike_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = compile_policy({"policies/a.cedar": USUAL})
    asked: list[str] = []
    may_read = policy.may_read

    def watched(caller: Caller) -> Any:
        asked.append(caller.person)
        return may_read(caller)

    monkeypatch.setattr(policy, "may_read", watched)
    workspace = cast(Workspace, SimpleNamespace(policy=policy, systems={}, live={}))
    callers = [Caller(person=f"p{number}", department="sales") for number in range(1000)]
    (reader,) = readers_of(workspace, (access("sales"), access("p7x")), callers)
    assert (reader.people, len(asked)) == (1000, 1)
