"""Signatures against published vectors (AWS's own test suite), and against ones made with its SDK for our service."""

import pytest

from fairlead.clock import SystemClock
from fairlead.models.secret import Secret
from fairlead.models.sigv4 import Credentials, Signer


class At(SystemClock):
    """A clock that stands still."""

    def __init__(self, milliseconds: int) -> None:
        super().__init__()
        self._milliseconds = milliseconds

    def now(self) -> int:
        return self._milliseconds


SUITE = 1_440_938_160_000  # 2015-08-30T12:36:00Z
OURS = 1_795_244_400_000  # 2026-11-21T07:00:00Z
CONVERSE = (
    "https://bedrock-runtime.eu-central-1.amazonaws.com"
    "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
)


def signed(
    method: str, url: str, body: bytes = b"", *, region: str, service: str, at: int, session: str = ""
) -> dict[str, str]:
    credentials = Credentials(
        access_key="AKIDEXAMPLE",
        secret_key=Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session=Secret(session) if session else None,
        region=region,
    )
    return Signer(credentials, service, At(at)).headers(method, url, body)


@pytest.mark.parametrize(
    ("method", "url", "signature"),
    [
        (
            "GET",
            "https://example.amazonaws.com/",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            "https://example.amazonaws.com/",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "GET",
            "https://example.amazonaws.com/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
)
def test_the_published_vectors_come_out(method: str, url: str, signature: str) -> None:
    headers = signed(method, url, region="us-east-1", service="service", at=SUITE)
    assert headers == {
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}",
    }


@pytest.mark.parametrize(
    ("session", "signature"),
    [
        ("", "e3e06bc0e36f95a0811d3ba007379888996e90bb0bcd7dc14d58c6ec4bd9c2b7"),
        ("the-token", "490d6e1c1686890e28a1b73d3518c338401590776ef1ea4219f35c5190efc9b9"),
    ],
)
def test_a_path_that_is_encoded_already_is_encoded_once_more(session: str, signature: str) -> None:
    body = b'{"messages":[]}'
    headers = signed("POST", CONVERSE, body, region="eu-central-1", service="bedrock", at=OURS, session=session)
    assert headers["authorization"].endswith(f"Signature={signature}")
    assert headers.get("x-amz-security-token", "") == session


def test_another_body_has_another_signature() -> None:
    one, other = (
        signed("POST", CONVERSE, body, region="eu-central-1", service="bedrock", at=OURS) for body in (b"{}", b"{ }")
    )
    assert one["authorization"] != other["authorization"]


def test_the_secret_shows_in_no_header() -> None:
    assert "wJalrXUtn" not in str(signed("GET", CONVERSE, region="eu-central-1", service="bedrock", at=OURS))
