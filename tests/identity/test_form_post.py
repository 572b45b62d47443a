"""What providers say in their errors is shown as far as it is words."""

import pytest

from fairlead.identity.form_post import error_code, reason, words


def test_what_is_like_a_token_is_never_shown() -> None:
    assert words(f"the code {'a' * 43} was used\x1b") == "the code was used"
    assert words("insufficient_user_authentication") == "insufficient_user_authentication"
    assert words("client s3cret-of-ours is unknown", ["s3cret-of-ours"]) == "client … is unknown"


@pytest.mark.parametrize("said", [b"", b"\xff", b"[" * 10_000, b'{"error": 5}', b"<html>"])
def test_an_answer_that_is_none_says_nothing(said: bytes) -> None:
    assert (error_code(said), reason(said)) == ("", "")


def test_a_code_counts_without_a_description() -> None:
    assert reason(b'{"error": "invalid_grant", "error_description": null}') == "invalid_grant"
