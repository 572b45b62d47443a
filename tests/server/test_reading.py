"""What is wrong with a body is told with the place where it stands."""

import msgspec
import pytest
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.server.reading import decoded


class Inner(Struct, forbid_unknown_fields=True):
    number: int


class Outer(Struct, forbid_unknown_fields=True):
    name: str
    inner: list[Inner] = []


DECODER = msgspec.json.Decoder(Outer)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{}", "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": "x", "wings": 1}', "wings"),
        (b'{"name": "x", "inner": [{"number": 1}, {}]}', "inner[1].number"),
        (b'{"name": "x", "inner": [{"number": "one"}]}', "inner[0].number"),
        (b'{"name": "x", "inner": [{"number": 1, "wings": 2}]}', "inner[0].wings"),
        (b"[]", ""),
        (b"{", ""),
        (b"\xff", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_the_field_to_blame_is_told_as_a_path(body: bytes, param: str) -> None:
    with pytest.raises(BadInput) as raised:
        decoded(DECODER, body, "test")
    assert raised.value.param == param


def test_what_is_nested_too_deeply_is_told_so() -> None:
    with pytest.raises(BadInput, match="nested too deeply"):
        decoded(msgspec.json.Decoder(), b"[" * 100_000, "test", place="metadata")


def test_of_a_part_the_place_in_the_whole_is_told() -> None:
    with pytest.raises(BadInput) as raised:
        decoded(DECODER, b'{"name": "x", "inner": [{}]}', "test", place="items[3]")
    assert raised.value.param == "items[3].inner[0].number"
    assert "`items[3].inner[0]`" in raised.value.message
    with pytest.raises(BadInput) as raised:
        decoded(DECODER, b"{}", "test", place="items[3]")
    assert raised.value.param == "items[3].name"
