"""`server.tls:` and `server.proxy:`: what protects the way from a caller to Fairlead."""

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TlsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`server.tls:`: TLS 1.2 or newer. Paths are taken from the workspace's folder. Changed files count for the next
    connection, and none that is open is dropped."""

    certificate: Annotated[
        str, Meta(min_length=1, description="PEM file: the certificate, then those between it and its root.")
    ]
    key: Annotated[str, Meta(min_length=1, description="PEM file with the certificate's private key, not encrypted.")]
    client_ca: Annotated[
        str, Meta(description="PEM file: who brings no certificate issued by one of these is sent away.")
    ] = ""

    def below(self, folder: Path) -> "TlsSettings":
        """The same with whole paths, for a workspace in `folder`."""

        def whole(path: str) -> str:
            return str(folder.resolve() / Path(path).expanduser()) if path else ""

        return msgspec.structs.replace(
            self, certificate=whole(self.certificate), key=whole(self.key), client_ca=whole(self.client_ca)
        )


class ProxySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`server.proxy:`: the proxies in front. Without `tls`, connections are taken from them and from this machine
    only."""

    trusted: Annotated[
        list[str],
        Meta(
            min_length=1,
            description="Addresses or networks of the proxies. Only they are believed in what they say of a client "
            "(`x-forwarded-for`, `x-forwarded-proto`).",
        ),
    ]
    plain_http: Annotated[
        bool,
        Meta(
            description="Take what clients sent to the proxy unencrypted. It is refused otherwise, where the proxy "
            "says so (`x-forwarded-proto: http`)."
        ),
    ] = False


def networks(trusted: Iterable[str]) -> tuple[Network, ...]:
    """The networks of `server.proxy.trusted`. Raises `BadInput` for what is none, and for everybody."""
    return tuple(_network(number, text) for number, text in enumerate(trusted))


def _network(number: int, text: str) -> Network:
    key = f"server.proxy.trusted.{number}"
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise BadInput(
            f"{key} is no address or network: {text}", why=str(error), mend="write 10.1.2.3 or 10.1.2.0/24"
        ) from error
    if network.prefixlen == 0:
        raise BadInput(
            f"{key} trusts every address there is",
            why="any client could then say that it is another, and that it came over TLS",
            mend="name the proxies' own addresses",
        )
    return network
