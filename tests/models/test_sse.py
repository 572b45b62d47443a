import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.models.sse import SseParser

LINES = st.sampled_from(
    [
        b"data: {}", b"data:x", b"data", b"data:  two", b"event: ping", b": a comment", b"", b"", b"id: 7",
        b"retry: 10", b'data: {"a": "\xc3\xa9"}', b"data: [DONE]", b"junk", b"<html>", b"data: " + b"x" * 60,
    ]
)  # fmt: skip
BODIES = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"])), max_size=30)


def read(pieces: list[bytes], limit: int = 4 << 20) -> tuple[list[tuple[bytes, bytes]], str]:
    parser = SseParser(limit)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.end(), parser.broken


def pieces_of(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in itertools.pairwise(places)]


@example([(b"data: {}", b"\n"), (b"event: ping", b"\n"), (b'data: {"a": "\xc3\xa9"}', b"\n\n")], [86], 40, True)
@given(BODIES, st.lists(st.integers(0, 10_000), max_size=30), st.sampled_from([40, 4 << 20]), st.booleans())
def test_the_events_are_the_same_however_the_network_cuts_the_body(
    lines: list[tuple[bytes, bytes]], cuts: list[int], limit: int, bom: bool
) -> None:
    body = (b"\xef\xbb\xbf" if bom else b"") + b"".join(line + end for line, end in lines)
    bytewise = read([body[i : i + 1] for i in range(len(body))], limit)
    assert read(pieces_of(body, cuts), limit)[0] == bytewise[0]
    assert bool(read([body], limit)[1]) == bool(bytewise[1])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_every_way(end: bytes) -> None:
    body = end.join([b"event: a", b"data: 1", b"data: 2", b"", b": note", b"data:3", b"", b""])
    assert read([body]) == ([(b"a", b"1\n2"), (b"", b"3")], "")


def test_an_event_without_data_is_none() -> None:
    assert read([b"event: ping\n\n: hello\n\ndata: x\n\n"]) == ([(b"", b"x")], "")


def test_the_last_event_counts_without_its_blank_line() -> None:
    assert read([b"data: 1\n\ndata: 2"]) == ([(b"", b"1"), (b"", b"2")], "")


def test_what_is_no_event_stream_breaks_it_and_what_came_before_counts() -> None:
    events, broken = read([b"data: 1\n\n<html>\n\ndata: 2\n\n"])
    assert events == [(b"", b"1")]
    assert broken


def test_an_event_may_not_grow_without_end() -> None:
    parser = SseParser(limit=1000)
    for _ in range(200):
        assert parser.feed(b"data: 0123456789\n") == []
    assert "1000" in parser.broken
    assert parser.feed(b"\n\ndata: x\n\n") == []
