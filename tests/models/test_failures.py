import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import RateLimited, Rejected, TooLong, Upstream
from fairlead.models.failures import cleaned, failure, stream_failure
from fairlead.net.pauses import retry_after


class Clock:
    def now(self) -> int:
        return 1_700_000_000_000

    def monotonic(self) -> float:
        return 0.0

    def era(self) -> str:
        return "test"

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
    assert type(error) is TooLong
    assert error.message == "the prompt is too long for this model"


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


def google_says(status: int, name: str, *details: Any, message: str = "You exceeded your current quota") -> bytes:
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return json.dumps({"error": error}).encode()


PAUSE = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}


def test_a_pause_that_stands_in_the_body_is_read() -> None:
    error = failed(429, google_says(429, "RESOURCE_EXHAUSTED", PAUSE))
    assert type(error) is RateLimited
    assert error.retry_after == 34.5


@pytest.mark.parametrize(
    "details", [(), ({"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]}, PAUSE)]
)
def test_a_quota_that_no_pause_brings_back_is_no_rate_limit(details: tuple[dict[str, Any], ...]) -> None:
    error = failed(429, google_says(429, "RESOURCE_EXHAUSTED", *details))
    assert type(error) is Upstream
    assert not error.retryable


def test_a_wrong_key_is_the_workspaces_fault_whatever_the_status() -> None:
    body = google_says(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}, message="API key not valid: AIzaSecret")
    error = failed(400, body)
    assert type(error) is Upstream
    assert "credentials" in error.message
    assert "AIza" not in f"{error.message}{error.why}"


@pytest.mark.parametrize(
    ("status", "name", "kind", "retryable", "charged"),
    [
        (429, "ThrottlingException", RateLimited, True, "no"),
        (429, "ModelNotReadyException", RateLimited, True, "no"),
        (400, "ServiceQuotaExceededException", Upstream, False, "no"),
        (400, "ValidationException", Rejected, False, "no"),
        (403, "AccessDeniedException", Upstream, False, "no"),
        (404, "ResourceNotFoundException", Upstream, False, "no"),
        (408, "ModelTimeoutException", Upstream, True, "unknown"),
        (424, "ModelErrorException", Upstream, True, "unknown"),
        (503, "ServiceUnavailableException", Upstream, True, "no"),
    ],
)
def test_errors_named_in_a_header_mean_what_their_name_says(
    status: int, name: str, kind: type[Upstream], retryable: bool, charged: str
) -> None:
    error = failed(status, b'{"message":"no"}', **{"x-amzn-errortype": f"{name}:http://internal.example/"})
    assert (type(error), error.retryable, error.charged) == (kind, retryable, charged)
    assert "internal.example" not in f"{error.message}{error.why}"


def test_an_event_of_a_stream_can_ask_for_a_pause() -> None:
    assert type(stream_failure(google_says(429, "RESOURCE_EXHAUSTED"), subject="m")) is RateLimited
    assert type(stream_failure(b"[" + google_says(503, "UNAVAILABLE") + b"]", subject="m")) is Upstream


@given(st.recursive(st.none() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["error", "details", "violations", "retryDelay", "quotaId", "reason", "message"]), inner, max_size=4
)))  # fmt: skip
def test_no_error_body_whatever_makes_it_fall_over(found: object) -> None:
    assert isinstance(failed(429, json.dumps(found).encode()), Upstream)


@pytest.mark.parametrize("body", [b"Invalid request ID header", b"", b"{}"])
def test_a_refusal_without_a_reason_points_at_what_the_server_may_do_differently(body: bytes) -> None:
    error = failed(400, body)
    assert error.why == ""
    assert "quirks" in error.mend
