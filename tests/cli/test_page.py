"""Reports as pages: nothing that somebody has named a thing can become part of the page, and nothing is fetched."""

from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.context.readiness.company import facts, need, page, people, task

from fairlead.cli.foretold import Said
from fairlead.cli.inventory_page import inventory_page
from fairlead.cli.page import MOST, plain, tag
from fairlead.cli.readiness_page import readiness_page
from fairlead.cli.worth_facts import Report, Week
from fairlead.cli.worth_page import worth_page
from fairlead.context.readiness import Act, Basis, Draft, Facts, Traffic, inventory, readiness
from fairlead.costs.billing.periods import period_of
from fairlead.costs.forecasting import forecast, series_of
from fairlead.costs.leaving import leaving
from fairlead.costs.record import Record
from fairlead.costs.report_settings import BaselineSettings
from fairlead.costs.value import value

_FETCHING = {"src", "href", "srcset", "action", "data", "poster", "background", "style", "xlink:href"}
_VOID = {"meta", "br", "rect", "circle"}


class Read(HTMLParser):
    """What a browser would make of a page: every element is closed where it belongs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for key, _ in attrs:
            assert key not in _FETCHING
            assert not key.startswith("on")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _VOID
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def named(word: str) -> Facts:
    """A company in which everything that people name is named so."""
    return facts(
        basis=Basis(source="published", organisation=word, revision=word, at=1_795_000_000_000, since=1, log_from=2),
        tasks=(task("refund", need("refunds")), task("chat", need("absent"))),
        pages=(page("refunds", title=word, owner=word, source=word, origin=word, expires="2026-01-01"),),
        people=(people(word), people("sales")),
        drafts=(
            Draft(
                id=word, title=word, kind="page", status="draft", topics=frozenset({"absent"}), owner=word,
                questions=(word,),
            ),
        ),
        acts=(Act(tool=word, about=word, effect="write", approvals=(word,)),),
        traffic=Traffic(calls={("refund", word): 3}, cited={"refund": {word: 2}}),
    )  # fmt: skip


def worth(word: str) -> Report:
    """What was spent in a company in which everything that people name is named so."""
    period = period_of("2026-11")
    done = Record(v=1, kind="call_model", outcome="done", run="r", at=period.start, task=word, model=word, cost=7)
    tool = Record(v=1, kind="call_tool", outcome="done", run="t", within="r", at=period.start, tool=f"crm {word}")
    rows, scores = [(done, period.start + 900), (tool, period.start + 950)], {"r": [(0.9, 1.0)]}
    series = series_of([7.0] * 480)
    baselines = {word: BaselineSettings(minutes=1, rate=60)}
    return Report(
        organisation=word, currency="USD", period=period, now=period.start + 20 * 86_400_000, baselines=baselines,
        value=value(rows, {"t": "r", "r": "r"}, scores, baselines), exits=tuple(leaving([done], {word: word}, scores)),
        named={word: (f"fairlead.yaml: models.{word}", word)}, weeks=(Week(period.start, 7, True, True),),
        foretold=(Said(f"task/{word}", "2026-11", forecast(series, 480, 0, 720), series),), billed=8, unsure=1, size=2,
        root="ab", log_from=period.start + 1,
    )  # fmt: skip


def pages(word: str) -> list[Read]:
    known = named(word)
    made = (readiness_page(readiness(known)), inventory_page(inventory(known)), worth_page(worth(word)))
    return [*map(Read, made)]


@pytest.mark.parametrize(
    "word",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style></title><script>",
        "&lt;b&gt; &amp; '",
        "\u202egnp.exe \u2066 \u200f\u200b\ufeff",
        "\x00\x1b[31m\n\r\t\x85",
        "x" * 10_000,
        "<" * 10_000,
        "{0} {} %s ${x}",
    ],
)
def test_a_name_stays_a_name(word: str) -> None:
    calm = [read.elements for read in pages("calm")]
    for read, elements in zip(pages(word), calm, strict=True):
        assert Counter(read.elements) == Counter(elements)
        said = "".join(read.words)
        assert plain(word) in said
        assert len(plain(word)) <= 8 * MOST
        assert not {*"\u202e\u2066\u200f\u200b\ufeff\x00\x1b\x85"} & {*said}


@settings(max_examples=15)
@given(st.text(max_size=40))
def test_any_text_is_read_back_as_it_was_meant(word: str) -> None:
    read = Read(tag("p", word, title=word).html)
    assert "".join(read.words) == plain(word)


def test_a_page_has_headings_captions_and_one_language() -> None:
    text = readiness_page(readiness(named("acme")))
    read = Read(text)
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert read.elements.count("h1") == 1
    assert read.elements.count("table") == read.elements.count("caption") > 2
    assert "default-src &#x27;none&#x27;" in text
    assert "script" not in read.elements


def test_a_page_of_what_work_was_worth_says_what_it_rests_on_and_what_it_does_not_know() -> None:
    read = Read(worth_page(worth("letter")))
    said = " ".join(read.words)
    for words in (
        "Cost of each week", "fairlead audit verify", "fairlead value --period 2026-11 --json", "root", "crm letter",
        "The log begins on", "12.5% of what was billed belongs to no kind of work", "of the cost is a worst case",
        "nobody else has", "Nobody has measured it", "fairlead.yaml: models.letter",
    ):  # fmt: skip
        assert words in said, words
    assert read.elements.count("table") == read.elements.count("caption") == 6
