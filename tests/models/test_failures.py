from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import RateLimited, Rejected, Upstream
from fairlead.models.failures import cleaned, failure, retry_after, stream_failure


class Clock:
    def now(self) -> int:
        return 1_700_000_000_000

    def monotonic(self) -> float:
        return 0.0

    def random_bytes(self, count: int) -> bytes:
        return bytes(count)


@dataclass
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)


def failed(status: int, body: bytes = b"", **headers: str) -> Upstream:
    return failure(Answer(status, headers), body, clock=Clock(), subject="m")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("inf", 86_400.0),
        ("1e99", 86_400.0),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_a_pause_is_read_from_seconds_or_a_date_and_kept_sane(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, Clock()) == seconds


def test_a_rate_limit_says_how_long_to_wait() -> None:
    error = failed(429, **{"retry-after": "12"})
    assert type(error) is RateLimited
    assert error.retry_after == 12


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"message":"no","type":"exceed_context_size_error","code":400}}',
        b'{"error":{"message":"no","code":"context_length_exceeded"}}',
        b'{"error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}',
        b'{"error":"This model\'s maximum context length is 8192 tokens"}',
        b'{"detail":"input is too long"}',
    ],
)
def test_every_name_of_too_long_becomes_one(body: bytes) -> None:
    error = failed(400, body)
    assert type(error) is Rejected
    assert error.message == "the request is too long for this model"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error":{"message":"bad role","type":"x"}}', "bad role"),
        (b'{"error":"bad role"}', "bad role"),
        (b'{"detail":"bad role"}', "bad role"),
        (b'{"detail":[{"loc":["a"],"msg":"bad role"}]}', "bad role"),
        (b'{"message":"bad role"}', "bad role"),
        (b"Internal Server Error", ""),
        (b"<html>bad role</html>", ""),
        (b"[]", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
        (b"[" * 5000, ""),
        (b'{"error":{"message":{"deep":1},"type":7}}', ""),
    ],
)
def test_the_words_are_found_in_every_shape(body: bytes, says: str) -> None:
    assert failed(400, body).why == says


def test_no_key_path_or_source_line_passes() -> None:
    words = (
        "Incorrect key sk-abc123def456 at /usr/lib/python3/site-packages/llama.py line 3, C:\\models\\x.gguf "
        'File "/app/main.py", line 12, llama.cpp:331 see https://docs.example/errors\x1b[31m\nnext'
    )
    said = cleaned(words)
    for secret in ("sk-abc", "/usr/lib", "site-packages", "models\\x", "main.py", "llama.cpp:331", "\x1b", "\n"):
        assert secret not in said
    assert "https://docs.example/errors" in said
    assert "Traceback" not in cleaned("boom Traceback (most recent call last):\n  x = 1\nKeyError")


@given(st.text())
def test_cleaned_words_are_one_short_line(words: str) -> None:
    said = cleaned(words)
    assert len(said) <= 240
    assert "\n" not in said
    assert said == said.strip()


@given(st.integers(300, 599), st.binary(max_size=200))
def test_every_status_and_body_becomes_an_error(status: int, body: bytes) -> None:
    error = failed(status, body)
    assert error.step == "attempt"
    assert error.mend or type(error) is Rejected
    assert error.retryable == (status >= 500 or status in (408, 409, 424, 425, 429)) or "credit" in error.message


@given(st.binary(max_size=200))
def test_every_junk_in_a_stream_becomes_an_error(body: bytes) -> None:
    assert isinstance(stream_failure(body, subject="m"), Upstream)


def test_credentials_that_are_refused_are_never_quoted() -> None:
    error = failed(401, b'{"error":{"message":"Incorrect API key provided: sk-abc"}}')
    assert "sk-abc" not in f"{error.message}{error.why}{error.mend}"
    assert not error.retryable
