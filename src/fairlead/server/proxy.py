"""The proxies in front: who they are, and what they say of the client that they speak for."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.server.http import Scope


class Unencrypted(BadInput):
    """The request came over a connection that anybody in between could read.

    Use https. Where the network in front of the proxy is trusted, `server.proxy.plain_http` allows it.
    """

    code = "unencrypted"
    status = 403


class Proxies(Struct, frozen=True):
    """The declared proxies. What anybody else says of other clients counts for nothing."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    plain_http: bool = False

    def may_connect(self, address: str) -> bool:
        """Whether a connection without TLS is taken from there: from a proxy, or from this machine."""
        found = _address(address)
        return found is not None and (found.is_loopback or self._trusts(found))

    def told(self, scope: Scope) -> None:
        """Put the client that a proxy speaks for in its place. Raises `Unencrypted`.

        Who a proxy does not name is nobody: never a program on this machine, though the proxy may be one.
        """
        client = scope.get("client")
        peer = _address(client[0]) if client else None
        if peer is None or not self._trusts(peer):
            return
        named = _values(scope, b"x-forwarded-for")
        scope["client"] = self._nearest_stranger(named)
        if not self.plain_http and any(value.lower() == "http" for value in _values(scope, b"x-forwarded-proto")):
            raise Unencrypted(
                "the request came to the proxy over plain HTTP",
                why="its key and its text could be read on the way",
                mend="use https, or set `server.proxy.plain_http` where the network in front of the proxy is trusted",
            )

    def _nearest_stranger(self, named: list[str]) -> tuple[str, int] | None:
        # Every proxy adds whom it saw at the end; what stands before the first stranger, the stranger may have made up.
        for text in reversed(named):
            address = _address(text)
            if address is None:
                return None
            if not self._trusts(address):
                return str(address), 0
        return None

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks)


def _values(scope: Scope, name: bytes) -> list[str]:
    """The parts of a list that may be spread over several headers, in order."""
    joined = ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)
    return [part.strip() for part in joined.split(",")] if joined else []


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also with a port, as some proxies write it, and an IPv4 address in its IPv6 form as itself."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
