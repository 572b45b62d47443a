"""The socket that `fairlead serve` answers on: only with TLS, a declared proxy, or on this machine's own address."""

import socket
from typing import Final

from fairlead.cli.place import Place
from fairlead.errors import BadInput
from fairlead.identity.addresses import is_loopback
from fairlead.server.proxy import Proxies
from fairlead.server.serve import Serving
from fairlead.server.tls import Tls, tls_context
from fairlead.server.workers import listen
from fairlead.workspace.listening import networks
from fairlead.workspace.settings import ServerSettings

LOUD: Final = "WARNING: plain HTTP on {}: everybody on the way can read keys and text. Only for a throwaway network."


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `BadInput` where it cannot."""
    try:
        return listen(host, port)
    except OSError as error:
        raise BadInput(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            why="another program may have this port, or the address is not this machine's",
            mend="--port 0 takes any free one; or stop the other program",
        ) from error


def require_protection(sock: socket.socket, server: ServerSettings) -> None:
    """Raise `BadInput` where other machines could reach the socket, and nothing is declared that protects the way."""
    address = sock.getsockname()[0]
    if is_loopback(address) or server.tls or server.proxy:
        return
    sock.close()
    raise BadInput(
        f"not served on {address}: other machines could reach it over plain HTTP",
        why="callers' keys and what they ask could be read, and changed, on the way",
        mend="give a certificate (`server: {tls: {certificate: …, key: …}}`), or name the proxies in front "
        "(`server: {proxy: {trusted: [10.1.2.3]}}`); --plain-http serves all the same, for a throwaway network",
    )


def url_of(sock: socket.socket, tls: bool = False) -> str:
    """The address at which a program on this machine reaches it."""
    host, port = sock.getsockname()[:2]
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 it listens on all, and this one is near
    scheme = "https" if tls else "http"
    return f"{scheme}://[{near}]:{port}" if ":" in near else f"{scheme}://{near}:{port}"


def serving_of(place: Place, server: ServerSettings, workers: int) -> Serving:
    """What the workspace says of serving, its files found. Raises `BadInput` where TLS could not be spoken with them:
    better told here than by each worker."""
    tls = None
    if server.tls:
        whole = server.tls.below(place.workspace)
        tls = Tls(whole.certificate, whole.key, whole.client_ca)
        tls_context(tls)
    return Serving(
        workers=workers,
        max_body=server.max_body,
        max_connections=server.max_connections,
        max_requests=server.max_requests,
        receive_timeout=server.receive_timeout,
        send_timeout=server.send_timeout,
        idle_timeout=server.idle_timeout,
        drain=server.drain,
        tls=tls,
        proxy=Proxies(networks(server.proxy.trusted), server.proxy.plain_http) if server.proxy else None,
    )
