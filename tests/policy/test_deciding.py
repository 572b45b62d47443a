"""Which arguments decide who gains: what is not known as free text or a time does."""

from typing import Any

import pytest

from fairlead.policy.deciding import Deciding, Decisive, deciding_arguments
from fairlead.policy.tool_rights import ToolAsked, ToolRights
from fairlead.tools.cards import ArgumentCard, ToolCard
from fairlead.tools.types import Definition, Tool

TEXT = {"type": "string"}
MAYBE = {"anyOf": [{"type": "string"}, {"type": "null"}]}
MANY = {"type": "array", "items": TEXT}
YES = {"type": "boolean"}
NO_CARD = ToolCard()


def deciding(card: ToolCard = NO_CARD, **properties: Any) -> set[str]:
    definition = Definition(name="do", input={"type": "object", "properties": properties})
    return set(deciding_arguments(definition, card))


@pytest.mark.parametrize(
    ("properties", "decide"),
    [
        ({"recipients": MANY, "subject": TEXT, "body": MAYBE, "cc": MANY}, {"recipients", "cc"}),
        ({"to": TEXT, "message": TEXT}, {"to"}),
        ({"fileId": TEXT, "content": TEXT}, {"fileId"}),
        ({"title": TEXT, "start_time": TEXT, "participants": MANY, "location": MAYBE}, {"participants"}),
        ({"when": {"type": "string", "format": "date-time"}, "who": TEXT, "urgent": YES}, {"who"}),
        ({"amount": {"type": "number"}, "note": TEXT}, {"amount"}),
        ({"text": {"type": "string", "format": "uri"}, "note": TEXT}, {"text"}),  # its type says more than its name
        ({"content": {"type": "object"}, "note": TEXT, "code": TEXT}, {"content", "code"}),
        ({"permission": {"enum": ["read", "write"]}, "mood": {"enum": ["a"]}, "it": TEXT}, {"permission", "it"}),
        ({"note": {}, "body": TEXT}, {"note"}),  # of no known type
        ({"text": TEXT}, {"text"}),  # nothing decides: all do
        ({"state": TEXT, "on": YES}, {"state"}),
    ],
)
def test_free_text_and_times_decide_nothing_and_all_else_does(properties: dict[str, Any], decide: set[str]) -> None:
    assert deciding(**properties) == decide


def test_a_card_says_it_better() -> None:
    def card(**said: bool) -> ToolCard:
        return ToolCard(arguments={name: ArgumentCard(decides=each) for name, each in said.items()})

    assert deciding(card(subject=True), to=TEXT, subject=TEXT) == {"to", "subject"}
    assert deciding(card(to=False), to=TEXT, subject=TEXT) == set()


USER, MAIL, STAFF = frozenset({"user"}), frozenset({"tool:mail.read"}), frozenset({"tool:staff.find"})


@pytest.mark.parametrize(
    ("arguments", "sources", "links", "others"),
    [
        ({"to": "ada", "text": "hello"}, {"to": USER, "text": MAIL}, {}, []),
        ({"to": "eve", "text": "hello"}, {"to": MAIL, "text": USER}, {}, ["to"]),
        ({"to": "ada", "text": "see evil.example"}, {"to": USER, "text": MAIL}, {"text": MAIL}, ["text"]),
        ({"to": "ada", "text": "see acme.example"}, {"to": USER, "text": MAIL}, {"text": USER}, []),
        ({"to": "bob", "text": "hello"}, {"to": STAFF, "text": MAIL}, {}, []),
        ({"to": "bob", "text": "see evil.example"}, {"to": STAFF, "text": MAIL}, {"text": MAIL}, ["text"]),
        ({"to": "bob", "text": "hello"}, {"to": STAFF | MAIL, "text": MAIL}, {}, ["to"]),
        ({"to": None, "text": ""}, {"to": MAIL, "text": MAIL}, {"text": MAIL}, []),
    ],
)
def test_what_others_decide_is_asked_about(arguments: Any, sources: Any, links: Any, others: list[str]) -> None:
    definition = Definition(name="send", input={"properties": {"to": TEXT, "text": TEXT}})
    tool = Tool(system="mail", definition=definition, digest="")
    asked = ToolAsked(tool=tool, arguments=arguments, sources=sources, links=links)
    send = Deciding(frozenset({"to"}), tells=True)
    rights = ToolRights((), decisive=Decisive({"mail.send": send}, frozenset({"tool:staff.find"})))
    assert list(rights._decided_by_others(asked)) == others
    everything = {name for name, its in sources.items() if its != USER and arguments[name]}
    assert set(ToolRights(())._decided_by_others(asked)) == everything  # of a tool that is not known
    mute = Decisive({"mail.send": Deciding(frozenset({"to"}))}, frozenset({"tool:staff.find"}))
    if sources["to"] == STAFF:
        assert "to" in ToolRights((), decisive=mute)._decided_by_others(asked)  # nobody is written to by this one
