"""Logins of a person's programs: what goes wrong at servers, providers, in files, and when many commands run at once.
A whole login at a real provider stands in tests/server/test_login.py."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Fairlead
from tests.identity.login_issuer import LoginIssuer
from tests.world import Served, served

from fairlead.cli.signing_in import fresh, logins, server_of
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, Unauthenticated

SERVER = "https://fairlead.test"


@pytest.fixture
async def issuer() -> AsyncIterator[LoginIssuer]:
    made = LoginIssuer(SystemClock())  # type: ignore[arg-type]
    runner = await made.serve()
    yield made
    await runner.cleanup()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "fairlead"


def save(folder: Path, issuer: LoginIssuer, **changes: Any) -> Path:
    """A login whose token is over."""
    issuer.refresh_tokens["first"] = ("ada", "desk")
    saved = {
        "provider": "acme", "issuer": issuer.url, "client_id": "desk", "scope": "openid", "subject": "ada",
        "access": "old", "refresh": "first", "expires": 1, **changes,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "logins.json"
    path.write_text(json.dumps({SERVER: saved}))
    path.chmod(0o600)
    return path


async def test_of_many_commands_at_once_one_refreshes(folder: Path, issuer: LoginIssuer) -> None:
    save(folder, issuer)
    found = await asyncio.gather(*(asyncio.to_thread(fresh, SERVER) for _ in range(4)))
    assert {each.access for each in found if each} == {"access-ada"}
    assert len(issuer.forms) == 1


async def test_a_login_that_has_ended_is_forgotten_and_one_that_nobody_can_refresh_now_is_kept(
    folder: Path, issuer: LoginIssuer, fairlead: Fairlead
) -> None:
    path = save(folder, issuer)
    issuer.down = True
    said = await asyncio.to_thread(fairlead, "token", "--url", SERVER)
    assert (said.status, said.out) == (1, "")
    assert "first" in path.read_text()
    issuer.down = False
    issuer.changes = {"sub": "eve"}
    with pytest.raises(Unauthenticated, match="has ended"):
        await asyncio.to_thread(fresh, SERVER)
    issuer.changes, issuer.barred = {}, {"ada"}
    issuer.refresh_tokens["first"] = ("ada", "desk")
    with pytest.raises(Unauthenticated, match="has ended"):
        await asyncio.to_thread(fresh, SERVER)
    assert json.loads(path.read_text()) == {}
    save(folder, issuer, refresh="")
    with pytest.raises(Unauthenticated, match="has ended"):
        await asyncio.to_thread(fresh, SERVER)


async def test_leaving_forgets_it_here_and_at_the_provider(
    folder: Path, issuer: LoginIssuer, fairlead: Fairlead
) -> None:
    path = save(folder, issuer)
    assert (await asyncio.to_thread(fairlead, "logout", "--url", SERVER, "--dry-run")).status == 0
    assert issuer.refresh_tokens
    assert "signed out" in (await asyncio.to_thread(fairlead, "logout", "--all")).err
    assert not issuer.refresh_tokens
    assert json.loads(path.read_text()) == {}


async def test_a_file_that_others_may_read_or_that_is_broken_is_not_used(folder: Path, issuer: LoginIssuer) -> None:
    path = save(folder, issuer)
    path.chmod(0o640)
    with pytest.raises(BadInput, match="others may read"):
        logins().of(SERVER)
    path.chmod(0o600)
    path.write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        logins().of(SERVER)


async def test_doctor_says_whether_people_can_sign_in(
    made: Path, tmp_path: Path, issuer: LoginIssuer, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = shutil.copytree(made, tmp_path / "acme")
    entry = workspace / "fairlead.yaml"
    login = {"client_id": "web", "client_secret": "env:WEB_SECRET"}
    provider = {"issuer": issuer.url, "name": "acme", "audience": "api", "login": login}
    whole = yaml.safe_load(entry.read_text())
    whole["identity"] = {"providers": [provider]}
    entry.write_text(json.dumps(whole))

    async def found(*more: str) -> tuple[str, str]:
        said = await asyncio.to_thread(fairlead, "doctor", "--json", "-w", workspace, *more)
        (one,) = (each for each in said.json if each["subject"] == "sign-in at acme")
        return one["state"], one["said"]

    assert await found() == ("bad", "there is nothing in env:WEB_SECRET")
    assert "WEB_SECRET is not set" in (await asyncio.to_thread(fairlead, "check", workspace)).err
    monkeypatch.setenv("WEB_SECRET", "s3cret")
    assert (await found("--online"))[0] == "ok"
    issuer.down = True
    state, said = await found("--online")
    assert (state, "503" in said) == ("bad", True)


def test_tokens_travel_to_no_server_in_plain_text(fairlead: Fairlead) -> None:
    assert server_of("HTTPS://Fairlead.Acme.example/v1/") == "https://fairlead.acme.example"
    assert server_of("http://[::1]:8700") == "http://[::1]:8700"
    for bad in ("http://fairlead.acme.example", "ftp://x", "fairlead", "https://h:99999", ""):
        with pytest.raises(BadInput):
            server_of(bad)
    assert fairlead("login", "--url", "http://fairlead.acme.example").status != 0
    assert "no login" in fairlead("token", "--url", SERVER).err


@pytest.fixture
def serving(tmp_path: Path, issuer: LoginIssuer) -> Iterator[Served]:
    cli = {"client_id": "desk", "scopes": ["openid"]}
    providers = [{"issuer": issuer.url, "name": "acme", "audience": "desk", "cli": cli}]
    providers.append({"issuer": "http://127.0.0.1:9", "name": "other", "audience": "desk", "cli": cli})
    with served(tmp_path, identity={"providers": providers}) as s:
        yield s


async def test_a_code_signs_in_a_machine_without_a_browser(
    serving: Served, issuer: LoginIssuer, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr("fairlead.identity.native._pause", at_once)
    url = ("--url", serving.url)
    several = await asyncio.to_thread(fairlead, "login", *url)
    assert "--provider NAME" in several.err
    assert (await asyncio.to_thread(fairlead, "login", *url, "--provider", "none")).status != 0
    issuer.pending = ["authorization_pending", "slow_down"]
    said = await asyncio.to_thread(fairlead, "login", *url, "--provider", "acme", "--device")
    assert (said.status, said.out) == (0, "")
    assert "WDJB-MJHT" in said.err
    assert (await asyncio.to_thread(fairlead, "token", *url)).out == "access-ada\n"
    issuer.pending = ["access_denied"]
    refused = await asyncio.to_thread(fairlead, "login", *url, "--provider", "acme", "--device")
    assert "access_denied" in refused.err
    down = await asyncio.to_thread(fairlead, "login", *url, "--provider", "other", "--device")
    assert "cannot be reached" in down.err
