"""Checkpoints are C2SP signed notes: checked against the specification's own example, and against hostile ones."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.audit import (
    EMPTY_ROOT,
    Checkpoint,
    leaf_hash,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from fairlead.audit import verifier_key as verifier_key_of
from fairlead.audit.malformed import Malformed
from fairlead.audit.note import is_signed_by, parse_verifier, split_note

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
ORIGIN = "audit.example/fairlead"
KEY = verifier_key_of(ORIGIN, SIGNER.public_key())
ROOT = leaf_hash(b"root")
NOTE = sign_checkpoint(ORIGIN, 42, ROOT, SIGNER)


def test_a_signed_checkpoint_says_what_was_signed() -> None:
    assert verify_checkpoint(NOTE, KEY) == parse_checkpoint(NOTE) == Checkpoint(ORIGIN, 42, ROOT)
    assert NOTE.startswith(f"{ORIGIN}\n42\n")


def test_the_empty_tree_has_a_checkpoint() -> None:
    assert verify_checkpoint(sign_checkpoint(ORIGIN, 0, EMPTY_ROOT, SIGNER), KEY).size == 0


def test_the_example_of_the_specification_parses() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    assert parse_checkpoint(note).size == 20852163


def test_the_signature_of_a_published_note_verifies() -> None:
    """A note and key that implementations of the specification share as their first example."""
    known = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    line = (
        "— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    verifier = parse_verifier(known)
    signed = split_note("This is an example message.\n\n" + line)
    assert is_signed_by(signed, verifier)
    with pytest.raises(Malformed, match="false"):
        is_signed_by(replace(signed, text=signed.text + "!"), verifier)


def test_signatures_of_witnesses_and_extension_lines_do_not_disturb() -> None:
    witness = sign_checkpoint("witness.example", 1, ROOT, OTHER).splitlines()[-1]
    assert verify_checkpoint(NOTE + witness + "\n", KEY).size == 42
    body = NOTE.partition("\n\n")[0] + "\nan extension\n"
    with pytest.raises(Malformed, match="signature is false"):
        verify_checkpoint(NOTE.replace(NOTE.partition("\n\n")[0] + "\n", body), KEY)
    assert parse_checkpoint(NOTE.replace(NOTE.partition("\n\n")[0] + "\n", body)).size == 42


def test_a_false_signature_by_the_known_key_rejects_the_note_even_beside_a_true_one() -> None:
    false = sign_checkpoint(ORIGIN, 43, ROOT, SIGNER).splitlines()[-1]
    with pytest.raises(Malformed, match="signature is false"):
        verify_checkpoint(NOTE + false + "\n", KEY)


def test_another_logs_key_is_not_accepted() -> None:
    with pytest.raises(Malformed, match="did not sign it"):
        verify_checkpoint(NOTE, verifier_key_of(ORIGIN, OTHER.public_key()))
    with pytest.raises(Malformed, match="speaks for the log"):
        verify_checkpoint(NOTE, verifier_key_of("other.example", SIGNER.public_key()))


@given(st.integers(0, len(NOTE) - 1), st.characters(codec="utf-8"))
def test_no_altered_checkpoint_verifies(at: int, instead: str) -> None:
    altered = NOTE[:at] + instead + NOTE[at + 1 :]
    if altered != NOTE:
        with pytest.raises(Malformed):
            verify_checkpoint(altered, KEY)


@given(st.text() | st.text(alphabet="a\n+ —0=").map(lambda text: text + "\n"))
def test_no_text_makes_the_parser_stumble(text: str) -> None:
    for attempt in {text, NOTE + text, text + NOTE} - {NOTE}:
        with pytest.raises(Malformed):
            verify_checkpoint(attempt, KEY)


@pytest.mark.parametrize(
    "altered",
    [
        NOTE.replace("\n42\n", "\n042\n"),
        NOTE.replace("\n42\n", "\n+42\n"),
        NOTE.replace("\n42\n", "\n٤٢\n"),
        NOTE.replace("\n42\n", "\n\n"),
        NOTE.replace("\n42\n", "\n42\r\n"),
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("=\n\n", "\n\n"),
        "x" * (1 << 21),
        "",
        "\n\n",
        "a\ud800" + NOTE,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_checkpoint_has_one_spelling(altered: str) -> None:
    with pytest.raises(Malformed):
        parse_checkpoint(altered)


def test_base64_with_stray_bits_is_refused() -> None:
    lines = NOTE.split("\n")
    stray = lines[2][:-2] + chr(ord(lines[2][-2]) + 1) + "="
    with pytest.raises(Malformed, match="base64"):
        parse_checkpoint(NOTE.replace(lines[2], stray))


def test_a_verifier_key_reads_as_the_specification_says() -> None:
    name, key_id, coded = KEY.split("+", 2)
    assert (name, len(key_id), len(coded)) == (ORIGIN, 8, 44)


@pytest.mark.parametrize(
    "key",
    ["", "a+b+c", KEY[:-1], KEY + "=", KEY.upper(), KEY.replace("audit", "adult"), KEY.replace("+", " "), " " + KEY],
)
def test_a_malformed_verifier_key_is_refused_with_a_mend(key: str) -> None:
    with pytest.raises(Malformed, match="verifier key") as refused:
        verify_checkpoint(NOTE, key)
    assert refused.value.mend


@pytest.mark.parametrize("name", ["", "two words", "a+b", "tab\t", "line\n", "nbsp\u00a0", "half\ud800"])
def test_an_unfit_name_cannot_sign(name: str) -> None:
    with pytest.raises(Malformed, match="cannot name a log"):
        sign_checkpoint(name, 1, ROOT, SIGNER)
    with pytest.raises(Malformed, match="cannot name a log"):
        verifier_key_of(name, SIGNER.public_key())


@pytest.mark.parametrize(("size", "root"), [(-1, ROOT), (1, b"short")])
def test_what_is_no_tree_head_is_not_signed(size: int, root: bytes) -> None:
    with pytest.raises(Malformed, match="no checkpoint"):
        sign_checkpoint(ORIGIN, size, root, SIGNER)
