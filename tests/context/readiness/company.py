"""A small company whose facts a test sets by hand."""

from dataclasses import replace
from datetime import date
from typing import Any

from fairlead.context.catalogue import Entry
from fairlead.context.readiness import Basis, Facts, Page, People, Reader
from fairlead.labels import Access, DataClass
from fairlead.tasks.requirements import RequirementSettings
from fairlead.tasks.settings import TaskSettings, compile_tasks
from fairlead.tasks.types import TaskType

TODAY = date(2026, 11, 21)
EVERYONE = frozenset({"everyone"})


def entry(id: str, **said: Any) -> Entry:
    """A page as the catalogue has it: verified last month, unless the test says otherwise."""
    given: dict[str, Any] = {
        "version": "v1", "title": id.title(), "kind": "page", "topics": frozenset({id}), "owner": "care",
        "data_class": DataClass.internal, "access": 0, "verified": "2026-10-20", "verified_by": "", "review_by": "",
        "expires": "", "changed": "", "trusted": True, "source": "", "origin": "", "fields": {}, "stored_at": 0,
    }  # fmt: skip
    return Entry(id=id, **{**given, **said})


def page(id: str, audience: frozenset[str] = EVERYONE, **said: Any) -> Page:
    return Page(entry(id, **said), Access(audience, DataClass.internal, "care"))


def people(department: str, *groups: str, number: int = 1) -> People:
    """People who read what is for everyone, and for one of their groups."""
    mine = {*EVERYONE, *groups}
    reader = Reader(
        may_read=lambda access: not access.audience.isdisjoint(mine),
        may_call=lambda tool: tool in mine,
        people=number,
    )
    return People(department, (reader,))


def task(name: str, *needs: RequirementSettings) -> TaskType:
    sources = tuple(each.live for each in needs if each.live)
    return compile_tasks({name: TaskSettings(context=100, requires=needs, live=sources)}).types[name]


def need(topic: str, **said: Any) -> RequirementSettings:
    return RequirementSettings(need=topic, topics=(topic,), otherwise="caveat", owner="nobody", **said)


def live(name: str) -> RequirementSettings:
    return RequirementSettings(need=name, live=name, otherwise="caveat")


_PLAIN = Facts(
    basis=Basis(source="published", organisation="acme", at=1_795_000_000_000),
    today=TODAY,
    tasks=(),
    pages=(),
    people=(people("sales"),),
    rates={},
    live={},
    approvers={},
    packs={},
    requests={},
)


def facts(**said: Any) -> Facts:
    """Facts with what a test says, and nothing else."""
    return replace(_PLAIN, **said)
