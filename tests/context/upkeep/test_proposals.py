"""Proposed edits as they are kept."""

from msgspec.structs import replace
from tests.world import FixedClock

from fairlead.context import ContextSettings, read_item
from fairlead.context.upkeep.proposals import Edit, Proposals
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.vault import Vault


def test_what_a_person_proposes_as_a_member_of_a_tenant_is_that_members(store: Store) -> None:
    clock = FixedClock()
    proposals = Proposals(store, Vault(bytes(32), StoredSubjects(store), clock), clock, due=3)
    item = read_item("a.md", b"# A\n\nOne.\n", ContextSettings())
    edit = Edit(item=item.id, version=item.version, read=item.text, wanted="# A\n\nTwo.\n")
    made = {tenant: proposals.propose("kim", item, replace(edit, tenant=tenant)) for tenant in ("", "north", "south")}
    assert len({row.id for row in made.values()}) == 3
    listed = {row.id: row for row, subject in proposals.listed(["open"]) if subject == proposals.subject("kim")}
    for tenant, row in made.items():
        assert [id_ for id_, each in listed.items() if proposals.is_in(each, tenant)] == [row.id]
        assert (row.due_at - row.asked_at, proposals.of(row.id).wanted) == (3 * 86_400_000, "# A\n\nTwo.\n")
