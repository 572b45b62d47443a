"""Binary event streams, as they come and as they get damaged."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults.frames import event, frame

from fairlead.models.event_stream import EventStreamParser, Frame

# Read by the vendor's own SDK just so: a message with one header of each type, and an empty one.
EVERY_TYPE = bytes.fromhex(
    "0000007200000060ab820d9e0b3a6576656e742d747970650700017801740001660101620201017303000101690400000001"
    "016c05000000000000000001790600026162017708000000000000000001750900000000000000000000000000000000046c"
    "617374070002c3a97b7ddaae0d91"
)
EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")

TEXTS = st.text(max_size=30)
FRAMES = st.lists(st.tuples(st.binary(max_size=40), st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3)), max_size=6)


def read(*pieces: bytes, limit: int = 1 << 20) -> tuple[list[Frame], str]:
    parser = EventStreamParser(limit)
    frames = [found for piece in pieces for found in parser.feed(piece)]
    parser.end()
    return frames, parser.broken


def test_an_empty_message_is_a_message() -> None:
    assert read(EMPTY) == ([Frame({}, b"")], "")


def test_headers_of_every_type_are_passed_over_but_strings() -> None:
    assert read(EVERY_TYPE) == ([Frame({":event-type": "x", "last": "é"}, b"{}")], "")


@given(FRAMES, st.lists(st.integers(0, 10_000), max_size=20))
def test_the_messages_are_the_same_however_the_network_cuts_the_body(
    given_: list[tuple[bytes, dict[str, str]]], cuts: list[int]
) -> None:
    body = b"".join(frame(payload, headers) for payload, headers in given_)
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    pieces = [body[start:end] for start, end in itertools.pairwise(places)]
    assert read(*pieces) == ([Frame(headers, payload) for payload, headers in given_], "")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_single_changed_byte_is_noticed_and_what_came_before_counts(place: int, change: int) -> None:
    first, second = event("a", {"text": "one"}), event("b", {"text": "two"})
    place %= len(second)
    damaged = second[:place] + bytes([second[place] ^ change]) + second[place + 1 :]
    frames, broken = read(first + damaged)
    assert [each.headers[":event-type"] for each in frames] == ["a"]
    assert broken


@pytest.mark.parametrize("missing", [1, 4, 11, 15, 30])
def test_a_message_that_was_cut_off_breaks_the_stream(missing: int) -> None:
    frames, broken = read(event("a", {}) + event("b", {})[:-missing])
    assert len(frames) == 1
    assert broken


@pytest.mark.parametrize("junk", [b"<html><body>It works</body></html>", b"data: {}\n\n", b"\x00" * 16])
def test_what_is_no_event_stream_breaks_it(junk: bytes) -> None:
    frames, broken = read(event("a", {}), junk, event("b", {}))
    assert len(frames) == 1
    assert broken


def test_no_message_may_be_larger_than_the_limit() -> None:
    assert read(frame(b"x" * 2000, {}), limit=1000)[1]


@given(st.binary(max_size=200))
def test_no_bytes_whatever_make_it_fall_over(data: bytes) -> None:
    read(data)
