"""Every policy through every door, streamed and not: a door decides nothing, so none may differ.

A door that is added adds one line to `DOORS` in `asking.py`.
"""

import json
from collections.abc import Iterator

import pytest
from tests.doors.asking import DOORS, Door
from tests.world import CARD, Served, served

IBAN = "DE89370400440532013000"
CATEGORIES = """
detectors:
  - {name: project, category: project, pattern: '(?i)project bluebird'}
  - {name: holiday, category: holiday, pattern: '(?i)holiday plans'}
  - {name: boast, category: boast, pattern: '(?i)best in the world'}
  - {name: verdict, category: verdict, pattern: '(?i)guaranteed profit'}
  - {name: letter, category: letter, pattern: '\\bletterhead\\b'}
  - {name: ledger, category: ledger, pattern: '\\bledgerline\\b'}
require:
  - {name: signed, text: Yours faithfully, labels: [letter]}
  - {name: sealed, text: under seal, otherwise: withhold, labels: [ledger]}
words:
  - {name: cheap, never: [cheap as chips], then: replace, instead: good value}
facts:
  - {name: discount, pattern: '(?P<value>[0-9]{1,3})%', take: max}
"""
POLICIES = """
@id("staff-may-ask") @reason("staff may ask")
permit (principal in Group::"staff", action == Action::"call_model", resource);

@id("cards-are-taken-out") @reason("no cards in the cloud") @redact("payment_card, email")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.containsAny(["payment_card", "email"]) };

@id("projects-stay") @reason("projects stay in the house")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("project") };

@id("no-ibans") @reason("account numbers go nowhere")
forbid (principal, action == Action::"call_model", resource)
when { context.labels.contains("iban") };

@id("replies-may-leave") @reason("replies may leave")
permit (principal, action == Action::"release_reply", resource);

@id("no-verdicts") @reason("nobody promises profits")
forbid (principal, action == Action::"release_reply", resource)
when { context.categories.contains("verdict") };

@id("small-discounts") @reason("more than 15% is for managers")
forbid (principal, action == Action::"release_reply", resource)
when { context.facts has discount && context.facts.discount.greaterThan(decimal("15.0")) };

@id("no-holidays") @reason("no holidays at work") @mode("shadow")
forbid (principal, action == Action::"call_model", resource)
when { resource.kind == "cloud" && context.labels.contains("holiday") };

@id("no-tours") @reason("no tours anywhere") @mode("shadow") @redact("holiday")
forbid (principal, action in [Action::"call_model", Action::"release_reply"], resource)
when { (context has categories && context.categories.contains("holiday")) };

@id("modest") @reason("we are not the best in the world") @mode("warn")
forbid (principal, action == Action::"release_reply", resource)
when { context.categories.contains("boast") && context.door != "cli" };
"""


every_door = pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
streamed_and_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    files = {"policies/main.cedar": POLICIES, "rules/more.yaml": CATEGORIES}
    with served(tmp_path_factory.mktemp("matrix"), files, budgets={"organisation": {"total": 1000}}) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


def sent_since(s: Served, before: int) -> str:
    return "".join(received.body.decode() for received in s.provider.received[before:])


@every_door
@streamed_and_not
def test_what_is_allowed_is_answered(s: Served, door: Door, streamed: bool) -> None:
    got = door(s, "kim", "echo good morning", streamed)
    assert (got.text, got.error, got.ended) == ("good morning", "", True)
    (record,) = s.records(run=got.run)
    assert (record.outcome, record.policies) == ("done", ("staff-may-ask",))


@every_door
@streamed_and_not
def test_who_no_policy_permits_is_denied(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "max", "echo good morning", streamed)
    assert (got.text, got.error) == ("", "denied")
    assert s.records(run=got.run)[0].outcome == "refused"
    assert len(s.provider.received) == before


@every_door
@streamed_and_not
def test_what_may_go_nowhere_is_denied(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "kim", f"echo pay {IBAN} now", streamed)
    assert (got.text, got.error) == ("", "denied")
    (record,) = s.records(run=got.run)
    assert "no-ibans" in record.policies
    assert "iban" in record.categories
    assert len(s.provider.received) == before


