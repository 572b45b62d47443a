"""What is put in front of a request, and what detectors then know of the whole."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.context import Pack
from fairlead.execution.prepare import Stitched, detected, stitched
from fairlead.labels import NO_LABELS
from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest, Message, Passage, TextPart
from fairlead.policy import Policy, compile_policy
from fairlead.policy.types import Findings
from fairlead.tasks.types import Task, TaskType

CARD, MAIL = "4111 1111 1111 1111", "kim@example.com"
PERMIT = {"main.cedar": "permit(principal, action, resource);"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return compile_policy(PERMIT)


def put_together(policy: Policy, messages: list[Message], instructions: str, *passages: str) -> Stitched:
    request = ChatRequest(model="auto", messages=messages, size=sum(len(text_of(each).encode()) for each in messages))
    found = tuple(Passage(f"page-{number}@1", "A page", text) for number, text in enumerate(passages))
    task = Task(type=TaskType(name="question", instructions=instructions), labels=NO_LABELS, question="")
    pack = Pack(passages=found, citations=(), snapshot="", labels=NO_LABELS)
    return asyncio.run(stitched(policy, request, policy.detect(request), task, pack))


def test_without_instructions_and_passages_the_request_stays_as_it_came(policy: Policy) -> None:
    messages = [Message("user", f"charge {CARD}")]
    whole = put_together(policy, messages, "")
    assert (whole.request.messages, whole.labels.categories) == (messages, {"payment_card"})


def test_the_labels_of_a_passage_count_for_the_whole(policy: Policy) -> None:
    whole = put_together(policy, [Message("user", f"mail {MAIL}")], "", f"the card is {CARD}")
    assert whole.labels.categories == {"payment_card", "email"}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_of_the_caller_keeps_its_parts_behind_the_added_text(policy: Policy, role: str) -> None:
    theirs = Message(role, [TextPart("be brief"), TextPart(f" and write to {MAIL}")])  # type: ignore[arg-type]
    whole = put_together(policy, [theirs, Message("user", "hello")], "Speak plainly.")
    assert [each.role for each in whole.request.messages] == ["system", "user"]
    assert text_of(whole.request.messages[0]) == f"Speak plainly.\n\nbe brief and write to {MAIL}"


def test_what_is_added_is_worked_out_anew_for_other_pages_and_other_instructions(policy: Policy) -> None:
    asked = [("Be brief.",), ("Be brief.", "A lamp."), ("Be brief.", f"The card is {CARD}."), ("Be kind.", "A lamp.")]
    whole = [put_together(policy, [Message("user", "hello")], *each) for each in (*asked, *asked)]
    texts = [text_of(each.request.messages[0]) for each in whole]
    assert texts[:4] == texts[4:]
    assert len(set(texts)) == 4
    assert [bool(each.labels.categories) for each in whole] == [False, False, True, False] * 2
    assert all(each.request.size == len(text.encode()) + len("hello") for each, text in zip(whole, texts, strict=True))


WORDS = st.sampled_from(["hello", CARD, MAIL, "Grüße 🌊", "\n", "192.168.7.1"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
TURNS = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), TEXTS), min_size=1, max_size=3)


@given(st.sampled_from(["", "system", "developer"]), TEXTS, TURNS, TEXTS, st.lists(TEXTS, max_size=2))
def test_findings_stand_where_a_look_at_the_whole_would_have_found_them(
    first: str, theirs: str, turns: list[Message], instructions: str, passages: list[str]
) -> None:
    policy = compile_policy(PERMIT)
    messages = [Message(first, theirs), *turns] if first else turns  # type: ignore[arg-type]
    whole = put_together(policy, messages, instructions.strip(), *passages)
    afresh = policy.detect(whole.request)
    assert sorted(whole.findings.found, key=str) == sorted(afresh.found, key=str)
    assert whole.labels == afresh.labels


async def test_a_flood_of_large_requests_leaves_threads_to_others() -> None:
    policy = compile_policy(PERMIT)
    look, looking, most = policy.detect, 0, 0
    lock = threading.Lock()

    def counted(request: ChatRequest) -> Findings:
        nonlocal looking, most
        with lock:
            looking += 1
            most = max(most, looking)
        found = look(request)
        with lock:
            looking -= 1
        return found

    policy.detect = counted  # type: ignore[method-assign]
    text = "plain words " * 20_000
    large = ChatRequest(model="auto", messages=[Message("user", text)], size=len(text))
    await asyncio.gather(*(detected(policy, large) for _ in range(12)))
    assert 1 <= most <= 2
