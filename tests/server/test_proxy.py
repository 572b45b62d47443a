"""Who is believed in what they say of a client."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import Served, served

from fairlead.errors import BadInput
from fairlead.server.http import Scope, is_loopback
from fairlead.server.proxy import Proxies, Unencrypted
from fairlead.workspace.listening import networks

PROXIES = Proxies(networks(["10.0.0.0/24", "fd00::5"]))
CHAT = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}


def scope(peer: str, *headers: tuple[str, str]) -> Scope:
    return {
        "client": (peer, 4711),
        "headers": [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers)],
    }


def client_of(peer: str, *headers: tuple[str, str]) -> str | None:
    made = scope(peer, *headers)
    PROXIES.told(made)
    return made["client"] and made["client"][0]


def test_the_client_is_the_nearest_address_that_is_no_proxy() -> None:
    assert client_of("10.0.0.1", ("x-forwarded-for", "203.0.113.9")) == "203.0.113.9"
    assert client_of("10.0.0.1", ("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.2")) == "203.0.113.9"
    assert client_of("fd00::5", ("x-forwarded-for", "203.0.113.9:1234")) == "203.0.113.9"
    assert client_of("::ffff:10.0.0.1", ("x-forwarded-for", "[2001:db8::1]:443")) == "2001:db8::1"


def test_several_headers_are_one_list() -> None:
    assert client_of("10.0.0.1", ("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9")) == "203.0.113.9"


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_what_anybody_else_says_counts_for_nothing(said: str) -> None:
    assert client_of("203.0.113.7", ("x-forwarded-for", said), ("x-forwarded-proto", "http")) == "203.0.113.7"


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_nothing_that_stands_before_the_nearest_stranger_moves_it(said: str) -> None:
    assert client_of("10.0.0.1", ("x-forwarded-for", f"{said},203.0.113.9")) == "203.0.113.9"


@pytest.mark.parametrize("said", [(), ("10.0.0.2",), ("unknown",), ("127.0.0.1, rubbish",)])
def test_who_a_proxy_does_not_name_is_nobody(said: tuple[str, ...]) -> None:
    assert client_of("10.0.0.1", *(("x-forwarded-for", each) for each in said)) is None


@pytest.mark.parametrize("said", [(), ("127.0.0.1",)])
def test_a_proxy_on_this_machine_never_makes_a_caller_of_this_machine(said: tuple[str, ...]) -> None:
    near = Proxies((ip_network("127.0.0.1"),))
    asked = scope("127.0.0.1", *(("x-forwarded-for", each) for each in said))
    assert said or is_loopback(asked)
    near.told(asked)
    assert not is_loopback(asked)


def test_what_came_to_the_proxy_unencrypted_is_refused_unless_that_is_declared() -> None:
    plain = scope("10.0.0.1", ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https, HTTP"))
    with pytest.raises(Unencrypted):
        PROXIES.told(plain)
    Proxies(PROXIES.networks, plain_http=True).told(plain)


def test_without_tls_only_proxies_and_this_machine_connect() -> None:
    near = [address for address in ("127.0.0.1", "::1", "10.0.0.9", "fd00::5") if PROXIES.may_connect(address)]
    assert len(near) == 4
    assert not any(PROXIES.may_connect(address) for address in ("10.0.1.1", "203.0.113.9", "fd00::6", "testclient"))


@pytest.mark.parametrize(
    ("text", "says"),
    [("10.0.0.1/24", "no address"), ("proxy.example", "no address"), ("0.0.0.0/0", "every"), ("::/0", "every")],
)
def test_a_network_that_is_none_or_everybody_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        networks(["10.1.2.3", text])


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("proxied"), proxy=Proxies(networks(["127.0.0.1"]))) as made:
        yield made


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_request_that_was_not_encrypted_gets_the_error_of_its_door(s: Served, path: str) -> None:
    headers = s.auth() | {"x-forwarded-proto": "http", "x-forwarded-for": "203.0.113.9"}
    refused = httpx.post(s.url + path, headers=headers, json=CHAT)
    assert refused.status_code == 403
    assert "plain HTTP" in refused.json()["error"]["message"]
    assert "unencrypted" in {each.error.code for each in s.records("refusal") if each.error}
    assert httpx.post(
        s.url + "/v1/chat/completions", headers=s.auth() | {"x-forwarded-proto": "https"}, json=CHAT
    ).is_success


def test_who_is_neither_a_proxy_nor_near_is_told_so_before_a_word_is_read(tmp_path: Path) -> None:
    class Nobody(Proxies, frozen=True):
        def may_connect(self, address: str) -> bool:
            return False

    with served(tmp_path, proxy=Nobody(networks(["192.0.2.1"]))) as s:
        refused = httpx.get(s.url + "/healthz")
    assert refused.status_code == 403
    assert "declared proxies only" in refused.json()["error"]["message"]
