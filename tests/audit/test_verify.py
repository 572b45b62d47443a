"""No tampering with a log goes unseen, whether it reaches the verifier as a file or as database rows."""

import io
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.audit import (
    Frontier,
    Verdict,
    canonical,
    leaf_hash,
    sign_checkpoint,
    verifier_key,
    verify_export,
    verify_records,
    write_export,
)
from fairlead.audit.malformed import Malformed

ORIGIN = "audit.example/fairlead"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FORGER = Ed25519PrivateKey.from_private_bytes(bytes(range(7, 39)))
KEY = verifier_key(ORIGIN, SIGNER.public_key())
RECORDS = [canonical({"run": f"r_{number}", "said": "schön " + "ab" * number}) for number in range(12)]
LEAVES = [leaf_hash(record) for record in RECORDS]


def head(size: int, leaves: list[bytes] = LEAVES, origin: str = ORIGIN, signer: Ed25519PrivateKey = SIGNER) -> str:
    return sign_checkpoint(origin, size, Frontier().extend(leaves[:size]).root(), signer)


CHECKPOINTS = [head(12), head(5), head(9)]


def export(records: Iterable[tuple[int, bytes]], checkpoints: Iterable[str] = CHECKPOINTS, key: str = KEY) -> bytes:
    out = io.BytesIO()
    write_export(records, checkpoints, key, out)
    return out.getvalue()


def check(content: bytes, key: str | None = KEY, kept: Iterable[str] = ()) -> Verdict:
    return verify_export(content.splitlines(keepends=True), key, kept)


def live(records: Iterable[tuple[int, bytes]], checkpoints: Iterable[str] = CHECKPOINTS, size: int = 12) -> Verdict:
    return verify_records(records, Frontier().extend(LEAVES[:size]), checkpoints, KEY)


WHOLE = export(enumerate(RECORDS))
LINES = WHOLE.splitlines(keepends=True)
RECORD_LINES = [number for number, line in enumerate(LINES) if line.startswith(b'{"seq"')]


def test_an_untouched_export_holds() -> None:
    verdict = check(WHOLE)
    assert verdict == Verdict(True, 12, Frontier().extend(LEAVES).root().hex(), 12)
    assert check(WHOLE, None) == verdict


def test_checkpoints_stand_right_after_what_they_cover() -> None:
    kinds = "".join("c" if b'"checkpoint"' in line else "r" for line in LINES[1:-1])
    assert kinds == "rrrrrcrrrrcrrrc"


def test_an_export_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_bytes(WHOLE)
    assert verify_export(file, KEY).ok
    assert verify_export(str(file)).ok


def test_an_untouched_database_holds_and_says_what_is_signed() -> None:
    verdict = live(enumerate(RECORDS), [head(5), head(9)])
    assert (verdict.ok, verdict.size, verdict.signed) == (True, 12, 9)
    assert live([], [], 0).ok


@settings(max_examples=100)
@given(st.data())
def test_any_changed_byte_of_any_record_is_found_in_an_export(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(RECORD_LINES))
    line = bytearray(LINES[number])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    verdict = check(b"".join([*LINES[:number], bytes(line), *LINES[number + 1 :]]))
    assert not verdict.ok
    assert verdict.problems


@settings(max_examples=100)
@given(st.data())
def test_any_changed_byte_of_any_record_is_found_in_the_database(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, 11))
    record = bytearray(RECORDS[index])
    record[data.draw(st.integers(0, len(record) - 1))] ^= data.draw(st.integers(1, 255))
    changed = [*RECORDS[:index], bytes(record), *RECORDS[index + 1 :]]
    assert not live(enumerate(changed)).ok
    assert not live(enumerate(changed), []).ok
    # Exported after the tampering, with leaf hashes that fit: the checkpoints still tell, and say between which.
    verdict = check(export(enumerate(changed)))
    span = "records 0 to 4" if index < 5 else "records 5 to 8" if index < 9 else "records 9 to 11"
    assert verdict.problems[0].startswith(f"{span} do not agree")


@given(st.binary(max_size=400), st.integers(0, len(WHOLE) - 1), st.integers(0, 40))
def test_no_other_damage_goes_unseen_or_makes_the_verifier_stumble(noise: bytes, at: int, cut: int) -> None:
    damaged = WHOLE[:at] + noise + WHOLE[at + cut :]
    assert check(damaged).ok == (damaged.rstrip(b"\n") == WHOLE.rstrip(b"\n"))


def test_a_changed_record_is_named() -> None:
    content = WHOLE.replace(b'"r_7"', b'"r_8"', 1)
    verdict = check(content)
    assert verdict.problems == ("record 7 was changed: it does not hash to the leaf written beside it",)


def test_a_missing_record_is_named() -> None:
    rows = [row for row in enumerate(RECORDS) if row[0] != 6]
    for verdict in (check(export(rows)), live(rows)):
        assert verdict.problems[0] == "record 6 is missing before record 7"


def test_missing_records_are_named() -> None:
    rows = [row for row in enumerate(RECORDS) if row[0] not in (0, 1)]
    assert live(rows).problems[0] == "records 0 to 1 are missing before record 2"


def test_a_missing_record_that_was_closed_up_is_found() -> None:
    rows = enumerate([*RECORDS[:6], *RECORDS[7:]])
    for verdict in (check(export(rows)), live(enumerate([*RECORDS[:6], *RECORDS[7:]]))):
        assert verdict.problems[0].startswith("records 5 to 8 do not agree with the checkpoint over 9 records")


