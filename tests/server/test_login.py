"""People who sign in with a browser, at a real identity provider."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.canaille import CLIENT, SECRET, Canaille, canaille
from tests.world import Served, served


@pytest.fixture(scope="module")
def idp() -> Iterator[Canaille]:
    with canaille() as made:
        yield made


def identity(idp: Canaille, **browser: Any) -> dict[str, Any]:
    login = {"client_id": CLIENT, "client_secret": "env:LOGIN_SECRET", "scopes": ["openid", "profile", "groups"]}
    provider = {"issuer": idp.issuer, "name": "acme", "audience": "fairlead-api", "login": login}
    return {"providers": [provider], "browser": browser}


def sign_in(browser: httpx.Client, s: Served, path: str = "/me") -> httpx.Response:
    return browser.get(f"{s.url}{path}", follow_redirects=True)


def test_a_person_signs_in_is_known_with_their_groups_and_signs_out(
    tmp_path: Path, idp: Canaille, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, identity=identity(idp)) as s, httpx.Client() as browser:
        idp.client(f"{s.url}/login/callback")
        idp.signs_in("ada", "finance")
        first = browser.get(f"{s.url}/me")
        assert (first.status_code, first.headers["location"]) == (303, "/login?next=/me")
        page = sign_in(browser, s)
        print(page.text[:400])
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
