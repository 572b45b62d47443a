"""Terms that are named, decisions that are precedent, and the voice: what joins a pack beside what was found."""

from collections.abc import Callable

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.labels import NO_LABELS, Access
from fairlead.storage.store import Store
from fairlead.tasks.types import Task, TaskType


def anyone(_: Access) -> bool:
    return True


async def test_what_joins_a_pack_is_what_is_named_asked_for_and_permitted(
    store: Store, clock: Clock, page: Callable[..., Item]
) -> None:
    pages = [
        page("returns", "# Returns\n\nAsk the shop for an RMA before you send a lamp back.\n"),
        page("rma", "A number that we give for parcels.\n", title="RMA", kind="term", avoid="[return ticket]"),
        page("it", "The people who look after computers.\n", title="IT", kind="term", audience="staff"),
        page("lamps", "Lamps are taken back even when lit.\n", kind="decision", decided="2026-01-02", by="board",
             precedent_for="[lamp returns]"),
        page("voice", "Plain words.\n", kind="voice", say="[customer]", avoid="[consumer]", topics="[letters]"),
    ]  # fmt: skip
    context = Context.open(store, publish_items(store, pages, clock))

    async def items(question: str, may_read: Callable[[Access], bool] = anyone, **said: object) -> list[str]:
        type_ = TaskType(name="support", context=2000, **said)  # type: ignore[arg-type]
        pack = await context.stitch(Task(type=type_, labels=NO_LABELS, question=question), may_read)
        return [each.id.partition("@")[0] for each in pack.citations]

    try:
        assert await items("What is a return ticket?") == ["rma", "returns"]
        assert "rma" in await items("how is a parcel sent to the shop?")
        assert (await items("the rules of lamp returns"))[0] == "lamps"
        assert "lamps" in await items("something else", topics=("Lamp returns",))
        assert (await items("Ask IT about it"))[0] == "it"
        assert "it" not in await items("is it broken?")
        assert "it" not in await items("Ask IT about it", lambda access: "staff" not in access.audience)
        assert (await items("the shop", voice=True))[-1] == "voice"
        assert (await items("the shop", topics=("letters",)))[-1] == "voice"
        assert "voice" not in await items("the shop")
    finally:
        context.close()