def test_reordered_records_are_named() -> None:
    rows = list(enumerate(RECORDS))
    rows[3], rows[4] = rows[4], rows[3]
    for verdict in (check(export(rows)), live(rows)):
        assert verdict.problems[:2] == (
            "record 3 is missing before record 4",
            "record 3 stands after record 4: it was moved or repeated",
        )


def test_a_repeated_record_is_named() -> None:
    rows = list(enumerate(RECORDS))
    assert "record 11 stands after record 11" in live([*rows, rows[-1]]).problems[0]


def test_a_truncated_log_is_found() -> None:
    rows = list(enumerate(RECORDS))[:10]
    for verdict in (check(export(rows)), live(rows)):
        assert verdict.problems[0] == "records 10 to 11 are missing: a checkpoint covers them"
    assert "was cut off: it ends after 10 records and its stored head counts 12" in live(rows, [head(5)]).problems[0]


def test_a_file_that_was_cut_off_is_found() -> None:
    for number in range(len(LINES)):
        verdict = check(b"".join(LINES[:number]))
        assert not verdict.ok
    assert "cut off" in check(b"".join(LINES[:-1])).problems[0]


def test_an_export_shortened_with_its_checkpoints_is_told_by_one_that_was_kept() -> None:
    short = export(list(enumerate(RECORDS))[:9], [head(5), head(9)])
    assert check(short).ok
    assert check(short, kept=[head(12)]).problems == ("records 9 to 11 are missing: a checkpoint covers them",)
    assert check(WHOLE, kept=[head(12), head(7)]).ok


def test_records_after_the_last_checkpoint_prove_nothing() -> None:
    verdict = check(export(enumerate(RECORDS), [head(9)]))
    assert verdict.problems == ("records 9 to 11 come after the last checkpoint, so nothing proves them",)
    assert check(export(enumerate(RECORDS), [])).problems == ("no checkpoint holds, so nothing proves these records",)
    assert not check(export([], [])).ok
    assert check(export([], [head(0)])).ok


def test_a_forged_checkpoint_is_found() -> None:
    forged = head(9, signer=FORGER)
    for verdict in (check(export(enumerate(RECORDS), [head(12), forged])), live(enumerate(RECORDS), [forged])):
        assert "after 9 records" in verdict.problems[0]
        assert "did not sign it" in verdict.problems[0]


def test_a_checkpoint_of_another_log_is_found() -> None:
    other = head(12, origin="other.example")
    assert "speaks for the log 'other.example'" in live(enumerate(RECORDS), [other]).problems[0]


def test_a_checkpoint_of_another_tree_is_found() -> None:
    other = head(12, [leaf_hash(b"%d" % number) for number in range(12)])
    for verdict in (check(export(enumerate(RECORDS), [head(5), other])), live(enumerate(RECORDS), [head(5), other])):
        assert verdict.problems[0].startswith("records 5 to 11 do not agree with the checkpoint over 12 records")


def test_a_log_rewritten_and_signed_with_another_key_is_found_by_who_knows_the_key() -> None:
    theirs = verifier_key(ORIGIN, FORGER.public_key())
    rewritten = [canonical({"innocent": True})]
    content = export(enumerate(rewritten), [head(1, [leaf_hash(rewritten[0])], signer=FORGER)], theirs)
    assert check(content, None).ok
    verdict = check(content, KEY)
    assert "names another key" in verdict.problems[0]
    assert not check(content, None, kept=[head(5)]).ok


def test_a_changed_stored_head_is_found() -> None:
    other = Frontier().extend(LEAVES[:11]).append(leaf_hash(b"other"))
    verdict = verify_records(enumerate(RECORDS), other, [head(9)], KEY)
    assert "the head was changed, or one of records 9 to 11" in verdict.problems[0]


def test_rows_that_somebody_damaged_are_exported_as_they_are_and_found() -> None:
    damaged = [b"\xff\xfe", b"", b"{\n}", b"{" + b"[" * 5000, b'{"a":}', b"{" * 20_000 + b"}"]
    content = export(enumerate([*RECORDS[:3], *damaged, *RECORDS[9:]]))
    verdict = check(content)
    assert verdict.size == 12
    assert verdict.problems[0].startswith("records 0 to 4 do not agree")


def test_a_header_that_contradicts_its_key_is_found() -> None:
    assert "its key speaks for" in check(WHOLE.replace(b'"origin":"audit', b'"origin":"adult', 1)).problems[0]


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"not json", LINES[1], b"\xff"])
def test_what_is_no_export_is_called_so(content: bytes) -> None:
    assert "not the header" in check(content).problems[0]


def test_many_problems_are_counted_and_not_all_listed() -> None:
    rows = [(2 * number, RECORDS[0]) for number in range(50)]
    verdict = live(rows, [])
    assert len(verdict.problems) == 21
    assert verdict.problems[-1] == "and 29 more problems"


def test_a_malformed_key_is_the_callers_mistake() -> None:
    with pytest.raises(Malformed, match="verifier key"):
        check(WHOLE, "no key")
    with pytest.raises(Malformed, match="verifier key"):
        verify_records([], Frontier(), [], "no key")


def test_lines_are_read_one_by_one_and_not_beyond_the_end() -> None:
    endless = chain(LINES, repeat(b"and so on\n"))
    assert verify_export(endless, KEY).problems == ("something follows the last line",)
