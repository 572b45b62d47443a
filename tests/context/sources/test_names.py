"""Whatever a source calls its pieces, their pages lie below its folder, apart from each other, and can be cited."""

import unicodedata
from pathlib import PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.context import ContextSettings, read_item
from fairlead.context.sources.names import Names, shared_folder, top_folder

PART = st.text(alphabet=st.one_of(st.sampled_from("aA.-/\\[]@ \x00é%"), st.characters()), max_size=300)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PART, min_size=1, max_size=5).map("/".join), min_size=1, max_size=5, unique=True))
def test_a_page_is_safe_and_its_own(paths: list[str]) -> None:
    names = Names({})
    pages = [names.of(path) for path in paths]
    for page in pages:
        parts = PurePosixPath(page).parts
        assert not page.startswith("/")
        assert not any(part in ("..", ".", "") or part.startswith(".") for part in parts)
        assert all(len(part.encode()) <= 255 for part in parts)
        assert page.endswith(".md")
        assert read_item(f"source/{page}", b"Words.\n", ContextSettings()).id == f"source/{page}"[:-3]
    assert len({unicodedata.normalize("NFC", page).casefold() for page in pages}) == len(pages)
    assert [names.of(path) for path in paths] == pages, "a piece keeps its page"


def test_a_good_name_stays_what_it_is() -> None:
    names = Names({})
    assert [names.of(path) for path in ("a/Über uns.md", "b.markdown", "c.PDF", ".github/x.md", "con.md")] == [
        "a/Über uns.md",
        "b.md",
        "c.md",
        "_github/x.md",
        "_con.md",
    ]
    assert names.of("B.md").startswith("B-"), "capitals alone do not tell two pages apart everywhere"


def test_the_outermost_folder_is_the_first_that_tells_pages_apart() -> None:
    paths = ["content/hr/leave.md", "content/sales/price.md", "content/index.md"]
    shared = shared_folder(paths)
    assert shared == "content"
    assert [top_folder(path, shared) for path in paths] == ["hr", "sales", ""]
