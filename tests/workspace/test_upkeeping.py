"""Upkeep over a real store: what is found, who is told, and that nothing is lost or doubled by a crash."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from tests.smtp import mail_server
from tests.world import FixedClock

from fairlead.context import ContextSettings, publish_items, read_item
from fairlead.context.upkeep.requests import Need, Requests
from fairlead.context.upkeep.settings import MailSettings, OwnerSettings, UpkeepSettings, require_sound
from fairlead.controls.deliver import Delivery
from fairlead.costs.record import RECORD_VERSION, Record, encode_record
from fairlead.errors import BadInput
from fairlead.storage.schema import alarm
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.tasks.requirements import RequirementSettings, compile_requirements
from fairlead.tasks.types import TaskType
from fairlead.workspace.pushing import pushed_people
from fairlead.workspace.upkeeping import Around, Upkeeping

DAY = 86_400_000
BY_HOOK = UpkeepSettings(alarm="owners", lead="operations", most=2)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_796_000_000_000)


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> Iterator[Store]:
    """What is peculiar to each database is tried in tests/context/test_requests.py."""
    path = tmp_path / "state.db"
    path.write_bytes(empty_database.read_bytes())
    opened = Store.open(path)
    yield opened
    opened.close()


def upkeep(store: Store, clock: FixedClock, settings: UpkeepSettings, snapshot: str = "") -> Upkeeping:
    people = pushed_people(store, Vault(bytes(32), StoredSubjects(store), clock), clock).people
    made = Upkeeping(store, clock, Requests(store, clock), people, {"env:MAIL": "secret"}.get)
    made.under = Around(settings=settings, snapshot=snapshot)
    return made


def published(store: Store, clock: FixedClock, **pages: str) -> str:
    items = [read_item(f"{name}.md", text.encode(), ContextSettings()) for name, text in pages.items()]
    return publish_items(store, items, clock)


def page(words: str, **front: str) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in front.items())
    return f"---\n{head}---\n# Rules\n\n{words}\n"


def answered(store: Store, clock: FixedClock, *citations: str) -> None:
    record = Record(
        v=RECORD_VERSION, kind="call_model", run=f"run_{clock.at}", at=clock.now(), outcome="done", task="support",
        person="s_kim", citations=citations,
    )  # fmt: skip
    with store.writing() as connection:
        store.database.append(connection, [Entry(record.run, record.at, encode_record(record))])


def version(store: Store, item: str) -> str:
    from fairlead.storage.context_tables import context_item

    with store.reading() as connection:
        rows = select(context_item.c.version).where(context_item.c.id == item).order_by(context_item.c.stored_at.desc())
        return str(connection.execute(rows).scalars().first())


def posted(store: Store) -> list[dict[str, object]]:
    with store.reading() as connection:
        return [
            msgspec.json.decode(row) for row in connection.execute(select(alarm.c.body).order_by(alarm.c.id)).scalars()
        ]


def test_what_changed_under_answers_comes_before_what_is_only_due(store: Store, clock: FixedClock) -> None:
    before = {"rules": page("Goods come back within 30 days.", owner="sales")}
    old = {"old": page("Nobody reads this.", owner="sales", review_by="2020-01-31")}
    gone = {"gone": page("This has expired.", owner="legal", expires="2026-01-31")}
    published(store, clock, **before, **old, **gone)
    answered(store, clock, f"rules@{version(store, 'rules')}")
    clock.tick(60)
    after = {"rules": page("Goods come back within 14 days.", owner="sales")}
    made = upkeep(store, clock, BY_HOOK, published(store, clock, **after, **old, **gone))
    made.run()
    first, second = posted(store)
    sent = {first["data"]["owner"]: first["data"]["requests"], second["data"]["owner"]: second["data"]["requests"]}  # type: ignore[index]
    assert [each["kind"] for each in sent["sales"]] == ["changed", "review"]
    assert [each["item"] for each in sent["legal"]] == ["gone"]
    made.run()
    assert len(posted(store)) == 2, "everything was told"


def test_what_is_mended_is_taken_back_and_what_is_late_goes_up_once(store: Store, clock: FixedClock) -> None:
    due = page("Due.", owner="sales", review_by="2020-01-31")
    made = upkeep(store, clock, BY_HOOK, published(store, clock, one=due, two=due))
    made.run()
    mended = page("Due.", owner="sales", review_by="2099-01-31")
    made.under = Around(settings=BY_HOOK, snapshot=published(store, clock, one=mended, two=due))
    made.run()
    requests = Requests(store, clock)
    assert [each.item for each in requests.listed("open")] == ["two"]
    for _ in range(3):
        clock.tick(4 * 86_400)
        made.run()
    late = [each for each in posted(store) if each["type"] == "context.requests_late"]
    assert [each["data"]["to"] for each in late] == ["operations"]  # type: ignore[index]


def test_two_workers_and_one_that_died_tell_everybody_and_nobody_twice(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = published(store, clock, one=page("Due.", owner="sales", review_by="2020-01-31"))
    dying, other = upkeep(store, clock, BY_HOOK, snapshot), upkeep(store, clock, BY_HOOK, snapshot)
    with monkeypatch.context() as patched:
        patched.setattr("fairlead.storage.request_rows.note_told", lambda *_: exec("raise MemoryError"))
        with pytest.raises(MemoryError):
            dying.run()
    assert posted(store) == [], "the message and that it was told stand and fall together"
    with store.database.elected("upkeep"):
        other.run()
    assert posted(store) == [], "it is another's turn"
    other.run()
    dying.run()
    assert len(posted(store)) == 1


def test_a_clock_that_leaps_forward_escalates_nothing_until_it_has_stood(store: Store, clock: FixedClock) -> None:
    snapshot = published(store, clock, one=page("Due.", owner="sales", review_by="2020-01-31"))
    made = upkeep(store, clock, BY_HOOK, snapshot)
    made.run()
    clock.at += 400 * DAY
    made.run()
    assert len(posted(store)) == 1
    clock.at -= 400 * DAY
    clock.tick(7200)
    made.run()
    assert len(posted(store)) == 1, "it was put right in time"


def test_what_was_proposed_by_somebody_who_was_erased_is_asked_no_more(store: Store, clock: FixedClock) -> None:
    requests = Requests(store, clock)
    id_ = requests.ask(Need(kind="edit", item="one", cause="v1 s_gone 0", owner="sales"))
    upkeep(store, clock, BY_HOOK, published(store, clock, one=page("Fine.", owner="sales"))).run()
    assert (requests.one(id_).state, requests.one(id_).words[:25]) == ("done", "whoever proposed it was e")
    assert posted(store) == []


def test_a_clock_that_is_put_back_for_a_while_takes_nothing_back_and_tells_nobody_twice(
    store: Store, clock: FixedClock
) -> None:
    yesterday = datetime.fromtimestamp(clock.at / 1000 - 86_400, UTC).date().isoformat()
    snapshot = published(store, clock, one=page("Over.", owner="sales", expires=yesterday))
    made = upkeep(store, clock, BY_HOOK, snapshot)
    made.run()
    (asked,) = Requests(store, clock).listed("open")
    for leap in (-30 * DAY, 30 * DAY):
        clock.at += leap
        for _ in range(2):
            made.run()
            clock.tick(60)
    clock.tick(7200)
    made.run()
    (still,) = Requests(store, clock).listed("open")
    assert (still.id, still.told_at, len(posted(store))) == (asked.id, still.told_at, 1)


async def test_owners_are_told_by_mail_and_again_when_the_server_was_away(store: Store, clock: FixedClock) -> None:
    with mail_server() as box:
        mail = MailSettings(server="127.0.0.1", port=box.port, tls="none", sender="fairlead@acme.example")
        settings = UpkeepSettings(mail=mail, owners={"sales": OwnerSettings(mail="sales@acme.example")})
        made = upkeep(store, clock, settings, published(store, clock, one=page("Due.", owner="x")))
        need = Need(kind="missing", need="refund rules", task="support", owner="sales", words="nothing is there")
        Requests(store, clock).ask(need)
        Requests(store, clock).ask(Need(kind="missing", need="pay", owner="nobody"))
        await asyncio.to_thread(made.run)
        delivery = Delivery(store, clock)
        delivery.others = made.others()
        box.refuses = "451 later"
        assert await delivery.run() == 1
        await delivery.close()
        assert box.mails == []
        box.refuses = ""
        clock.tick(60)
        delivery = Delivery(store, clock)
        delivery.others = made.others()
        assert await delivery.run() == 1
        await delivery.close()
        (text,) = box.mails
        assert "To: sales@acme.example" in text
        assert "1. missing: refund rules" in text
        assert need.id in text
        assert posted(store) == []
    told = {each.need: each.told_at for each in Requests(store, clock).listed("open")}
    assert told["refund rules"] > 0
    assert told["pay"] == 0, "nobody has an address"


def test_settings_that_cannot_work_are_refused() -> None:
    mail = MailSettings(server="mail.acme.example", sender="a@acme.example", user="a")
    for settings, says in (
        (UpkeepSettings(alarm="none"), "there is no alarm"),
        (UpkeepSettings(mail=mail), "has no password"),
        (UpkeepSettings(mail=msgspec.structs.replace(mail, user="", tls="none")), "is not this machine"),
    ):
        with pytest.raises(BadInput, match=says):
            require_sound(settings, ())


def test_what_questions_asked_for_ends_once_it_is_there_and_opens_again(store: Store, clock: FixedClock) -> None:
    needs = compile_requirements("reply", [RequirementSettings(need="rules", kind="policy", topics=("a",))], 100, ())
    made = upkeep(store, clock, UpkeepSettings(), published(store, clock, one=page("One."), two=page("Two.")))
    made.under = msgspec.structs.replace(made.under, requiring=(TaskType(name="reply", context=100, requires=needs),))
    requests = Requests(store, clock)
    missing = Need(kind="missing", need="rules", task="reply", words="there is none")
    disputed = Need(kind="contradicted", need="rules", task="reply", item="one", cause="two")
    ids = [requests.ask(need) for need in (missing, disputed)]
    made.run()
    assert [requests.one(id_).state for id_ in ids] == ["open", "open"]
    clock.tick(60)
    rules = published(store, clock, one=page("One.", kind="policy", topics="[a]"), two=page("Two."))
    made.under = msgspec.structs.replace(made.under, snapshot=rules)
    made.run()
    ended = [requests.one(id_) for id_ in ids]
    assert [(row.state, row.words) for row in ended] == [
        ("done", "rules is met by one"),
        ("done", "one changed since it was asked whether they agree"),
    ]
    requests.ask(missing)
    assert (requests.one(ids[0]).state, requests.one(ids[0]).words) == ("open", "there is none")
