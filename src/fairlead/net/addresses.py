"""Which addresses may be called: those of models' servers, and those that alarms go to. A workspace's text must not be
able to aim Fairlead at the inside."""

import asyncio
import ipaddress
import socket
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput, Upstream
from fairlead.net.target import Target, target_of

# Where clouds hand out credentials to whoever asks from inside.
_METADATA: Final = frozenset(
    (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23",
        "metadata", "metadata.google.internal", "metadata.goog", "instance-data",
    )
)  # fmt: skip


class Address(Struct, frozen=True):
    """A checked URL without a slash at its end. `authority` is host and port where the port is not the usual one."""

    url: str
    host: str
    authority: str
    is_loopback: bool


def checked_address(text: str, *, key: str, at_home: bool, plain_http: bool, of: str = "model") -> Address:
    """Check the URL under `key`. `at_home`: the model was declared to run on premises or on this device. `of` is what
    answers there, "model" or "system".

    Only literal addresses can be judged here; a name is trusted to mean what whoever wrote the workspace meant.
    """
    target = _target(text, key)
    host = target.host.rstrip(".")
    address = _literal(host)
    loopback = address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")
    if host in _METADATA or (address is not None and (address.is_link_local or address.is_multicast)):
        raise BadInput(
            f"{key} points at {host}, which no {of} answers from",
            why="such addresses hand out a machine's credentials or reach unknown neighbours",
            mend=f"give the address of the {of}'s server",
        )
    if address is not None and address.is_unspecified:
        raise BadInput(f"{key} has no real host: {host}", mend="write 127.0.0.1 for this machine")
    if address is not None and not address.is_global and not loopback and not at_home:
        raise BadInput(
            f"{key} points at {host}, inside a private network",
            why=f"the {of} was not declared to run there",
            mend=f"add `{'placement: {kind: on_prem}' if of == 'model' else 'at_home: true'}` to this {of} if it does",
        )
    if not target.tls and not loopback and not plain_http:
        raise BadInput(
            f"{key} would send data and keys unencrypted to {host}",
            why="`http` is for this machine only",
            mend=f"use https, or add `plain_http: true` to this {of} if its network is trusted",
        )
    scheme = "https" if target.tls else "http"
    return Address(f"{scheme}://{target.authority}{target.path.rstrip('/')}", host, target.authority, loopback)


def _target(text: str, key: str) -> Target:
    try:
        target = target_of(text)
    except BadInput as error:
        raise BadInput(f"{key}: {error.message}", why=error.why, mend=error.mend) from error
    if "?" in text or "#" in text:
        raise BadInput(
            f"{key} holds more than an address",
            why="a query or a fragment does not belong into it",
            mend="write the plain address, and give the key by `key: env:NAME`",
        )
    return target


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is, also in the old spellings that resolvers still take, such as 2130706433."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _old_spelling(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _old_spelling(host: str) -> ipaddress.IPv4Address | None:
    parts = host.split(".")
    try:
        numbers = [int(part, 16 if part.startswith("0x") else 8 if part[:1] == "0" and part != "0" else 10)
                   for part in parts]  # fmt: skip
    except ValueError:
        return None
    if len(numbers) > 4 or any(each < 0 for each in numbers):
        return None
    *high, low = numbers
    if any(each > 255 for each in high) or low >= 256 ** (5 - len(numbers)):
        return None
    value = low
    for place, number in enumerate(high):
        value |= number << (24 - 8 * place)
    return ipaddress.IPv4Address(value)


async def pinned(target: Target, *, inside: bool) -> str:
    """The IP address to connect to for a URL that somebody outside the workspace could have a say in: the name is
    resolved once, every address that it has is judged, and the connection goes to one that was. So a name that means
    something else a moment later leads nowhere else.

    `inside`: it was declared to be in a private network, or on this machine. Raises `Upstream`.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Upstream(f"no address for {target.authority}", why=error.strerror or "its name is not known") from error
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for text in addresses:
        why = _forbidden(text.partition("%")[0], inside)
        if why:
            raise Upstream(
                f"{target.authority} may not be called",
                why=f"it means {text}, {why}",
                mend="give a public address, or declare that it is inside",
                retryable=False,
            )
    return addresses[0]


def _forbidden(text: str, inside: bool) -> str:
    """Why an address must not be called, "" if it may."""
    address = _within(ipaddress.ip_address(text))
    if str(address) in _METADATA or address.is_link_local or address.is_multicast:
        return "which hands out a machine's credentials or reaches unknown neighbours"
    if address.is_unspecified or (address.is_reserved and not address.is_global):
        return "which is no real address"
    if not address.is_global and not inside:
        return "inside a private network"
    return ""


_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that is really meant: IPv4 can be wrapped in IPv6 in three ways."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
