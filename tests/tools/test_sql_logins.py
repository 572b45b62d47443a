"""Logins are kept for one person and one credential, few at a time, and not for longer than they are wanted."""

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.clock import SystemClock
from fairlead.tools.sql_logins import OLDEST_S, Logins
from fairlead.tools.types import Credential


class Watch(SystemClock):
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> int:
        return int(self.seconds * 1000)


class Login:
    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self.closed = False
        self.fit = True

    def is_fit(self) -> bool:
        return self.fit and not self.closed

    def close(self) -> None:
        self.closed = True


class Door:
    """Opens logins and remembers them."""

    def __init__(self, **bounds: int) -> None:
        self.opened: list[Login] = []
        self.clock = Watch()
        self.logins: Logins[Login] = Logins(self.open, self.clock, **{"most": 3, "each": 2, **bounds})

    async def open(self, credential: Credential) -> Login:
        await asyncio.sleep(0)
        if credential.secret == "wrong":
            raise PermissionError
        self.opened.append(Login(credential))
        return self.opened[-1]

    def living(self) -> int:
        return sum(not each.closed for each in self.opened)


def of(person: str, secret: str = "s", expires: int = 0) -> Credential:
    return Credential(kind="login", user=person, secret=secret, expires=expires)


async def taken(door: Door, person: str, credential: Credential | None = None) -> Login:
    async with door.logins.taken(person, credential or of(person)) as login:
        return login


async def test_a_login_is_used_again_by_the_same_person_with_the_same_credential_only() -> None:
    door = Door(most=9)
    first = await taken(door, "ada")
    assert await taken(door, "ada") is first
    assert await taken(door, "ada", of("ada", "other")) is not first
    assert await taken(door, "ben", of("ada")) is not first
    assert await taken(door, "ada", Credential(kind="service", user="ada", secret="s")) is not first
    door.logins.close()


async def test_the_one_idle_longest_makes_room() -> None:
    door = Door()
    logins = [await taken(door, person) for person in ("ada", "ben", "cleo", "dan")]
    assert [each.closed for each in logins] == [True, False, False, False]
    door.logins.close()
    assert door.living() == 0


async def test_who_finds_all_taken_waits_until_one_comes_back() -> None:
    door = Door(most=1)
    async with door.logins.taken("ada", of("ada")):
        waiting = asyncio.ensure_future(taken(door, "ben"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    assert (await waiting).credential.user == "ben"
    door.logins.close()


async def test_what_is_idle_too_long_too_old_or_unfit_is_closed() -> None:
    door = Door()
    first = await taken(door, "ada")
    door.clock.seconds += 61
    second = await taken(door, "ada")
    assert first.closed
    second.fit = False
    third = await taken(door, "ada")
    assert second.closed
    for _ in range(int(OLDEST_S / 50) + 1):
        door.clock.seconds += 50
        await taken(door, "ada")
    assert third.closed
    door.logins.close()


async def test_a_login_does_not_outlive_its_credential() -> None:
    door = Door()
    short = of("ada", expires=int((door.clock.seconds + 5) * 1000))
    first = await taken(door, "ada", short)
    door.clock.seconds += 6
    assert await taken(door, "ada", short) is not first
    assert first.closed
    door.logins.close()


async def test_an_idle_login_is_closed_though_nobody_comes() -> None:
    door = Door()
    door.logins = Logins(door.open, SystemClock(), most=3, each=2, idle=0.01)
    login = await taken(door, "ada")
    while not login.closed:
        await asyncio.sleep(0.005)
    assert door.logins.count() == 0


async def test_a_login_that_fails_takes_no_place() -> None:
    door = Door(most=1)
    for _ in range(3):
        with pytest.raises(PermissionError):
            await taken(door, "ada", of("ada", "wrong"))
    assert await taken(door, "ada")
    door.logins.close()


_steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["s", "t", "wrong"]), st.integers(0, 3)), max_size=25
)


@settings(max_examples=50)
@given(_steps, st.integers(1, 3), st.integers(1, 2))
def test_no_bound_is_passed_and_no_place_is_lost(steps: list[tuple[str, str, int]], most: int, each: int) -> None:
    async def all_of_them() -> None:
        door = Door(most=most, each=each)

        async def one(person: str, secret: str, pause: int) -> None:
            try:
                async with door.logins.taken(person, of(person, secret)) as login:
                    assert login.credential == of(person, secret)
                    for _ in range(pause):
                        await asyncio.sleep(0)
                        assert door.living() <= most
            except PermissionError:
                assert secret == "wrong"

        tasks = [asyncio.ensure_future(one(*step)) for step in steps]
        for task in itertools.islice(tasks, 0, None, 5):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert door.logins.count() <= most
        assert await taken(door, "z")  # there is a place for whoever comes next
        door.logins.close()
        assert door.living() == 0
        assert not [task for task in tasks if not task.cancelled() and task.exception()]

    asyncio.run(all_of_them())
