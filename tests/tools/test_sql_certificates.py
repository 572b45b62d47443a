"""PostgreSQL that knows people by certificates which are issued for them: whom it lets in, and for how long."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.certificates import Authority
from tests.execution.test_tool_call import call
from tests.postgres import Server
from tests.world import FixedClock, world

from fairlead.clock import SystemClock
from fairlead.errors import FairleadError
from fairlead.identity.certificates import Certificates
from fairlead.identity.types import Caller
from fairlead.tools.failures import NotAuthorised
from fairlead.tools.settings import CertificateSettings
from fairlead.tools.sql_address import address_of
from fairlead.tools.sql_postgresql_login import log_in
from fairlead.tools.sql_postgresql_values import adapted
from fairlead.workspace.publish import checked
from fairlead.workspace.text import WorkspaceText

GROUP = "desk_people"
# Kim's account has the person's own name, Lee's another, which the server's map says.
ACCOUNTS = ("kim", "desk_lee")
POLICIES = """
@id("staff") permit(principal, action in Action::"call_tool", resource in System::"desk");
@id("results") permit(principal, action == Action::"release_result", resource);
"""
FILES = {"policies/main.cedar": POLICIES}


class Desk:
    """A database where each account sees its own row."""

    def __init__(self, server: Server, authority: Authority, url: str) -> None:
        self.server = server
        self.authority = authority
        self.url = f"postgresql://127.0.0.1:{server.port}/{url.rpartition('/')[2]}"
        self.url += f"?sslmode=verify-full&sslrootcert={authority.path}"

    def system(self, **certificate: str) -> dict[str, Any]:
        return {
            "use": "sql", "url": self.url, "credential": {"certificate": {"ca": "env:CA", **certificate}},
            "queries": {"mine": {"sql": "SELECT owner, current_user AS who, pg_backend_pid() AS pid FROM notes"}},
        }  # fmt: skip


@pytest.fixture(scope="module")
def desk(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    authority = Authority(tmp_path_factory.mktemp("desk"), "desk authority")
    url = postgres.make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {GROUP}")
        connection.execute(f"CREATE ROLE {GROUP}_certified")
        connection.execute("CREATE TABLE notes (owner text)")
        for account in ACCOUNTS:
            connection.execute(f"CREATE ROLE {account} LOGIN IN ROLE {GROUP}, {GROUP}_certified")
            connection.execute("INSERT INTO notes VALUES (%s)", (account,))
        connection.execute(f"CREATE ROLE overseer LOGIN SUPERUSER IN ROLE {GROUP}_certified")
        connection.execute("ALTER TABLE notes ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY own ON notes USING (owner = current_user)")
        connection.execute(f"GRANT SELECT ON notes TO {GROUP}")
    certificate, key = authority.issue("desk", "127.0.0.1")
    names = ("kim kim", r"/^(.*)$ desk_\1", "overseer overseer")
    postgres.ask_for_proof(GROUP, tls=(certificate, key, authority.path), names=names)
    yield Desk(postgres, authority, url)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')
        for role in (*ACCOUNTS, "overseer", f"{GROUP}_certified", GROUP):
            connection.execute(f"DROP ROLE {role}")


def row(answer: Any) -> dict[str, Any]:
    (found,) = answer.result.structured["rows"]
    return dict(found)


async def test_each_person_logs_in_by_a_certificate_of_their_own(tmp_path: Path, desk: Desk) -> None:
    secrets = {"env:CA": desk.authority.bundle}
    async with world(tmp_path, FILES, secrets=secrets.get, systems={"desk": desk.system()}) as w:
        first, again = row(await call(w, "desk.mine", {})), row(await call(w, "desk.mine", {}))
        assert (first["owner"], first["who"]) == ("kim", "kim")
        assert again["pid"] == first["pid"]  # one session goes on
        with pytest.raises(NotAuthorised):  # the account has another name, and nobody can be it by asking
            await call(w, "desk.mine", {}, person="lee")
        assert [each.rights for each in w.records("call_tool")][:2] == ["certificate"] * 2
        assert "PRIVATE KEY" not in str(w.raw_records())


async def test_the_servers_map_says_whose_account_a_name_opens(tmp_path: Path, desk: Desk) -> None:
    secrets = {"env:CA": desk.authority.bundle}
    async with world(tmp_path, FILES, secrets=secrets.get, systems={"desk": desk.system(role="desk_{subject}")}) as w:
        assert row(await call(w, "desk.mine", {}, person="lee"))["who"] == "desk_lee"
        with pytest.raises(NotAuthorised):
            await call(w, "desk.mine", {})  # there is no desk_kim


async def test_a_session_ends_with_its_certificate_and_the_next_has_a_new_one(desk: Desk) -> None:
    from fairlead.tools.sql_logins import Logins

    clock = Later()
    issuing = Certificates(clock, {"env:CA": desk.authority.bundle}.__getitem__)
    settings, kim = CertificateSettings(ca="env:CA", valid="1m"), Caller(person="kim")
    address, adapters = address_of(desk.url, "url"), adapted()
    opened: list[Any] = []

    async def open_(credential: Any) -> Kept:
        opened.append(Kept(await log_in(address, credential, "desk", adapters)))
        return opened[-1]

    logins: Logins[Kept] = Logins(open_, clock, most=4, each=2)
    for pause in (0.0, 20.0, 40.0):
        clock.passed += pause
        async with logins.taken("kim", issuing.of(kim, "desk", settings)) as session:
            assert not session.connection.closed
    assert [each.connection.closed for each in opened] == [True, False]  # that of the first ended with it
    logins.close()


class Later(SystemClock):
    """The real time, and as much more as is said."""

    passed = 0.0

    def now(self) -> int:
        return super().now() + int(self.passed * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.passed


class Kept:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def is_fit(self) -> bool:
        return not self.connection.closed

    def close(self) -> None:
        self.connection.pgconn.finish()


@pytest.mark.parametrize("person", ["overseer", "Kim", "KIM", "kim ", "kim,CN=desk_lee", "nobody"])
async def test_no_other_name_opens_an_account(desk: Desk, person: str) -> None:
    """Neither one that is like another's nor that of an account which sees everything."""
    issuing = Certificates(SystemClock(), {"env:CA": desk.authority.bundle}.__getitem__)
    credential = issuing.of(Caller(person=person), "desk", CertificateSettings(ca="env:CA"))
    with pytest.raises(NotAuthorised) as refused:
        await log_in(address_of(desk.url, "url"), credential, "desk", adapted())
    assert "PRIVATE" not in f"{refused.value} {refused.value.why}"
    assert ("superuser" in refused.value.why) == (person == "overseer")


