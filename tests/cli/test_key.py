"""Keys at the command line."""

import asyncio
import os
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead

from fairlead.cli.opening import open_store
from fairlead.cli.place import MASTER_KEY, NEW_MASTER_KEY, find
from fairlead.clock import SystemClock
from fairlead.errors import Unauthenticated
from fairlead.execution import Answer
from fairlead.identity import Authenticator, Caller, Identity
from fairlead.identity.keys import is_well_formed
from fairlead.storage.fleet import Fleet, Lease
from fairlead.workspace.published import load_keys


def caller_with(folder: Path, secret: str) -> Caller:
    """Who a worker that starts now takes the bearer of this key for."""
    clock = SystemClock()
    with closing(open_store(find(folder))) as store:
        stored = load_keys(store)
    authenticator = Authenticator(Identity(), stored=stored, rings=None, clock=clock)  # type: ignore[arg-type]
    return asyncio.run(authenticator.authenticate(f"Bearer {secret}", loopback=False))


def epoch(folder: Path) -> int:
    with closing(open_store(find(folder))) as store:
        return Fleet(store, SystemClock()).current().number


def test_a_key_is_shown_once_and_opens(acme: Path, fairlead: Fairlead) -> None:
    said = fairlead(
        "key", "add", "app", "--person", "kim", "--agent", "bot", "--department", "sales", "-g", "a", "-g", "b"
    )
    assert said.status == 0
    assert is_well_formed(said.out.strip())
    caller = caller_with(acme, said.out.strip())
    assert (caller.person, caller.agent, caller.department, caller.groups) == ("kim", "bot", "sales", {"a", "b"})
    assert caller.credential == "key:app"


def test_a_new_key_and_a_revocation_are_announced_to_the_workers(acme: Path, fairlead: Fairlead) -> None:
    before = epoch(acme)
    fairlead("key", "add", "app", "--person", "kim")
    assert epoch(acme) == before + 1
    fairlead("key", "revoke", "app")
    assert epoch(acme) == before + 2


def test_a_revoked_key_opens_nothing(acme: Path, fairlead: Fairlead) -> None:
    secret = fairlead("key", "add", "app", "--person", "kim").out.strip()
    assert fairlead("key", "revoke", "app").status == 0
    with pytest.raises(Unauthenticated, match="'app' was revoked"):
        caller_with(acme, secret)
    states = {each["name"]: each["revoked_at"] for each in fairlead("key", "list", "--json").json}
    assert states["app"] > 0
    assert states["admin"] == 0


def test_keys_end_when_they_are_told_to(acme: Path, fairlead: Fairlead) -> None:
    fairlead("key", "add", "app", "--person", "kim", "--expires", "90d")
    key = next(each for each in fairlead("key", "list", "--json").json if each["name"] == "app")
    assert key["expires_at"] - key["created_at"] == 90 * 86_400_000


def test_a_dry_run_makes_and_revokes_nothing(acme: Path, fairlead: Fairlead) -> None:
    assert fairlead("key", "add", "app", "--person", "kim", "--dry-run").out == ""
    assert fairlead("key", "revoke", "admin", "--dry-run").status == 0
    (admin,) = fairlead("key", "list", "--json").json
    assert admin["revoked_at"] == 0


def test_no_listing_tells_a_digest(acme: Path, fairlead: Fairlead) -> None:
    assert "digest" not in fairlead("key", "list", "--json").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "App", "--person", "kim"), "is no name for a key"),
        (("add", "admin", "--person", "kim"), "there is a key named 'admin' already"),
        (("add", "app"), "Missing option '--person'"),
        (("add", "app", "--person", "kim", "--expires", "soon"), "--expires is 'soon'"),
        (("revoke", "nobody"), "there is no key named 'nobody'"),
        (("revoke", "nobody", "--dry-run"), "there is no key named 'nobody'"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    arguments: tuple[str, ...], said: str, acme: Path, fairlead: Fairlead
) -> None:
    before = epoch(acme)
    answer = fairlead("key", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert epoch(acme) == before


def test_the_master_key_is_changed_and_everything_stays_readable(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    folder, answer = asked
    key_file = folder / ".fairlead" / "master.key"
    before = key_file.read_bytes()
    assert "would wrap every key" in fairlead("key", "rotate-master", "--dry-run").err
    assert fairlead("key", "rotate-master").status == 2  # nobody can be asked here
    assert key_file.read_bytes() == before
    said = fairlead("key", "rotate-master", "--yes")
    assert said.status == 0, said.err
    assert "holds the new master key: back it up now" in said.err
    assert key_file.read_bytes() != before
    assert HOTEL in fairlead("trace", answer.run, "--payload").out
    assert fairlead("audit", "verify").status == 0
    (old,) = key_file.parent.glob("master.key.until-*")
    assert old.read_bytes() == before


def test_a_master_key_of_the_environment_is_changed_for_the_one_that_is_given(
    asked: tuple[Path, Answer], fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, answer = asked
    key_file = folder / ".fairlead" / "master.key"
    monkeypatch.setenv(MASTER_KEY, key_file.read_text().strip())
    key_file.unlink()
    assert "is not a master key" in fairlead("key", "rotate-master", "--yes").err
    monkeypatch.setenv(NEW_MASTER_KEY, os.environ[MASTER_KEY])
    assert "is the old one" in fairlead("key", "rotate-master", "--yes").err
    new = bytes(range(100, 132)).hex()
    monkeypatch.setenv(NEW_MASTER_KEY, new)
    for _ in range(2):  # as after an interruption
        assert "keys are wrapped anew" in fairlead("key", "rotate-master", "--yes").err
    assert fairlead("trace", answer.run, "--payload").status == 2
    monkeypatch.setenv(MASTER_KEY, new)
    assert HOTEL in fairlead("trace", answer.run, "--payload").out


def test_a_master_key_of_the_environment_is_not_changed_under_live_workers(
    live: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MASTER_KEY, (live / ".fairlead" / "master.key").read_text().strip())
    monkeypatch.setenv(NEW_MASTER_KEY, bytes(range(100, 132)).hex())
    clock = SystemClock()
    with closing(open_store(find(live))) as store:
        fleet = Fleet(store, clock)
        fleet.renew(Lease(clock), "worker_1", host="here", pid=1, seen=fleet.current().number)
    said = fairlead("key", "rotate-master", "--yes")
    assert said.status == 2
    assert "stop them" in said.err


def test_a_key_file_is_not_changed_while_workers_on_other_machines_hold_the_old_one(
    live: Path, fairlead: Fairlead
) -> None:
    clock = SystemClock()
    before = (live / ".fairlead" / "master.key").read_bytes()
    with closing(open_store(find(live))) as store:
        fleet = Fleet(store, clock)
        fleet.renew(Lease(clock), "worker_1", host="elsewhere", pid=1, seen=fleet.current().number)
    said = fairlead("key", "rotate-master", "--yes")
    assert said.status == 2
    assert "on other machines too: elsewhere" in said.err
    assert (live / ".fairlead" / "master.key").read_bytes() == before
