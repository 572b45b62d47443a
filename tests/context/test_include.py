import pytest

from fairlead.context import ContextSettings, Hit, Item, read_item
from fairlead.context.items import includes_of
from fairlead.context.packing import Gathered, pack_of
from fairlead.errors import BadInput


def read(path: str, **pages: str) -> Item:
    """One page of several; `__` in a name is a folder."""
    files = {f"{name.replace('__', '/')}.md": text.encode() for name, text in pages.items()}
    defaults = ContextSettings()
    return read_item(path, files[path], defaults, includes_of(files, defaults))


def test_a_line_by_itself_pulls_in_the_text_of_another_page() -> None:
    item = read(
        "shop/returns.md",
        shop__returns="# Returns\n\n!include hours.md\n\n```\n!include no.md\n```\nsay !include no.md\n"
        "!include legal.md\n",
        shop__hours="---\nowner: b\n---\nOpen at nine.\n",
        legal="By law.",
    )
    assert item.text == "# Returns\n\nOpen at nine.\n\n```\n!include no.md\n```\nsay !include no.md\nBy law.\n"


def test_the_version_is_that_of_the_text_with_all_that_it_includes() -> None:
    one = read("a.md", a="!include b.md", b="!include c.md", c="x")
    assert one.text == "x\n"
    assert one.version == read("a.md", a="x").version != read("a.md", a="!include b.md", b="y").version


def test_a_page_holds_no_longer_than_what_it_includes() -> None:
    pages = {
        "a": "!include b.md",
        "b": "---\nexpires: 2026-12-31\n---\n!include c.md",
        "c": "---\nexpires: 2026-11-30\n---\nx",
        "d": "---\nexpires: 2026-10-31\n---\n!include b.md\n!include c.md",
        "e": "---\nexpires: 2027-10-31\n---\ny",
    }
    assert [read(f"{name}.md", **pages).expires for name in "abcde"] == [
        "2026-11-30", "2026-11-30", "2026-11-30", "2026-10-31", "2027-10-31",
    ]  # fmt: skip
    until = read("a.md", **pages)
    assert until.version != read("a.md", **{**pages, "c": "x", "b": "!include c.md"}).version
    hit = Hit(
        item="a", version=until.version, title="", heading="", text=until.text, owner="", verified="", review_by="",
        data_class=until.data_class, score=1.0, expires=until.expires,
    )  # fmt: skip
    (citation,) = pack_of(Gathered(snapshot="", budget=200, hits=(hit,), today="2026-12-01")).citations
    assert citation.notes == ("expired on 2026-11-30: it may no longer hold",)


def test_one_heading_of_a_page_can_be_included() -> None:
    page = "# All\n\n## How long?\n\nSixty days.\n\n### Abroad\n\nNinety.\n\n## Else\n\nNo."
    for name in ("How long?", "how-long"):
        assert (
            read("a.md", a=f"!include b.md#{name}", b=page).text
            == "## How long?\n\nSixty days.\n\n### Abroad\n\nNinety.\n"
        )


@pytest.mark.parametrize(
    ("pages", "says"),
    [
        ({"a": "x\n!include b.md", "b": "!include a.md"}, r"b.md:1: the page includes itself: a.md -> b.md -> a.md"),
        ({"a": "!include a.md"}, "includes itself: a.md -> a.md"),
        ({"a": "---\nowner: b\n---\n\n!include bb.md", "b": "x"}, r"a.md:5: there is no page 'bb.md' to include"),
        ({"a": "!include b.md#No", "b": "# Yes"}, "there is no heading 'No' in b.md"),
        ({"a": "!include ../../etc/passwd"}, "there is no page"),
        (
            {f"p{n}": f"!include p{n + 1}.md" for n in range(12)} | {"a": "!include p0.md", "p12": "x"},
            "nested deeper than 8",
        ),
        ({"a": "!include b.md", "b": "---\nclass: secret\n---\nx"}, r"b.md:2: `class` must be one of"),
        ({"a": "!include b.md\n" * 9, "b": "x" * 600_000}, "too long with what it includes"),
    ],
)
def test_what_cannot_be_included_is_told_with_its_line(pages: dict[str, str], says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        read("a.md", **pages)
    assert caught.value.mend


@pytest.mark.parametrize(
    ("own", "other", "allowed"),
    [
        ("audience: [sales]", "audience: [sales, support]", True),
        ("audience: [sales]", "audience: [everyone]", True),
        ("audience: [sales, support]", "audience: [sales]", False),
        ("audience: [everyone]", "audience: [sales]", False),
        ("class: confidential", "class: internal", True),
        ("class: internal", "class: confidential", False),
        ("status: published", "status: draft", False),
        ("status: draft", "status: draft", True),
        ("trusted: true", "trusted: false", False),
        ("trusted: false", "trusted: false", True),
    ],
)
def test_nothing_is_included_that_a_reader_may_not_read_or_trust_anyway(own: str, other: str, allowed: bool) -> None:
    pages = {"a": f"---\n{own}\n---\n!include b.md", "b": f"---\n{other}\n---\nsecret"}
    if allowed:
        assert read("a.md", **pages).text == "secret\n"
        return
    with pytest.raises(BadInput, match=r"a.md:4: b.md cannot be included here") as caught:
        read("a.md", **pages)
    assert caught.value.why


def test_pages_that_multiply_are_stopped() -> None:
    pages = {f"p{n}": f"!include p{n + 1}.md\n" * 50 for n in range(7)} | {"p7": "word " * 100}
    with pytest.raises(BadInput, match="too long with what it includes"):
        read("p0.md", **pages)
