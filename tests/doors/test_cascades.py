"""Cascades, as official clients see them: one answer, whole, and what all of it cost."""

import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anthropic
import httpx
import openai
import pytest
from tests.execution.test_cascade import BAD, FALSE, FILES, FORM, GOOD, PRICES, RICH, TIERS, hung, models, says
from tests.world import Served, key_of, served, wait_until

from fairlead.learning.gathering import Gathering
from fairlead.learning.settings import OutcomesSettings
from fairlead.storage import outcome_rows

Reply = tuple[str, list[str], dict[str, Any]]


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("cascades")
    with served(folder, FILES, models=models, prices=PRICES, routing=TIERS, budgets=RICH) as made:
        yield made


def asked(client: openai.OpenAI, stream: bool, task: str, content: str) -> Reply:
    """The text, its pieces, and the `fairlead` object."""
    about: Any = {"model": task, "messages": [{"role": "user", "content": content}], "response_format": FORM}
    if not stream:
        whole = client.chat.completions.create(**about)
        said = whole.choices[0].message.content or ""
        return said, [said], (whole.model_extra or {})["fairlead"]
    pieces, told = [], {}
    for chunk in client.chat.completions.create(**about, stream=True):
        pieces += [choice.delta.content for choice in chunk.choices if choice.delta.content]
        told = (chunk.model_extra or {}).get("fairlead", told)
    return "".join(pieces), pieces, told


def spent(s: Served) -> Decimal:
    return Decimal(sum(each.cost for each in s.records())) / 10**9


def test_a_client_sees_one_answer_and_what_all_attempts_cost(s: Served) -> None:
    client = openai.OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0)
    for stream in (False, True):
        before = spent(s)
        said, pieces, told = asked(client, stream, "bill", says(BAD, "SECRET"))
        assert (said, pieces, told["model"]) == (GOOD, [GOOD], "house")
        assert [(each["model"], each["check"]) for each in told["unkept"]] == [
            ("small", "schema"),
            ("middle", "schema"),
        ]
        assert Decimal(told["cost"]["amount"]) == spent(s) - before
        assert "SECRET" not in str(told)
        with pytest.raises(openai.UnprocessableEntityError, match="no answer passes"):
            asked(client, stream, "bill", says(BAD, BAD, BAD))
        _, _, doubted = asked(client, stream, "once", says(BAD, "no"))
        assert doubted["flags"] == ["kept_anyway"]
        assert doubted["warnings"] == ["this answer does not pass schema: the answer is no JSON"]
        before = spent(s)
        _, _, agreed = asked(client, stream, "both", says("7", other="7"))
        assert agreed["judged"][0]["rule"] == "agreement"
        assert Decimal(agreed["cost"]["amount"]) == spent(s) - before
    body = {"model": "once", "messages": [{"role": "user", "content": says(BAD, "no")}], "response_format": FORM}
    raw = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body)
    assert raw.headers["x-fairlead-warnings"] == "cascade:schema"
    assert s.balance("person/kim") == (0, sum(each.cost for each in s.records()))
    client.close()


def test_messages_get_whole_answers_too_and_who_leaves_in_the_middle_owes_nothing_more(s: Served) -> None:
    client = anthropic.Anthropic(base_url=s.url, api_key=key_of("kim"), max_retries=0)
    asking: Any = {
        "model": "kind",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": says("a blast", "ok")}],
    }
    with client.messages.stream(**asking) as stream:
        assert list(stream.text_stream) == ["ok"]
    client.close()
    body = {"model": "stuck", "stream": True, "messages": [{"role": "user", "content": says(FALSE)}]}
    request = httpx.Request("POST", f"{s.url}/v1/chat/completions", headers=s.auth(), json=body)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    before = hung(s.provider)
    with socket.create_connection((request.url.host, request.url.port or 0)) as leaving:
        leaving.sendall(f"POST {request.url.path} HTTP/1.1\r\n{head}\r\n".encode() + request.content)
        wait_until(lambda: hung(s.provider) > before)
    wait_until(lambda: s.records("call_model")[-1].outcome == "abandoned")
    assert [each.outcome for each in s.records()[-2:]] == ["escalated", "abandoned"]
    assert s.balance("person/kim") == (0, sum(each.cost for each in s.records()))
    assert not s.holds()


def test_an_answer_that_was_not_kept_teaches_that_its_model_was_not_good_enough(s: Served) -> None:
    client = openai.OpenAI(base_url=f"{s.url}/v1", api_key=key_of("kim"), max_retries=0)
    runs = [asked(client, False, "bill", content)[2]["run"] for content in (says(), says(BAD))] + [
        asked(client, False, "once", says(BAD, "no"))[2]["run"]
    ]
    client.close()
    fairlead = s.running.fairlead
    office = Gathering(s.store, fairlead.ledger.vault, fairlead.clock)
    office.settings, office.organisation = OutcomesSettings(seen=("check", "escalation")), "acme"
    office.run()
    with s.store.reading() as connection:
        every = [each for each in outcome_rows.outcomes_since(connection, 0) if each.run in runs]
    found = {(each.run, each.by, each.model, each.score) for each in every}
    assert found == {
        (runs[0], "check", "small", 10_000),
        (runs[1], "escalation/1", "small", 0),
        (runs[1], "check", "middle", 10_000),
        (runs[2], "escalation/1", "small", 0),
        (runs[2], "check", "middle", 0),
    }
