from pathlib import Path

import pytest

from fairlead.errors import BadInput
from fairlead.models.sentence_encoder import SentenceEncoder
from fairlead.models.wordpiece import Pieces, words

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "lamp", "##s", "re", "##turn", "re##", ",", "cafe", "\u65e5"]
NUMBERS = {piece: number for number, piece in enumerate(PIECES)}


def told(text: str, most: int = 16) -> list[str]:
    return [PIECES[number] for number in Pieces(NUMBERS, most).numbers(text)]


def test_a_word_becomes_its_longest_pieces() -> None:
    assert told("Lamps, return") == ["[CLS]", "lamp", "##s", ",", "re", "##turn", "[SEP]"]
    assert told("lampshade") == ["[CLS]", "[UNK]", "[SEP]"]


def test_accents_and_case_are_folded_and_ideographs_stand_alone() -> None:
    assert told("CAF\u00c9\u65e5\u65e5") == ["[CLS]", "cafe", "\u65e5", "\u65e5", "[SEP]"]
    assert words("a\u200bb\tc\u0000\u2014d\u03a3") == ["ab", "c", "\u2014", "d\u03c3"]


def test_no_text_is_longer_than_the_model_takes() -> None:
    assert told("lamp " * 100, most=4) == ["[CLS]", "lamp", "lamp", "[SEP]"]
    assert told("") == ["[CLS]", "[SEP]"]
    assert told("x" * 1_000_000) == ["[CLS]", "[UNK]", "[SEP]"]


def test_weights_that_are_not_the_known_ones_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(BadInput, match="other weights"):
        SentenceEncoder(tmp_path)
