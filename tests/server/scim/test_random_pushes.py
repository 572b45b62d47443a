"""Whatever a provider pushes in whatever form and order, the directory says what a plain model says, every worker that
follows says the same, and so rights follow. On both databases."""

import contextlib
from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.server.scim.pushing import Pushing, patch, provider

from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.identity.register import NotActive
from fairlead.identity.settings import Provider
from fairlead.identity.types import Caller
from fairlead.storage.store import Store

NAMES = ("ada", "ben", "Eve")
GROUPS = ("staff", "Leads")
TRUE: tuple[Any, ...] = (True, "True", "true")
FALSE: tuple[Any, ...] = (False, "False", "false")
fresh = count()

person = st.sampled_from(NAMES)
group = st.sampled_from(GROUPS)
some = st.frozensets(person, max_size=3)
steps = st.one_of(
    st.tuples(st.just("add"), person, st.booleans()),
    st.tuples(st.just("activate"), person, st.booleans(), st.integers(0, 3)),
    st.tuples(st.just("remove"), person),
    st.tuples(st.just("gather"), group, some),
    st.tuples(st.just("join"), group, some, st.integers(0, 1)),
    st.tuples(st.just("leave"), group, some, st.integers(0, 2)),
    st.tuples(st.just("set"), group, some, st.integers(0, 1)),
    st.tuples(st.just("disband"), group),
    st.tuples(st.just("follow")),
)


class Model:
    """What should be: who is active, and who is in which group."""

    def __init__(self, pushing: Pushing, of: Provider) -> None:
        self.pushing, self.of = pushing, of
        self.active: dict[str, bool] = {}
        self.inside: dict[str, set[str]] = {}
        self.ids: dict[str, str] = {}

    def add(self, name: str, active: bool) -> None:
        if name in self.active:
            with contextlib.suppress(BadInput):
                self.pushing.add(self.of, name.upper())
                raise AssertionError("a name was given twice")
            return
        self.ids[name] = self.pushing.add(self.of, name, **({} if active else {"active": "False"}))
        self.active[name] = active

    def activate(self, name: str, active: bool, form: int) -> None:
        if name not in self.active:
            return
        value = (TRUE if active else FALSE)[form % 3]
        forms: list[dict[str, Any]] = [
            patch({"op": "Replace", "path": "active", "value": value}),
            patch({"op": "replace", "value": {"active": value}}),
            patch({"op": "Add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": value}),
        ]
        whole = {"userName": name, "externalId": f"x-{name}", "active": value}
        path = f"Users/{self.ids[name]}"
        self.pushing.ask(self.of, *(("PUT", path, whole) if form == 3 else ("PATCH", path, forms[form])))
        self.active[name] = active

    def remove(self, name: str) -> None:
        if self.active.pop(name, None) is None:
            return
        self.pushing.ask(self.of, "DELETE", f"Users/{self.ids.pop(name)}")
        for members in self.inside.values():
            members.discard(name)

    def gather(self, name: str, members: frozenset[str]) -> None:
        if name in self.inside:
            return
        there = members & set(self.active)
        self.ids[name] = self.pushing.gather(self.of, name, *(self.ids[each] for each in there))
        self.inside[name] = set(there)

    def join(self, name: str, members: frozenset[str], form: int) -> None:
        values, path = self._values(name, members)
        if path:
            forms = [{"op": "add", "path": "members", "value": values}, {"op": "Add", "value": {"members": values}}]
            self.pushing.ask(self.of, "PATCH", path, patch(forms[form]))
            self.inside[name] |= members & set(self.active)

    def leave(self, name: str, members: frozenset[str], form: int) -> None:
        values, path = self._values(name, members)
        if path and values:
            ids = [each["value"] for each in values]
            chosen = " or ".join(f'value eq "{id}"' for id in ids)
            forms: list[list[dict[str, Any]]] = [
                [{"op": "Remove", "path": "members", "value": values}],
                [{"op": "remove", "path": f'members[value eq "{id}"]'} for id in ids],
                [{"op": "remove", "path": f"members[{chosen}]"}],
            ]
            self.pushing.ask(self.of, "PATCH", path, patch(*forms[form]))
            self.inside[name] -= members

    def set(self, name: str, members: frozenset[str], form: int) -> None:
        values, path = self._values(name, members)
        if not path:
            return
        if form:
            self.pushing.ask(self.of, "PUT", path, {"displayName": name, "members": values})
        else:
            self.pushing.ask(self.of, "PATCH", path, patch({"op": "replace", "path": "members", "value": values}))
        self.inside[name] = set(members & set(self.active))

    def disband(self, name: str) -> None:
        if self.inside.pop(name, None) is not None:
            self.pushing.ask(self.of, "DELETE", f"Groups/{self.ids.pop(name)}")

    def follow(self) -> None:
        self.pushing.elsewhere.follow()

    def check(self, *, elsewhere: bool) -> None:
        register = self.pushing.register(self.of, elsewhere=elsewhere)
        for name in NAMES:
            caller = Caller(person=f"{self.of.name}|x-{name}", groups=frozenset({"claimed"}))
            try:
                found = set(register.admitted(caller).groups)
            except NotActive:
                assert not self.active.get(name)
            else:
                assert self.active[name]
                assert found == {each for each, members in self.inside.items() if name in members}

    def listed(self) -> None:
        total, found = self.pushing.directory.search(self.of.name, None, 0, 100)
        assert total == len(found) == len(self.active)
        for each in found:
            assert self.active[each.fields.user_name] == each.fields.active

    def _values(self, name: str, members: frozenset[str]) -> tuple[list[dict[str, str]], str]:
        if name not in self.inside:
            return [], ""
        ids = [self.ids[each] for each in sorted(members & set(self.active))]
        return [{"value": id, "display": "whoever"} for id in ids], f"Groups/{self.ids[name]}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(steps, max_size=14))
@example([("add", "ada", True), ("gather", "staff", {"ada"}), ("set", "staff", frozenset(), 0)])
@example([("add", "ada", True), ("gather", "staff", {"ada"}), ("set", "staff", frozenset(), 1), ("disband", "staff")])
def test_rights_follow_whatever_is_pushed(store: Store, history: list[tuple[Any, ...]]) -> None:
    pushing = Pushing(store, SystemClock())
    model = Model(pushing, provider(f"acme-{next(fresh)}"))
    for name, *arguments in history:
        getattr(model, name)(*arguments)
        model.check(elsewhere=False)
    pushing.elsewhere.follow()
    model.check(elsewhere=True)
    model.listed()
