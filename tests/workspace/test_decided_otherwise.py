"""Of what was withheld, and of pages that were not read: what another revision would have said."""

from pathlib import Path

from msgspec.structs import replace
from tests.workflows.walking import PRICE, shop
from tests.world import secret_of

from fairlead.context.catalogue import catalogue_of
from fairlead.context.types import Item
from fairlead.costs.record import RecordedError
from fairlead.execution.told_policies import Told
from fairlead.labels import DataClass
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.decided_otherwise import let_go, unread
from fairlead.workspace.deciding_again import Again
from fairlead.workspace.load import read_folder

PAGE = Item(
    id="prices", version="0123456789ab", title="Prices", text="A lamp costs 40.", owner="kim",
    audience=frozenset({"all"}), data_class=DataClass.public,
)  # fmt: skip


async def test_what_was_withheld_or_not_read_would_not_have_been_before(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE) as s:
        await s.bought()
        await s.w.ask("hello there")
        folder, told = s.w.folder / "acme", Told(s.w.caller("kim"))

        def under(*forbidden: str) -> Again:
            rules = [f'@id("no-{each}") forbid(principal, action == Action::"{each}", resource);' for each in forbidden]
            (folder / "policies/later.cedar").write_text("\n".join(rules))
            return Again(compile_workspace(read_folder(folder), secret_of, now=s.w.clock.now()))

        before, after = under(), under("release_result", "release_reply", "read_context")
        for kind in ("call_tool", "call_model"):
            done = s.w.records(kind)[-1]
            withheld = replace(done, outcome="refused", error=RecordedError(code="withheld"))
            gone = replace(withheld, tool="bank.gone", model="gone")
            assert let_go(before, withheld, told) == "let go", kind
            assert let_go(after, withheld, told) == "", "it would have been withheld then too"
            assert let_go(before, done, told) == "", "it was not withheld"
            assert let_go(before, gone, told) == "", "there was no such tool or model: nothing is known of it"
        asked, pages = s.w.records("call_model")[-1], catalogue_of([PAGE])
        found = list(unread(before, after, asked, told, pages))
        assert found == [("prices", PAGE.version, (("no-read_context", "new"),))]
        assert not [*unread(before, before, asked, told, pages), *unread(after, before, asked, told, pages)]
        stranger = replace(asked, credential="")
        assert not list(unread(before, after, stranger, None, pages)), "who asked is not known any more"
