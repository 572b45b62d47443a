"""`GET /.well-known/oauth-protected-resource`: which identity providers give tokens for this Fairlead (RFC 9728)."""

import re
from typing import Any, Final

import msgspec

from fairlead.execution import Fairlead
from fairlead.server.http import Scope, header, respond

PATH: Final = "/.well-known/oauth-protected-resource"
_HOST: Final = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


def base_url(scope: Scope) -> str | None:
    """The address by which the client knows this server, None where what it sent is none."""
    host = header(scope, b"host") or ""
    return f"{scope.get('scheme', 'http')}://{host}" if _HOST.fullmatch(host) else None


def metadata_url(scope: Scope) -> str | None:
    """Where the metadata of the endpoint that was called are (RFC 9728, section 3.1). None where the client's host is
    none."""
    base = base_url(scope)
    return None if base is None else f"{base}{PATH}{scope['path']}"


class ProtectedResource:
    """The document. It is for everybody: a client that has no token yet must be able to read it."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        about = {
            "resource": f"{base_url(scope) or ''}{scope['path'].removeprefix(PATH)}",
            "authorization_servers": list(self._fairlead.deployment.authenticator.issuers),
            "bearer_methods_supported": ["header"],
            "resource_name": f"Fairlead of {self._fairlead.deployment.organisation}",
        }
        await respond(send, 200, msgspec.json.encode(about), [(b"cache-control", b"max-age=300")])
