"""People who connect a system with an account of their own, in a browser; and what others try with their links."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from aiohttp import web
from tests.execution.test_granted_calls import FILES, systems
from tests.execution.test_stopping import throw
from tests.identity.authorization_server import AuthorizationServer
from tests.identity.login_issuer import LoginIssuer
from tests.server.test_login import csrf
from tests.world import SECRETS, Served, served

from fairlead.clock import SystemClock


class Outside:
    """Who people sign in with, and the system's own authorization server: in a loop of their own."""

    def __init__(self) -> None:
        clock: Any = SystemClock()
        self.login, self.shop = LoginIssuer(clock), AuthorizationServer(clock)
        self.shop.secret = SECRETS["env:TEST_KEY"]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.runners: list[web.AppRunner] = [
            asyncio.run_coroutine_threadsafe(each.serve(), self.loop).result(60) for each in (self.login, self.shop)
        ]

    def close(self) -> None:
        for each in self.runners:
            asyncio.run_coroutine_threadsafe(each.cleanup(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()

    def identity(self) -> dict[str, Any]:
        login = {"client_id": "web", "client_secret": "env:LOGIN_SECRET", "scopes": ["openid"]}
        return {"providers": [{"issuer": self.login.url, "name": "acme", "audience": "api", "login": login}]}

    def systems(self) -> dict[str, Any]:
        made = systems(self.shop)
        made["shop"]["credential"]["grant"] |= {
            "scopes": {"orders": "read your orders", "offline": ""},
            "resource": "https://shop.acme.example",
            "extra": {"access_type": "offline"},
        }
        return made


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.close()


@pytest.fixture(scope="module")
def s(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("connections")
    with served(folder, FILES, systems=outside.systems(), identity=outside.identity()) as made:
        yield made


@contextmanager
def signed_in(s: Served, outside: Outside, person: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=s.url) as browser:
        outside.login.person = person
        sent = browser.get("/login").headers["location"]
        answer = {name: values[0] for name, values in outside.login.answers(sent).items()}
        assert browser.get(f"/login/callback?{urlencode(answer)}").status_code == 303
        yield browser


def test_an_answer_that_fits_no_attempt_takes_none_away(s: Served, outside: Outside) -> None:
    with httpx.Client(base_url=s.url) as browser:  # two tabs, and a link of somebody else
        outside.login.person = "ada"
        first, second = (outside.login.answers(browser.get("/login").headers["location"]) for _ in range(2))
        for answer in (first, {"code": ["theirs"], "state": ["theirs"]}):
            assert browser.get("/login/callback", params=answer).status_code == 401
        assert browser.get("/login/callback", params=second).status_code == 303
        assert "acme|ada" in browser.get("/me").text
        assert browser.get("/login/callback", params=second).status_code == 401


def begun(browser: httpx.Client, **form: str) -> str:
    """Where the button leads."""
    page = browser.get("/connect/shop")
    sent = browser.post("/connect/shop", data={"csrf": csrf(page), "who": "named", "do": "connect"} | form)
    assert sent.status_code == 200
    return sent.headers["refresh"].partition("url=")[2]


def consented(address: str) -> str:
    """Where the provider sends the browser back to."""
    back = urlsplit(httpx.get(address).headers["location"])
    return f"{back.path}?{back.query}"


def test_a_person_connects_looks_changes_and_disconnects(s: Served, outside: Outside) -> None:
    assert httpx.get(f"{s.url}/connect/shop").headers["location"] == "/login?next=/connect/shop"
    for form in ("/connect/shop", "/connections/grt_1"):  # browsers follow a form to no other server
        unsigned = httpx.post(f"{s.url}{form}")
        assert (unsigned.status_code, "/login?next=" in unsigned.text) == (401, True)
    with signed_in(s, outside, "ada") as browser:
        page = browser.get("/connect/shop?agent=<script>")
        for shown in ("acme|ada", "read your orders", "Fairlead of acme", urlsplit(outside.shop.url).netloc):
            assert shown in page.text
        assert 'name="agent.&lt;script&gt;"> &lt;script&gt;' in page.text  # told by a link, and not ticked
        assert browser.post("/connect/shop", data={"do": "connect"}).status_code == 403
        assert browser.get("/connect/unknown").status_code == 404
        assert browser.get("/connect/shop?" + "&".join(["agent=a"] * 200)).status_code == 200
        asked = parse_qs(urlsplit(begun(browser)).query)
        assert asked["scope"] == ["orders offline"]
        assert asked["code_challenge_method"] == ["S256"]
        assert (asked["resource"], asked["access_type"]) == (["https://shop.acme.example"], ["offline"])
        assert asked["redirect_uri"] == [f"{s.url}/connect/callback"]
        back = consented(begun(browser, **{"agent.helper": "on"}))
        assert browser.get(back).headers["location"] == "/connections"
        (grant,) = s.running.grants.grants.of("acme|ada", "")
        assert (grant.state, grant.agents, grant.scopes) == ("active", ("", "helper"), ("offline", "orders"))
        assert outside.shop.asked[-1]["resource"] == "https://shop.acme.example"
        again = browser.get(back)
        assert (again.status_code, "good once" in again.text) == (403, True)
        listed = browser.get("/connections")
        assert "you yourself, helper" in listed.text
        page = browser.get("/connect/shop")
        assert 'name="agent.helper" checked' in page.text
        changed = browser.post("/connect/shop", data={"csrf": csrf(page), "who": "all", "do": "agents"})
        assert changed.headers["location"] == "/connections"
        (grant,) = s.running.grants.grants.of("acme|ada", "")
        assert grant.agents == ("*",)
        assert browser.post(f"/connections/{grant.id}", data={"csrf": "guessed"}).status_code == 403
        with signed_in(s, outside, "bob") as other:
            theirs = csrf(other.get("/connect/shop"))
            assert other.post(f"/connections/{grant.id}", data={"csrf": theirs}).status_code == 404
        done = browser.post(f"/connections/{grant.id}", data={"csrf": csrf(listed)})
        assert "Nobody uses it in your name any more" in done.text
        assert "not told" not in done.text
        assert all(book["over"] for book in outside.shop.grants.values())
        assert "the person has disconnected it" in browser.get("/connections").text
    kinds = [each.kind for each in s.records() if each.kind.startswith("grant_")]
    assert kinds == ["grant_made", "grant_changed", "grant_revoked"]
    assert {each.credential for each in s.records("grant_made")} == {f"browser:{outside.login.url}"}
    whole = b"".join(s.raw_records())
    assert not any(each.encode() in whole for each in outside.shop.made)


def test_nothing_is_attached_to_anybody_but_who_began(s: Served, outside: Outside) -> None:
    def connected(person: str) -> int:
        return len([each for each in s.running.grants.grants.of(f"acme|{person}", "") if each.state == "active"])

    with signed_in(s, outside, "eve") as eve, signed_in(s, outside, "kim") as kim:
        back = consented(begun(eve))
        lured = kim.get(back)
        assert (lured.status_code, "in the browser that began it" in lured.text) == (403, True)
        assert httpx.get(f"{s.url}{back}").headers["location"] == "/login?next=/connections"
        with signed_in(s, outside, "eve") as elsewhere:  # her own, in another browser
            assert elsewhere.get(back).status_code == 403
        assert not connected("kim") + connected("eve")
        assert eve.get(back).status_code == 303
        assert (connected("kim"), connected("eve")) == (0, 1)

        def answered(**change: str) -> httpx.Response:
            path, _, query = consented(begun(kim)).partition("?")
            answer = {name: values[0] for name, values in parse_qs(query).items()} | change
            return kim.get(f"{path}?{urlencode(answer)}")

        assert "another server" in answered(iss="https://evil.example").text
        denied = answered(error="access_denied", error_description="<b>no</b>")
        assert "access_denied &lt;b&gt;no&lt;/b&gt;" in denied.text
        assert "invalid_grant" in answered(code="guessed").text
        outside.shop.tells_issuer = False
        assert answered(iss="https://evil.example").status_code == 403
        outside.shop.tells_issuer = True
        outside.shop.says = "garbage"
        assert answered().status_code == 502
        outside.shop.says = ""
        assert kim.get("/connect/callback?" + "a=1&" * 500).status_code == 403
        assert not connected("kim")
        for _ in range(25):  # the latest of them count
            back = consented(begun(kim))
        assert kim.get(back).status_code == 303
        assert s.count("consent") <= 20
        throw(s.store, SystemClock(), "person", "acme|kim")
        assert kim.get("/connect/shop").status_code == 403