async def test_one_that_has_ended_or_comes_from_another_authority_opens_nothing(desk: Desk, tmp_path: Path) -> None:
    long_ago = FixedClock()
    long_ago.tick(-3 * 86_400)
    for clock, authority in ((long_ago, desk.authority), (SystemClock(), Authority(tmp_path, "another authority"))):
        issuing = Certificates(clock, {"env:CA": authority.bundle}.__getitem__)
        credential = issuing.of(Caller(person="kim"), "desk", CertificateSettings(ca="env:CA"))
        with pytest.raises(FairleadError):
            await log_in(address_of(desk.url, "url"), credential, "desk", adapted())


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ({"use": "python", "file": "a.py"}, "is for a PostgreSQL database"),
        ({"use": "sql", "url": "sqlite:a.db", "queries": {"a": {"sql": "SELECT 1"}}}, "is for a PostgreSQL database"),
        ({"login": {"secrets": "env:A"}}, "has another way beside"),
        ({"valid": "30h"}, "is long for a certificate"),
    ],
)
def test_a_check_refuses_what_could_not_be_meant(system: dict[str, Any], said: str) -> None:
    usual = {"use": "sql", "url": "postgresql://db.example.com/a", "queries": {"a": {"sql": "SELECT 1"}}}
    login = {"login": system.pop("login")} if "login" in system else {}
    certificate = {"ca": "env:CA", **({"valid": system.pop("valid")} if "valid" in system else {})}
    whole = {**(system or usual), "credential": {"certificate": certificate, **login}}
    settings = {"organisation": "acme", "models": {"quotes": {"use": "local/extractive"}}, "systems": {"desk": whole}}
    files = {"fairlead.yaml": json.dumps(settings).encode(), "systems/a.py": b"def a() -> str:\n    return ''\n"}
    with pytest.raises(FairleadError) as refused:
        checked(WorkspaceText(files, ()), lambda _: None, SystemClock())
    assert said in str(refused.value)
