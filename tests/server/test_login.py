"""People who sign in with a browser, at a real identity provider."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.canaille import CLIENT, Canaille, canaille
from tests.execution.test_tool_call import FILES, SYSTEMS
from tests.server.test_approvals import asked
from tests.world import SECRETS, Served, served, wait_until

from fairlead.cli.main import run
from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.sign_in import local_path
from fairlead.identity.types import Caller
from fairlead.net.http import Http
from fairlead.policy.stops import Stop, compile_stops


@pytest.fixture(scope="module")
def idp() -> Iterator[Canaille]:
    with canaille() as made:
        yield made


CLI = {"client_id": CLIENT, "scopes": ["openid", "profile", "groups"]}


def identity(idp: Canaille, **browser: Any) -> dict[str, Any]:
    login = {"client_id": CLIENT, "client_secret": "env:LOGIN_SECRET", "scopes": ["openid", "profile", "groups"]}
    provider = {"issuer": idp.issuer, "name": "acme", "audience": "fairlead-api", "login": login}
    return {"providers": [provider], "browser": browser}


def sign_in(browser: httpx.Client, s: Served, path: str = "/me") -> httpx.Response:
    return browser.get(f"{s.url}{path}", follow_redirects=True)


def test_a_person_signs_in_is_known_with_their_groups_and_signs_out(tmp_path: Path, idp: Canaille) -> None:
    with served(tmp_path, identity=identity(idp)) as s, httpx.Client() as browser:
        idp.client(f"{s.url}/login/callback")
        idp.signs_in("ada", "finance")
        plain = browser.get(f"{s.url}/me", headers={"host": "fairlead.acme.example"})
        assert (plain.status_code, "identity.browser.url" in plain.text) == (400, True)
        first = browser.get(f"{s.url}/me")
        assert (first.status_code, first.headers["location"]) == (303, "/login?next=/me")
        page = sign_in(browser, s)
        assert (page.status_code, page.url.path) == (200, "/me")
        assert page.history[-1].url.path == "/login/callback"
        assert "acme|" in page.text
        assert "finance" in page.text
        (cookie,) = browser.cookies.jar
        assert (cookie.name, cookie.has_nonstandard_attr("HttpOnly")) == ("fairlead-session", True)
        # The cookie is for pages alone.
        assert browser.get(f"{s.url}/v1/approvals").status_code == 401
        assert browser.post(f"{s.url}/logout", data={"csrf": "guessed"}).status_code == 403
        out = browser.post(f"{s.url}/logout", data={"csrf": csrf(page)})
        assert out.status_code == 200
        assert not list(browser.cookies.jar)
        browser.cookies.set(cookie.name, cookie.value or "", domain="127.0.0.1")
        assert browser.get(f"{s.url}/me").headers["location"] == "/login?next=/me"
        kinds = [record.kind for record in s.records() if record.kind.startswith("signed_")]
        assert kinds == ["signed_in", "signed_out"]


def csrf(page: httpx.Response) -> str:
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


def stop(s: Served, person: str) -> None:
    """As `fairlead stop person` does it, without another process."""
    deployment = s.running.fairlead.deployment
    now = s.running.fairlead.clock.now()
    found = Stop(id="stop_1", kind="person", name=person, reason="a lost laptop", by="test", at=now)
    s.running.fairlead.deployment = replace(deployment, stops=compile_stops([found]))


def test_who_is_signed_in_answers_what_waits_for_them_and_is_signed_out_by_a_stop(
    tmp_path: Path, idp: Canaille
) -> None:
    roles = {"approvals": {"roles": {"finance-lead": {"groups": ["finance"]}}}}
    with served(tmp_path, FILES, systems=SYSTEMS, identity=identity(idp), **roles) as s, httpx.Client() as browser:
        idp.client(f"{s.url}/login/callback")
        idp.signs_in("lea", "finance")
        id_ = asked(s, payee="<b>B2</b>")
        one = f"{s.url}/approvals/{id_}"
        assert browser.get(f"{s.url}/approve/{id_}").headers["location"] == f"/approvals/{id_}"
        listed = sign_in(browser, s, "/approvals")
        assert id_ in listed.text
        page = browser.get(one)
        assert "&lt;b&gt;B2&lt;/b&gt;" in page.text
        said = {"decision": "approve", "reason": "known to us"}
        foreign = {"sec-fetch-site": "cross-site"}
        assert browser.post(one, data=said).status_code == 403
        assert browser.post(one, data=said | {"csrf": csrf(page)}, headers=foreign).status_code == 403
        assert s.running.fairlead.approvals.one(id_).state == "pending"
        done = browser.post(one, data=said | {"csrf": csrf(page)})
        assert (done.status_code, "Approved" in done.text) == (200, True)
        found = s.running.fairlead.approvals.one(id_)
        assert (found.state, found.answers[0].by.startswith("acme|")) == ("granted", True)
        assert s.records("approval_granted")[0].credential == f"browser:{idp.issuer}"
        assert "Nothing waits for you" in browser.get(f"{s.url}/approvals").text
        assert browser.get(f"{s.url}/approvals/apr_unknown").status_code == 404
        stop(s, found.answers[0].by)
        assert "a lost laptop" in browser.get(f"{s.url}/me").text
        assert browser.get(f"{s.url}/me").headers["location"] == "/login?next=/me"
        late = browser.post(one, data=said | {"csrf": csrf(page)})
        assert (late.status_code, f"/login?next=/approvals/{id_}" in late.text) == (401, True)
        # This provider's token of the same second is the same text, and revoked with the session.
        idp.forget_tokens()
        again = sign_in(browser, s)
        assert (again.status_code, again.url.path) == (403, "/login/callback")


def test_a_system_is_connected_at_a_real_authorization_server(tmp_path: Path, idp: Canaille) -> None:
    grant = {
        "issuer": idp.issuer, "client": CLIENT, "secret": "env:LOGIN_SECRET", "scopes": {"openid": "", "profile": ""},
    }  # fmt: skip
    systems = {"bank": {**SYSTEMS["bank"], "credential": {"grant": grant}}}
    with served(tmp_path, FILES, systems=systems, identity=identity(idp)) as s, httpx.Client() as browser:
        idp.client(f"{s.url}/login/callback", f"{s.url}/connect/callback")
        idp.signs_in("ada")
        page = sign_in(browser, s, "/connect/bank")
        sent = browser.post(page.url, data={"csrf": csrf(page), "who": "all", "do": "connect"})
        where = sent.headers["refresh"].partition("url=")[2]
        done = browser.get(where, follow_redirects=True)
        assert done.url.path == "/connections", f"{done.url} {done.text}"
        (found,) = s.running.grants.grants.all()
        assert (found.state, found.renews, found.system) == ("active", True, "bank")
        assert token(s, found.person)
        row = s.running.grants.grants.row_of(found.person, "", "bank")
        assert row is not None
        assert (row.version, row.lease, row.unsure) == (3, "", False)  # ours, and what was renewed
        idp.forget_tokens()
        with pytest.raises(NoCredential) as ended:
            token(s, found.person)
        assert "the provider has ended it" in ended.value.why


def token(s: Served, person: str) -> str:
    """What another worker renews once the last is over."""
    grants, clock = s.running.grants.grants, SystemClock()
    row = grants.row_of(person, "", "bank")
    assert row is not None
    over = msgspec.structs.replace(grants.opened(row), got_at=0, expires_at=1)
    assert grants.keep(row, grants.claim(row), over, person)
    bank = s.running.fairlead.deployment.systems.systems["bank"]

    async def renewed() -> str:
        async with Http(clock) as http:
            tokens = GrantTokens(grants, GrantServer(http, clock, SECRETS.get), clock)
            held = await tokens.of(Caller(person=person), bank, clock.monotonic() + 20)
            await tokens.close()
            assert held is not None
            return held.secret

    return asyncio.run(renewed())


def test_attempts_that_go_wrong_end_on_a_page_that_says_what_to_do(tmp_path: Path, idp: Canaille) -> None:
    two = identity(idp, url="https://fairlead.acme.example")
    two["providers"].append({**two["providers"][0], "issuer": "http://127.0.0.1:9", "name": "down"})
    with served(tmp_path, identity=two) as s, httpx.Client(base_url=s.url) as browser:
        choice = browser.get("/login?next=/approvals")
        assert "/login?next=/approvals&amp;provider=down" in choice.text
        sent = browser.get("/login?next=/approvals&provider=acme")
        cookie = sent.headers["set-cookie"]
        assert cookie.startswith("__Host-fairlead-login=")
        for part in ("; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"):
            assert part in cookie
        assert "redirect_uri=https%3A%2F%2Ffairlead.acme.example%2Flogin%2Fcallback" in sent.headers["location"]
        away = browser.get("/login?provider=down")
        assert (away.status_code, "try again shortly" in away.text) == (503, True)
        assert browser.get("/login?provider=unknown").status_code == 404
        assert browser.get("/login?next=//evil.example").status_code == 400
        lost = browser.get("/login/callback?code=x&state=y")
        assert (lost.status_code, 'href="/login"' in lost.text) == (401, True)
        assert browser.get("/login/callback?" + "a=1&" * 500).status_code == 401
        assert browser.post("/logout").status_code == 403


def test_a_program_signs_in_by_the_browser_and_acts_as_its_person(
    tmp_path: Path, idp: Canaille, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = {"issuer": idp.issuer, "name": "acme", "audience": CLIENT, "cli": CLI}
    opened: list[Thread] = []

    def browse(address: str) -> bool:
        def look() -> None:
            redirect = parse_qs(urlsplit(address).query)["redirect_uri"][0]
            idp.client(redirect, secret="")
            idp.signs_in("ada", "finance")
            httpx.get(redirect, params={"code": "forged", "state": "guessed"})
            assert "You are signed in" in httpx.get(address, follow_redirects=True).text

        opened.append(Thread(target=look))
        opened[0].start()
        return True

    def fairlead(*words: str) -> tuple[int, str, str]:
        status = run([*words, "--url", s.url])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    monkeypatch.setattr("webbrowser.open", browse)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("FAIRLEAD_API_KEY", "FAIRLEAD_URL"):
        monkeypatch.delenv(name, raising=False)
    with served(tmp_path, identity={"providers": [provider]}) as s:
        assert httpx.get(f"{s.url}/login").status_code == 404  # nobody signs in with a browser here
        assert fairlead("login", "--dry-run")[0] == 0
        assert not opened
        status, out, err = fairlead("login", "--json")
        opened[0].join()
        assert status == 0, err
        kept = tmp_path / "config" / "fairlead" / "logins.json"
        (saved,) = json.loads(kept.read_bytes()).values()
        assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert saved["access"] not in out + err
        status, out, err = fairlead("whoami", "--json")
        assert status == 0, err
        me = json.loads(out)
        assert (me["person"].partition("|")[0], me["groups"]) == ("acme", ["finance"])
        assert fairlead("token")[1].strip() == saved["access"]
        assert fairlead("ask", "hello", "--model", "small")[0] == 0
        # What has ended is had anew, and the provider's refresh token with it.
        kept.write_text(json.dumps({s.url: saved | {"expires": 1}}))
        anew = fairlead("token")[1].strip()
        assert anew not in ("", saved["access"])
        idp.forget_tokens()
        kept.write_text(json.dumps({s.url: saved | {"expires": 1}}))
        status, out, err = fairlead("token")
        assert (status, out) == (1, "")
        assert "fairlead login" in err
        assert kept.read_text().strip() == "{}"
        assert "there was no login" in fairlead("logout")[2]


@given(st.text() | st.text("/\\.:@%?#a\t\n \x00", max_size=12))
def test_signing_in_leads_nowhere_but_to_this_server(path: str) -> None:
    try:
        found = local_path(path)
    except BadInput:
        return
    # What browsers do to an address before they look where it leads.
    plain = "".join(each for each in found if each not in "\t\r\n").strip().replace("\\", "/")
    assert plain == found
    assert plain.startswith("/")
    assert urlsplit(plain).netloc == ""


def test_an_opaque_token_opens_until_the_provider_has_forgotten_it(tmp_path: Path, idp: Canaille) -> None:
    asking = {"client_id": CLIENT, "client_secret": "env:LOGIN_SECRET", "opaque": True, "every": 1}
    provider = {"issuer": idp.issuer, "name": "acme", "audience": CLIENT, "introspection": asking}
    with served(tmp_path, identity={"providers": [provider]}) as s:
        idp.client("http://127.0.0.1:1/callback")
        idp.signs_in("ada", "finance")
        headers = {"authorization": f"Bearer {idp.opaque_token()}"}
        assert httpx.get(f"{s.url}/v1/models", headers=headers).status_code == 200
        idp.forget_tokens()
        wait_until(lambda: httpx.get(f"{s.url}/v1/models", headers=headers).status_code == 401)
