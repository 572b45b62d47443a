"""Which addresses identity providers may have: what comes from there decides who somebody is."""

import ipaddress
from urllib.parse import urlsplit

from fairlead.errors import BadInput


def check_url(key: str, url: str, *, query: bool = False) -> None:
    """Raise `BadInput` unless keys may be fetched from the URL: over TLS, or from this machine. `query`: there may be
    one. All of it is plain, since it goes into headers and onto screens."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    is_plain = url.isascii() and url.isprintable() and " " not in url and "#" not in url
    if not host or not is_plain or (parts.query and not query) or parts.username is not None:
        raise BadInput(f"{key}: {url!r} is no address of an issuer", mend="give it as https://HOST/PATH")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadInput(
            f"{key}: {url!r} is not protected by TLS",
            why="whoever can change what comes from there could sign tokens",
            mend="use https://",
        )


def check_named_url(key: str, url: str, issuer: str, *, query: bool = False) -> None:
    """As `check_url`, for an address that the issuer itself names. Only an issuer on this machine may send us to this
    machine: else somebody far away could make us talk to whatever listens here."""
    check_url(key, url, query=query)
    if urlsplit(url).scheme == "http" and not is_loopback(urlsplit(issuer).hostname or ""):
        raise BadInput(
            f"{key}: {url!r} is an address of this machine",
            why=f"{issuer} is elsewhere, and has nothing to say about it",
            mend="have the identity provider name addresses of its own",
        )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
