"""What providers push, and a directory that takes it: over any database, without HTTP."""

from typing import Any

import msgspec
from tests.world import MASTER_KEY

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.identity import IdentitySettings, compile_identity
from fairlead.identity.directory import Directory
from fairlead.identity.directory_groups import Groups
from fairlead.identity.keys import digest_of
from fairlead.identity.name_digests import NameDigests
from fairlead.identity.people import People
from fairlead.identity.register import Register
from fairlead.identity.settings import Provider
from fairlead.server.scim.answer import Asked, Told
from fairlead.server.scim.attributes import folded
from fairlead.server.scim.pushed_groups import answer_groups
from fairlead.server.scim.pushed_people import answer_people
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault

TOKEN = "scim-token-of-acme-0123456789"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def scim(**more: Any) -> dict[str, Any]:
    """`scim:` of a provider, as a workspace has it."""
    return {"token": f"sha256:{digest_of(TOKEN).hex()}", **more}


def provider(name: str = "acme", **more: Any) -> Provider:
    whole = {"issuer": f"https://{name}.test", "audience": "fairlead", "name": name, "scim": scim(**more)}
    settings = msgspec.convert({"providers": [whole]}, IdentitySettings)
    return compile_identity(settings, {}, str).providers[0]


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


class Pushing:
    """One worker with its directory, and another that only follows."""

    def __init__(self, store: Store, clock: Clock, master_key: bytes = MASTER_KEY) -> None:
        self.store = store
        vault = Vault(master_key, StoredSubjects(store), clock)
        digests = NameDigests(store, vault, clock)
        self.people, self.elsewhere = People(store, digests), People(store, NameDigests(store, vault, clock))
        self.people.wanted = self.elsewhere.wanted = True

        def record(kind: str, **about: str) -> Any:
            return deed(clock, kind, **about)  # type: ignore[arg-type]

        self.directory = Directory(store, vault, clock, digests, self.people, record)
        self.groups = Groups(store, clock, digests, self.people, record)

    def register(self, of: Provider, *, elsewhere: bool = False) -> Register:
        return Register({of.name: of}, self.elsewhere if elsewhere else self.people)

    def ask(
        self, of: Provider, method: str, path: str, body: Any = None, *, match: str | None = None, **query: str
    ) -> Told:
        """As the door asks, once it knows whose token it was."""
        what, _, id = path.partition("/")
        asked = Asked(
            provider=of, method=method, id=id, query=query, body=folded(body or {}), match=match, none_match=None
        )
        return answer_people(self.directory, asked) if what == "Users" else answer_groups(self.groups, asked)

    def add(self, of: Provider, name: str, **more: Any) -> str:
        made = self.ask(of, "POST", "Users", {"userName": name, "externalId": f"x-{name}", **more})
        assert made.body is not None
        return str(made.body["id"])

    def gather(self, of: Provider, name: str, *members: str) -> str:
        body = {"displayName": name, "members": [{"value": each} for each in members]}
        made = self.ask(of, "POST", "Groups", body)
        assert made.body is not None
        return str(made.body["id"])
