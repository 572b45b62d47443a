from collections.abc import Callable

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.context.catalogue import load_catalogue
from fairlead.context.synonyms import NO_GLOSSARY, glossary_of
from fairlead.labels import Access
from fairlead.storage.store import Store

Page = Callable[..., Item]


def glossary(page: Page) -> list[Item]:
    return [
        page("leave", "# Leave\n\nPaid time off is 28 days a year.", audience="[everyone]"),
        page(
            "terms/pto", "What one may stay away for.", title="Paid time off", kind="term", synonyms="[PTO, holidays]",
            audience="[people]",
        ),
    ]  # fmt: skip


async def test_a_question_in_other_words_finds_what_the_glossary_says_they_mean(
    store: Store, clock: Clock, page: Page
) -> None:
    context = Context.open(store, publish_items(store, glossary(page), clock))
    assert "leave" in [hit.item for hit in await context.find("How much PTO?", lambda _: True)]
    context.close()


async def test_a_term_that_a_caller_may_not_read_widens_nothing(store: Store, clock: Clock, page: Page) -> None:
    context = Context.open(store, publish_items(store, glossary(page), clock))
    assert await context.find("How much PTO?", lambda access: "everyone" in access.audience) == []
    context.close()


def test_a_name_of_several_words_is_meant_only_where_they_stand_together(
    store: Store, clock: Clock, page: Page
) -> None:
    glossary_ = glossary_of(load_catalogue(store, publish_items(store, glossary(page), clock)))
    asked: list[Access] = []

    def may(access: Access) -> bool:
        asked.append(access)
        return True

    assert set(glossary_.also(["paid", "tim"], may)) == {"pto", "holidai"}
    asked.clear()
    assert glossary_.also(["tim", "paid", "bil"], may) == {}
    assert asked == []
    assert NO_GLOSSARY.also(["pto"], may) == {}
