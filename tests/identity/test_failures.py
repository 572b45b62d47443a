"""Wrong credentials: bounded by address, at no cost to good ones."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.world import served

from fairlead.identity.failures import Failures, TooManyWrong

HERE = ("192.0.2.7", 1)


def wrong(failures: Failures, client: tuple[str, int] | None = HERE) -> bool:
    """Whether one more wrong credential is looked at."""
    try:
        failures.refuse(client)
    except TooManyWrong:
        return False
    failures.count(client)
    return True


def test_so_many_are_looked_at_and_then_one_every_three_seconds() -> None:
    at = [0.0]
    failures = Failures(lambda: at[0])
    assert [wrong(failures) for _ in range(25)] == [True] * 20 + [False] * 5
    assert wrong(failures, ("192.0.2.8", 1))
    with pytest.raises(TooManyWrong) as refused:
        failures.refuse(HERE)
    assert refused.value.retry_after == 3
    at[0] += 3
    assert [wrong(failures) for _ in range(3)] == [True, False, False]
    at[0] += 1000
    assert wrong(failures)


def test_an_ipv6_customer_is_one_address_and_a_mapped_one_is_itself() -> None:
    failures = Failures(lambda: 0.0)
    assert sum(wrong(failures, (f"2001:db8::{number:x}", 1)) for number in range(30)) == 20
    assert wrong(failures, ("2001:db8:0:1::1", 1))
    assert [wrong(failures, client) for client in (None, ("::ffff:192.0.2.7", 1), ("a unix socket", 0))] == [True] * 3


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 10)), max_size=200))
def test_no_address_has_more_looked_at_than_it_may(steps: list[tuple[int, float]]) -> None:
    at, looked = [0.0], dict[int, list[float]]()
    failures = Failures(lambda: at[0])
    for host, pause in steps:
        at[0] += pause
        if wrong(failures, (f"192.0.2.{host}", 1)):
            looked.setdefault(host, []).append(at[0])
    for moments in looked.values():
        for start in moments:
            assert sum(start <= moment < start + 60 for moment in moments) <= 41


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairlead.identity.failures._REMEMBERED", 10)
    failures = Failures(lambda: 0.0)
    for number in range(100):
        failures.count((f"192.0.2.{number}", 1))
    assert len(failures._clear_at) == 10


def test_who_guesses_is_told_to_wait_and_who_has_a_key_is_not(tmp_path: Path) -> None:
    with served(tmp_path) as s, httpx.Client(base_url=s.url) as client:
        said = [
            client.get("/v1/models", headers={"authorization": f"Bearer fl_wrong-{number % 23:040}"})
            for number in range(30)
        ]
        assert [one.status_code for one in said] == [401] * 20 + [429] * 10
        assert said[-1].json()["error"]["code"] == "too_many_wrong"
        assert 1 <= int(said[-1].headers["retry-after"]) <= 3
        token = client.get("/v1/models", headers={"authorization": "Bearer a.b.c"})
        assert token.status_code == 429
        assert client.get("/v1/models", headers=s.auth()).status_code == 200
