from typing import Any

import pytest

from fairlead.models.attached import IMAGE, UNKNOWN_FILE, billable
from fairlead.models.content import AudioPart, FileData, FilePart, ImagePart, ImageUrl, Sound
from fairlead.models.types import Message, TextPart

MEGABYTE = "A" * (1 << 20)


def size_with(part: Any) -> int:
    return billable(100 + (1 << 20), [Message("user", [TextPart("look"), part])])


def test_text_counts_by_its_bytes() -> None:
    assert billable(100, [Message("user", "hi"), Message("user", [TextPart("hi")]), Message("assistant")]) == 100


def test_an_image_counts_as_an_image_however_large_its_data() -> None:
    url = f"data:image/png;base64,{MEGABYTE}"
    assert size_with(ImagePart(ImageUrl(url))) == 100 + (1 << 20) - len(url) + IMAGE
    assert billable(100, [Message("user", [ImagePart(ImageUrl("https://a.example"))])]) == 100 - 17 + IMAGE


@pytest.mark.parametrize(
    ("part", "least", "most"),
    [
        (FilePart(FileData(f"data:application/pdf;base64,{MEGABYTE}")), 200_000, 500_000),
        (FilePart(FileData("data:application/pdf;base64,AAAA")), 1_000_000, 1_100_000),
        (FilePart(FileData(file_url="https://a.example/x.pdf")), UNKNOWN_FILE, 1_300_000),
        (AudioPart(Sound(MEGABYTE, "mp3")), 30_000, 60_000),
    ],
)
def test_what_else_is_attached_counts_by_what_a_model_could_make_of_it(part: Any, least: int, most: int) -> None:
    assert least <= size_with(part) <= most
