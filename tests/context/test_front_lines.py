import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.context import ContextSettings, read_item
from fairlead.context.front_lines import with_keys
from fairlead.errors import BadInput


def changed(page: str, **keys: str) -> str:
    return with_keys("p.md", page.encode(), keys).decode()


@pytest.mark.parametrize(
    ("page", "then"),
    [
        ("---\nstatus: draft\nowner: a\n---\nx\n", "---\nstatus: retired\nowner: a\n---\nx\n"),
        ("---\nowner: a  # ours\n---\nx", "---\nowner: a  # ours\nstatus: retired\n---\nx"),
        ("---\r\nstatus: draft # for now\r\n---\r\nx\r\n", "---\r\nstatus: retired # for now\r\n---\r\nx\r\n"),
        ("\ufeff---\nowner: a\n---\nx", "\ufeff---\nowner: a\nstatus: retired\n---\nx"),
        ("# Title\n", "---\nstatus: retired\n---\n# Title\n"),
        (
            '---\n"status": draft\n\n# of the owner\nowner: a\n---\n',
            "---\nstatus: retired\n\n# of the owner\nowner: a\n---\n",
        ),
        ("---\n---\nx", "---\nstatus: retired\n---\nx"),
    ],
)
def test_a_key_is_set_and_every_other_byte_is_kept(page: str, then: str) -> None:
    assert changed(page, status="retired") == then


def test_a_value_of_several_lines_is_replaced_whole() -> None:
    page = "---\ntitle: T\nverified:\n  by: ana\n  at: 2026-01-01\n\nowner: a\n---\nx"
    then = "---\ntitle: T\nverified: {by: kim, at: 2026-11-21}\n\nowner: a\nreview_by: 2027-01-01\n---\nx"
    assert changed(page, verified="{by: kim, at: 2026-11-21}", review_by="2027-01-01") == then


def test_front_matter_with_several_keys_on_a_line_is_left_to_people() -> None:
    with pytest.raises(BadInput, match=r"p.md:2: `status` shares its line"):
        changed("---\n{status: draft, owner: a}\n---\nx", status="retired")


@given(st.text(alphabet="ab:\n\r #-x", max_size=60))
def test_what_is_set_is_what_is_read(body: str) -> None:
    page = f"---\nowner: a\n---\n{body}".encode()
    done = with_keys("p.md", with_keys("p.md", page, {"status": "draft"}), {"status": "retired"})
    item, before = read_item("p.md", done, ContextSettings()), read_item("p.md", page, ContextSettings())
    assert (item.status, item.text, item.owner) == ("retired", before.text, "a")
