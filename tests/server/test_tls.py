"""TLS at the door: what is spoken, what is refused, and certificates that change under live connections."""

import json
import logging
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.certificates import Authority
from tests.world import Served, key_of, served

import fairlead.server.tls as tls_module
from fairlead.errors import BadInput
from fairlead.server import tls as subject
from fairlead.server.tls import RenewedContext, Tls, tls_context

BODY = json.dumps({"model": "small", "messages": [{"role": "user", "content": "hello"}]})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def files(authority: Authority) -> Tls:
    certificate, key = authority.issue("server", "127.0.0.1")
    return Tls(str(certificate), str(key))


@pytest.fixture
def s(tmp_path: Path, files: Tls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(subject, "_LOOK_EVERY", 0.0)
    with served(tmp_path / "world", tls=files) as made:
        yield made


def connected(s: Served, authority: Authority, client: tuple[Path, Path] | None = None) -> HTTPSConnection:
    context = ssl.create_default_context(cafile=str(authority.path))
    if client:
        context.load_cert_chain(*client)
    address = urlsplit(s.url)
    assert address.hostname
    connection = HTTPSConnection(address.hostname, address.port, timeout=60, context=context)
    try:
        connection.connect()
    except OSError:
        connection.close()
        raise
    return connection


def asked(connection: HTTPSConnection) -> int:
    headers = {"authorization": f"Bearer {key_of('kim')}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", BODY, headers)
    response = connection.getresponse()
    response.read()
    return response.status


def serial(connection: HTTPSConnection) -> str:
    assert isinstance(connection.sock, ssl.SSLSocket)
    return str(connection.sock.getpeercert()["serialNumber"])  # type: ignore[index]


def test_a_call_goes_over_tls_and_a_new_certificate_counts_while_open_connections_go_on(
    s: Served, authority: Authority
) -> None:
    old = connected(s, authority)
    assert asked(old) == 200
    authority.issue("server", "127.0.0.1")
    new = connected(s, authority)
    assert serial(new) != serial(old)
    assert asked(new) == asked(old) == 200
    old.close()
    new.close()


def test_a_renewal_that_is_half_done_or_broken_leaves_the_old_certificate_in_force(
    s: Served, authority: Authority, files: Tls, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "fairlead.tls"):
        before = connected(s, authority)
        Path(files.key).unlink()
        during = connected(s, authority)
        assert serial(during) == serial(before)
        assert asked(during) == 200
        authority.issue("server", "127.0.0.1")
        after = connected(s, authority)
        assert serial(after) != serial(before)
    assert "the old ones stay in force" in caplog.text
    for each in (before, during, after):
        each.close()


def test_what_is_older_than_tls_1_2_is_not_spoken(s: Served, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    address = urlsplit(s.url)
    with (
        socket.create_connection((address.hostname, address.port), 10) as plain,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        raise AssertionError("it was spoken")


def test_plain_http_to_a_tls_port_gets_no_answer(s: Served) -> None:
    address = urlsplit(s.url)
    with socket.create_connection((address.hostname, address.port), 10) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)


def test_with_client_ca_who_brings_no_certificate_of_it_is_sent_away(
    tmp_path: Path, authority: Authority, files: Tls
) -> None:
    strangers = Authority(tmp_path, "another authority")
    with served(tmp_path / "world", tls=Tls(files.certificate, files.key, str(authority.path))) as s:
        member = connected(s, authority, authority.issue("client"))
        assert asked(member) == 200
        member.close()
        for client in (None, strangers.issue("stranger")):
            # With TLS 1.3, that the handshake failed is seen with the first byte that is asked for.
            with pytest.raises(OSError), closing(connected(s, authority, client)) as stranger:
                asked(stranger)


@pytest.mark.parametrize("missing", ["certificate", "key", "client_ca"])
def test_files_that_cannot_be_used_are_told_by_their_setting(missing: str, tmp_path: Path, files: Tls) -> None:
    given = {"certificate": files.certificate, "key": files.key, "client_ca": files.certificate, missing: "/nowhere"}
    with pytest.raises(BadInput, match="server") as told:
        tls_context(Tls(**given))
    assert "not there" in told.value.why


def test_the_key_of_another_certificate_and_an_encrypted_key_are_refused_without_a_question(
    tmp_path: Path, authority: Authority, files: Tls
) -> None:
    _, other = authority.issue("other", "127.0.0.1")
    with pytest.raises(BadInput, match="certificate cannot be used"):
        tls_context(Tls(files.certificate, str(other)))
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(Path(files.key).read_bytes(), None)
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    other.write_bytes(sealed)
    with pytest.raises(BadInput, match="certificate cannot be used"):
        tls_context(Tls(files.certificate, str(other)))


def test_files_are_looked_at_no_more_than_once_a_second(authority: Authority, files: Tls) -> None:
    seconds = [100.0]
    context = RenewedContext(files, lambda: seconds[0])
    first = context._current
    authority.issue("server", "127.0.0.1")
    wrap = (ssl.MemoryBIO(), ssl.MemoryBIO())
    context.wrap_bio(*wrap, server_side=True)
    assert context._current is first
    seconds[0] += 1.0
    context.wrap_bio(*wrap, server_side=True)
    assert context._current is not first


def test_a_file_that_may_be_read_only_later_is_taken_up_then(authority: Authority, files: Tls) -> None:
    seconds = [100.0]
    context = RenewedContext(files, lambda: seconds[0])
    first = context._current

    def looked() -> ssl.SSLContext:
        seconds[0] += 1.0
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        return context._current

    real = tls_module.tls_context

    def unreadable(tls: Tls) -> ssl.SSLContext:
        raise BadInput("server.tls.key cannot be used", why="permission denied")

    authority.issue("server", "127.0.0.1")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tls_module, "tls_context", unreadable)
        assert looked() is first
    assert tls_module.tls_context is real
    Path(files.key).chmod(0o640)
    assert looked() is not first
