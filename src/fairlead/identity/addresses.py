"""Which addresses identity providers may have: what comes from there decides who somebody is."""

import ipaddress
from urllib.parse import urlsplit

from fairlead.errors import BadInput


def check_url(key: str, url: str) -> None:
    """Raise `BadInput` unless keys may be fetched from the URL: over TLS, or from this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or parts.username is not None or not url.isprintable() or " " in url:
        raise BadInput(f"{key}: {url!r} is no address of an issuer", mend="give it as https://HOST/PATH")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise BadInput(
            f"{key}: {url!r} is not protected by TLS",
            why="whoever can change what comes from there could sign tokens",
            mend="use https://",
        )


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
