import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.context import ContextSettings, Item, read_item
from fairlead.context.items import MOST_BYTES
from fairlead.errors import BadInput
from fairlead.labels import DataClass

DEFAULTS = ContextSettings(audience=("staff",), class_="internal", owner="office")


def read(text: str | bytes, path: str = "returns/policy.md") -> Item:
    return read_item(path, text.encode() if isinstance(text, str) else text, DEFAULTS)


def test_every_key_of_the_front_matter_is_read() -> None:
    item = read(
        "---\ntitle: Returns\nowner: retail\naudience: [sales, support]\nclass: confidential\n"
        "verified: {by: ana, at: 2026-03-01}\nreview_by: 2027-03-01\n---\n# Another heading\nText.\n"
    )
    assert (item.id, item.title, item.owner) == ("returns/policy", "Returns", "retail")
    assert item.audience == {"sales", "support"}
    assert item.data_class is DataClass.confidential
    assert (item.verified, item.verified_by, item.review_by) == ("2026-03-01", "ana", "2027-03-01")
    assert item.text == "# Another heading\nText.\n"


def test_a_page_without_front_matter_takes_the_workspaces_defaults() -> None:
    item = read("# How to return\n\nBring it back.")
    assert (item.title, item.owner, item.audience) == ("How to return", "office", {"staff"})
    assert item.data_class is DataClass.internal


def test_a_plain_verified_day_and_a_single_audience_are_read() -> None:
    item = read("---\nverified: 2026-03-01\naudience: board\n---\nx")
    assert (item.verified, item.verified_by, item.audience) == ("2026-03-01", "", {"board"})


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("hr/time_off-rules.md", "Time off rules"),
        ("hr/index.md", "Hr"),
        ("README.md", "Readme"),
    ],
)
def test_a_page_without_any_title_is_called_after_its_file(path: str, title: str) -> None:
    assert read("no heading", path).title == title


def test_a_heading_inside_code_is_no_title() -> None:
    assert read("```\n# a comment\n```\n\nSetext title\n===\n").title == "Setext title"


