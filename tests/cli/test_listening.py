"""Where `fairlead serve` listens: for other machines only with protection of the way."""

import re
import ssl
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.certificates import Authority
from tests.cli.conftest import Fairlead, program
from tests.cli.test_serve import RECEIPT, serving

from fairlead.cli.listening import listening, require_protection
from fairlead.errors import BadInput
from fairlead.workspace.settings import ServerSettings


def add(folder: Path, text: str) -> None:
    entry = folder / "fairlead.yaml"
    entry.write_text(entry.read_text() + "\n" + text + "\n")


def test_other_machines_are_not_served_over_plain_http(live: Path) -> None:
    said = program("serve", "--host", "0.0.0.0", "--port", "0", cwd=live)
    assert said.status == 2
    assert "not served on 0.0.0.0" in said.err
    assert "server: {tls:" in said.err


def test_a_throwaway_network_is_served_when_told_so_and_said_loudly(live: Path, fairlead: Fairlead) -> None:
    with serving(live, "--host", "0.0.0.0", "--plain-http") as server:
        assert fairlead("ask", RECEIPT, "--url", server.url).status == 0
    assert "WARNING: plain HTTP on 0.0.0.0" in "".join(server.said)


@pytest.mark.parametrize(
    ("host", "near"), [("127.0.0.1", True), ("localhost", True), ("127.9.8.7", True), ("0.0.0.0", False)]
)
def test_what_counts_is_the_address_that_was_bound(host: str, near: bool) -> None:
    with closing(listening(host, 0)) as sock:
        if near:
            require_protection(sock, ServerSettings())
        else:
            with pytest.raises(BadInput, match="could reach it"):
                require_protection(sock, ServerSettings())
            assert sock.fileno() == -1


def test_tls_is_served_from_files_of_the_workspace_and_asked_by_the_command_line(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fairlead: Fairlead
) -> None:
    (live / "tls").mkdir()
    authority = Authority(live / "tls")
    authority.issue("server", "127.0.0.1", days=3)
    add(live, "server: {host: 0.0.0.0, tls: {certificate: tls/server.crt, key: tls/server.key}}")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    found = {each["subject"]: each for each in fairlead("doctor", "--json").json}
    assert found["listening"]["state"] == "warn"
    assert "ends on" in found["listening"]["said"]
    assert "TLS key" not in found
    with serving(live) as server:
        assert server.url.startswith("https://")
        assert fairlead("ask", RECEIPT, "--url", server.url).status == 0
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(f"{server.url}/healthz", context=ssl.create_default_context(cadata=_other(tmp_path)))


def _other(folder: Path) -> str:
    return Authority(folder).path.read_text()


def test_files_that_are_missing_are_told_before_anything_listens(live: Path) -> None:
    add(live, "server: {tls: {certificate: tls/none.crt, key: tls/none.key}}")
    said = program("serve", "--port", "0", cwd=live)
    assert said.status == 2
    assert re.search(r"server\.tls\.certificate cannot be used: /.*tls/none\.crt", said.err)


@pytest.mark.parametrize(
    ("server", "state", "says"),
    [
        ("{host: 10.1.2.3}", "bad", "nothing protects the way"),
        ("{host: 10.1.2.3, proxy: {trusted: [10.1.2.4]}}", "ok", "for 10.1.2.4 and this machine only"),
        ("{host: 127.0.0.1}", "ok", "for this machine only"),
    ],
)
def test_the_doctor_says_what_protects_the_way(
    live: Path, fairlead: Fairlead, server: str, state: str, says: str
) -> None:
    add(live, f"server: {server}")
    found = {each["subject"]: each for each in fairlead("doctor", "--json").json}
    assert found["listening"]["state"] == state
    assert says in found["listening"]["said"]
    assert ("server.host is 10.1.2.3" in fairlead("check").err) == (state == "bad")


def test_an_expired_certificate_and_an_open_key_are_found(live: Path, fairlead: Fairlead) -> None:
    (live / "tls").mkdir()
    _, key = Authority(live / "tls").issue("server", "127.0.0.1", days=-1)
    key.chmod(0o644)
    add(live, "server: {tls: {certificate: tls/server.crt, key: tls/server.key}}")
    found = {each["subject"]: each for each in fairlead("doctor", "--json").json}
    assert found["listening"]["state"] == "bad"
    assert found["TLS key"]["state"] == "warn"


def test_a_proxy_that_is_no_address_is_told_with_its_line(live: Path, fairlead: Fairlead) -> None:
    add(live, "server: {proxy: {trusted: [10.1.2.3, nonsense]}}")
    said = fairlead("check")
    assert said.status == 1
    assert "server.proxy.trusted.1 is no address or network: nonsense" in said.out


def test_an_address_of_another_machine_says_so() -> None:
    with pytest.raises(BadInput, match="cannot listen"):
        listening("192.0.2.1", 0)
