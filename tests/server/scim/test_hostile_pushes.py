"""What a provider may send by mistake or on purpose: it is done as meant, or refused, and never passed over."""

import contextlib
from typing import Any

import pytest
from tests.server.scim.pushing import Pushing, patch, provider

from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.server.scim.attributes import USER
from fairlead.storage.store import Store

ACME = provider()


@pytest.mark.parametrize(
    "said",
    [
        {"path": f"{USER}:active", "value": False},
        {"path": f"{USER}.active", "value": False},
        {"path": USER, "value": {"active": False}},
        {"value": {USER: {"active": "False"}}},
        {"path": "/active", "value": False},
        {"path": "active.value", "value": False},
        {"path": "active\N{ZERO WIDTH SPACE}", "value": False},
        {"path": 'active[value eq "true"]', "value": False},
        {"value": {"active": {"value": False}}},
        {"value": {"active": None}},
    ],
)
def test_who_is_to_be_inactive_is_or_the_provider_is_told_otherwise(store: Store, said: dict[str, Any]) -> None:
    pushing = Pushing(store, SystemClock())
    ada = pushing.add(ACME, "ada")
    with contextlib.suppress(BadInput):
        told = pushing.ask(ACME, "PATCH", f"Users/{ada}", patch({"op": "replace", **said}))
        assert told.body is not None
        assert told.body["active"] is False


def test_attributes_that_are_not_kept_are_passed_over(store: Store) -> None:
    pushing = Pushing(store, SystemClock())
    ada = pushing.add(ACME, "ada")
    for path in ("urn:acme:1.0:User:active", "interactive", "emails.primary", "userType"):
        told = pushing.ask(ACME, "PATCH", f"Users/{ada}", patch({"op": "replace", "path": path, "value": "x"}))
        assert told.status == 200


def test_texts_that_no_database_keeps_are_refused(store: Store) -> None:
    pushing = Pushing(store, SystemClock())
    staff = pushing.gather(ACME, "staff")
    for what, name in (("Users", "id"), ("Groups", "id"), ("Groups", "displayName"), ("Groups", "members")):
        with pytest.raises(BadInput):
            pushing.ask(ACME, "GET", what, filter=f'{name} eq "a\\u0000b"')
    for value in ("a\0b", "\ud800"):
        for action in ("add", "remove"):
            said = {"op": action, "path": "members", "value": [{"value": value}]}
            with pytest.raises(BadInput):
                pushing.ask(ACME, "PATCH", f"Groups/{staff}", patch(said))