@pytest.mark.parametrize(
    ("front", "line", "says"),
    [
        ("class: secret", 2, "`class` must be one of public, internal, confidential, restricted"),
        ("owner: a\nclass: 3", 3, "`class`"),
        ("owner: a\naudiance: [board]", 3, "`audiance` is not a key"),
        ("Class: restricted", 2, "`Class` is not a key"),
        ("classification: restricted", 2, "`classification` is not a key"),
        ("audience: []", 2, "`audience` must name at least one group"),
        ("audience:", 2, "`audience` must name"),
        ("audience: [[a]]", 2, "`audience` must name"),
        ("owner: a\nowner: b", 3, "`owner` is given twice"),
        ("review_by: soon", 2, "`review_by` must be a day"),
        ("verified: {by: ana}", 2, "`verified` must be a date, or `by` and `at`"),
        ("verified: {by: ana, at: never}", 2, "`verified.at` must be a day"),
        ("owner: a\n  bad: [", 3, "not valid YAML"),
        ("- a\n- b", 2, "not a list of `key: value` lines"),
        ("owner: &a x\ntitle: *a", 3, "`title` must be a text"),
        ("[a]: b", 2, "a key of the front matter must be a single word"),
    ],
)
def test_malformed_front_matter_names_the_line_and_the_mend(front: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(f"---\n{front}\n---\ntext")
    assert caught.value.message.startswith(f"returns/policy.md:{line}: ")
    assert says in caught.value.message
    assert caught.value.mend


@pytest.mark.parametrize(
    ("front", "line", "says"),
    [
        ("kind: note", 2, "`kind` must be one of page, process, policy"),
        ("status: live", 2, "`status` must be one of draft, review, published, retired"),
        ("draft: true", 2, "`draft` is not a key"),
        ("topic: x", 2, "`topic` is not a key"),
        ("expired: 2026-01-01", 2, "`expired` is not a key"),
        ("trusted: maybe", 2, "`trusted` must be one of true, false"),
        ("topics: [[a]]", 2, "`topics` must be a list of names"),
        ("kind: term\nsynonym: [a]", 3, "`synonym` is not a key that Fairlead reads in a page of kind term"),
        ("owner: a\nkind: decision\nby: ana", 3, "a page of kind decision needs `decided`"),
        ("kind: decision\nby: ana\ndecided: soon", 4, "`decided` must be a day"),
        ("kind: flow\ncovers: a\napprovers: b\nquorum: 0", 5, "`quorum` must be a number from 1 to 10"),
        ("kind: flow\ncovers: a\napprovers: b\nquorum: ²", 5, "`quorum` must be a number from 1 to 10"),
    ],
)
def test_a_kind_that_does_not_hold_names_the_line(front: str, line: int, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(f"---\n{front}\n---\ntext")
    assert caught.value.message.startswith(f"returns/policy.md:{line}: ")
    assert says in caught.value.message
    assert caught.value.mend


def test_the_fields_of_a_kind_are_read_in_pages_of_that_kind_only() -> None:
    term = read("---\nkind: term\nsynonyms: [refund, money  back, refund]\navoid: reversal\n---\nx")
    assert term.fields == {"synonyms": ("refund", "money back"), "avoid": ("reversal",)}
    assert read("---\nparent: docs\nfrom: 3\n---\nx").fields == {}


def test_pages_that_use_no_newer_key_keep_the_version_that_they_had() -> None:
    page = "---\nowner: b\n---\ntext"
    assert read(page).version == "f00434142b56"
    for same in ("kind: page", "status: published", "trusted: true", "status: draft"):
        assert read(page.replace("owner: b", f"owner: b\n{same}")).version == "f00434142b56"
    new = ("kind: policy", "topics: [a]", "expires: 2027-01-01", "trusted: false", "source: s", "changed: 2026-01-01")
    versions = {read(page.replace("owner: b", f"owner: b\n{each}")).version for each in new}
    assert len(versions | {read(page).version}) == len(new) + 1


def test_front_matter_that_is_never_closed_is_refused() -> None:
    with pytest.raises(BadInput, match=r":1: the front matter is not closed"):
        read("---\nowner: a\n\n# Title\n")


def test_keys_of_other_tools_are_left_alone_whatever_they_hold() -> None:
    item = read("---\nlayout: {a: [b, {c: d}]}\ntags: [x, y]\nowner: retail\n---\ntext")
    assert item.owner == "retail"


def test_deeply_nested_front_matter_neither_crashes_nor_hangs() -> None:
    assert read("---\nlayout: " + "[" * 900 + "]" * 900 + "\n---\ntext").text == "text\n"
    with pytest.raises(BadInput):
        read("---\nlayout: " + "[" * 100_000 + "\n---\ntext")


def test_line_ends_a_byte_order_mark_and_accents_written_apart_make_no_new_version() -> None:
    plain = read("---\nowner: a\n---\nCafé\n\nText\n")
    assert read("\ufeff---\r\nowner: a\r\n---\r\nCafe\u0301\r\n\r\nText\r\n\r\n".encode()).version == plain.version
    assert len(plain.version) == 12


def test_anything_that_changes_text_or_rights_makes_a_new_version() -> None:
    pages = [
        "text",
        "text.",
        "---\nclass: public\n---\ntext",
        "---\nowner: b\n---\ntext",
        "---\naudience: b\n---\ntext",
    ]
    assert len({read(page).version for page in pages}) == len(pages)
    wider = read_item("returns/policy.md", b"text", ContextSettings(audience=("everyone",), owner="office"))
    assert wider.version != read("text").version


def test_what_is_not_text_is_refused_with_the_line() -> None:
    with pytest.raises(BadInput, match=r"policy.md:2: the file is not UTF-8"):
        read(b"good\nb\xe4d\n")
    with pytest.raises(BadInput, match=r"policy.md:3: the file is not text"):
        read(b"a\nb\n\0\n")
    with pytest.raises(BadInput, match=r"5,000,001 bytes"):
        read(b"a" * (MOST_BYTES + 1))


@pytest.mark.parametrize("path", ["a]b.md", "a[b.md", "a@b.md", "a\nb.md", "", "a\\b.md", "x" * 600 + ".md"])
def test_a_name_that_would_break_a_citation_is_refused(path: str) -> None:
    with pytest.raises(BadInput):
        read("text", path)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: f"---\n{text}\n---\nx".encode())))
def test_whatever_the_bytes_a_page_is_read_or_refused(data: bytes) -> None:
    try:
        item = read(data)
    except BadInput:
        return
    assert item.audience
    assert read(data) == item


@pytest.mark.parametrize(
    "page",
    [
        "\n---\naudience: [board]\n---\n# Plan\n",
        " ---\naudience: [board]\n---\n# Plan\n",
        "\u200b---\naudience: [board]\n---\n",
        "----\nclass: restricted\n----\n",
        "+++\naudience = ['board']\n+++\n",
        "<!-- ours -->\n\n---\ntitle: Plan\naudience: [board]\n---\n",
        "---\nprivate: true\n---\n",
    ],
)
def test_rights_that_stand_where_they_are_not_read_do_not_publish_a_page_to_everyone(page: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_item("plan.md", page.encode(), ContextSettings())
    assert caught.value.mend


@pytest.mark.parametrize(
    "page", ["\n---\n\nWords.\n\n---\naudience: all\n", "Words\n---\nclass: two\n---\n", "***\n\nx"]
)
def test_a_horizontal_rule_is_no_front_matter(page: str) -> None:
    assert read_item("plan.md", page.encode(), ContextSettings()).audience == {"everyone"}
