"""Signatures of requests to AWS (Signature Version 4, by the public description of the algorithm)."""

import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from fairlead.clock import Clock
from fairlead.models.secret import Secret
from fairlead.net.target import target_of

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Credentials(Struct, frozen=True, kw_only=True):
    """Who signs. `session` is the token that temporary credentials come with."""

    access_key: str
    secret_key: Secret
    session: Secret | None = None
    region: str


class Signer:
    """Signs the requests of one service in one region."""

    def __init__(self, credentials: Credentials, service: str, clock: Clock) -> None:
        self._credentials = credentials
        self._service = service
        self._clock = clock

    def headers(self, method: str, url: str, body: bytes) -> dict[str, str]:
        """The headers that sign a request. It must be sent within a few minutes, with this body and to this URL."""
        given, target = self._credentials, target_of(url)
        moment = datetime.fromtimestamp(self._clock.now() // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"host": target.authority, "x-amz-date": moment}
        if given.session is not None:
            headers["x-amz-security-token"] = given.session.reveal()
        path, _, query = target.path.partition("?")
        names = ";".join(headers)  # already in order
        request = "\n".join(
            (
                method,
                quote(path, safe="/-_.~"),  # encoded once more than it is sent, as all services but one want it
                "&".join(sorted(query.split("&"))),
                *(f"{name}:{value}" for name, value in headers.items()),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        scope = f"{moment[:8]}/{given.region}/{self._service}/aws4_request"
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = _signing_key(given.secret_key, moment[:8], given.region, self._service)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        del headers["host"]  # the client writes it
        credential = f"{given.access_key}/{scope}"
        headers["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return headers


@lru_cache(maxsize=16)
def _signing_key(secret: Secret, day: str, region: str, service: str) -> bytes:
    """The key of a day. The same for all its requests."""
    key = f"AWS4{secret.reveal()}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