@every_door
@streamed_and_not
def test_what_is_redacted_leaves_without_it_and_comes_back_with_it(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    said = f"card {CARD} of ann.smith@example.com is fine"
    got = door(s, "kim", f"echo {said}", streamed)
    assert (got.text, got.error) == (said, "")
    sent = sent_since(s, before)
    assert "4111" not in sent
    assert "ann.smith" not in sent
    (record,) = s.records(run=got.run)
    assert (record.placement, record.redacted) == ("cloud", ("email", "payment_card"))


@every_door
@streamed_and_not
def test_what_must_stay_is_answered_in_the_house(s: Served, door: Door, streamed: bool) -> None:
    before = len(s.provider.received)
    got = door(s, "kim", "echo project bluebird is late", streamed)
    assert (got.text, got.error) == ("project bluebird is late", "")
    (record,) = s.records(run=got.run)
    assert (record.model, record.placement) == ("house", "on_prem")
    assert dict(record.dropped)["small"] == "policy"
    assert all(json.loads(r.body)["model"] == "house" for r in s.provider.received[before:])


@every_door
@streamed_and_not
@pytest.mark.parametrize(
    "said", ["this is a guaranteed profit for you", "take it at 20% off today", "first 5% and then 40% off"]
)
def test_what_may_not_leave_is_withheld(s: Served, door: Door, streamed: bool, said: str) -> None:
    got = door(s, "kim", f"echo {said}", streamed)
    assert got.error == "withheld"
    assert "profit" not in got.text
    assert "20%" not in got.text
    assert "40%" not in got.text
    assert not (streamed and got.text and got.ended)
    (record,) = s.records(run=got.run)
    assert (record.outcome, record.cost > 0) == ("refused", True)
    assert record.error is not None
    assert record.error.step == "check"


@every_door
def test_a_reply_that_is_withheld_is_withheld_however_the_provider_cuts_it(s: Served, door: Door) -> None:
    # One event for each byte of the stream, then all of it in one read, then in words.
    for fault in ("split-every-byte", "one-read", "crlf", ""):
        s.provider.always = fault
        got = door(s, "kim", "echo well this is a guaranteed profit for you", True)
        assert got.error == "withheld", fault
        assert "guaranteed" not in got.text
        assert not (got.text and got.ended)


@every_door
@streamed_and_not
def test_a_discount_within_bounds_leaves(s: Served, door: Door, streamed: bool) -> None:
    got = door(s, "kim", "echo take it at 15% off today", streamed)
    assert (got.text, got.error) == ("take it at 15% off today", "")


@every_door
@streamed_and_not
def test_a_policy_decides_by_who_asks_now(s: Served, door: Door, streamed: bool) -> None:
    for person, error in (("kim", ""), ("max", "denied"), ("lee", "")):
        assert door(s, person, "echo hello", streamed).error == error


@every_door
@streamed_and_not
def test_what_is_only_watched_is_recorded_and_not_seen(s: Served, door: Door, streamed: bool) -> None:
    said = "my holiday plans are made"
    got = door(s, "kim", f"echo {said}", streamed)
    assert (got.text, got.error, got.ended) == (said, "", True)
    assert got.whole is not None
    assert "no-holidays" not in got.whole.text
    assert "no-tours" not in got.whole.text
    (record,) = s.records(run=got.run)
    assert record.hits == (("no-holidays", "shadow", "reroute"), ("no-tours", "shadow", "redact"))
    assert (record.model, record.policies) == ("small", ("staff-may-ask",))


@every_door
@streamed_and_not
def test_what_is_warned_of_leaves_with_the_warning(s: Served, door: Door, streamed: bool) -> None:
    said = "we are the best in the world at this"
    got = door(s, "kim", f"echo {said}", streamed)
    assert (got.text, got.error) == (said, "")
    assert got.about["warnings"] == ["rule modest: we are not the best in the world"]
    assert got.whole is not None
    assert got.whole.headers.get("x-fairlead-warnings") == (None if streamed else "modest")
    (record,) = s.records(run=got.run)
    assert record.hits == (("modest", "warn", "withhold"),)


@every_door
def test_what_is_said_in_place_of_words_stands_where_they_stood_however_they_came(s: Served, door: Door) -> None:
    for streamed, text in [
        (False, "echo it is cheap as chips!"),
        *((True, f"cut {n} it is cheap as chips!") for n in (5, 12, 20)),
    ]:
        got = door(s, "kim", text, streamed)
        assert (got.text, got.error) == ("it is good value!", "")
        assert s.records(run=got.run)[0].hits == (("cheap", "enforce", "redact"),)


@every_door
@streamed_and_not
def test_what_a_reply_must_have_is_added_or_it_is_withheld(s: Served, door: Door, streamed: bool) -> None:
    got = door(s, "kim", "echo our letterhead is new", streamed)
    assert (got.text, got.error) == ("our letterhead is new\n\nYours faithfully", "")
    got = door(s, "kim", "echo a ledgerline", streamed)
    assert (got.text, got.error) == ("", "withheld")
    got = door(s, "kim", "echo a ledgerline under seal", streamed)
    assert (got.text, got.error) == ("a ledgerline under seal", "")
