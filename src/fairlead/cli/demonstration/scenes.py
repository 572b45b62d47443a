"""What happens on the day, scene by scene."""

import json
from collections.abc import Callable, Collection
from typing import Final

from fairlead.cli.demonstration.company import MARKETING_CAP
from fairlead.cli.demonstration.day import Day
from fairlead.cli.demonstration.story import Asked
from fairlead.models.extractive import I_DO_NOT_KNOW

_CARD: Final = "4111 1111 1111 1111"  # the number that card companies give for tests
_ARTICLES: Final = ("autumn lamps", "wool blankets", "linen cushions", "tea pots", "oak stools", "candles")
_SECRET_STORES: Final = ("Old Tannery", "Weirside")


def handbook(day: Day) -> None:
    """Answers are quotes, with the page they come from."""
    story = day.story
    with story.scene("handbook", "The handbook answers"):
        box = day.ask("till", "How heavy may a box be if I lift it alone?")
        lamp = day.ask("till", "How long can I return a lamp?")
        story.expect("both answers are quotes with their page", "15 kg" in box.answer and "45 days" in lamp.answer)
        story.expect("every quote names its source", bool(box.citations and lamp.citations))
        story.expect("nothing left this machine, and nothing was paid", all(map(_free_and_here, (box, lamp))))


def rights(day: Day) -> None:
    """Two people ask the same; only who may know is told."""
    story = day.story
    with story.scene("rights", "Who may not read a page does not get it"):
        question = "When is the payroll cut-off in December?"
        refused, told = day.ask("till", question), day.ask("people", question)
        story.expect("the till is refused, with the reason", refused.code == "denied" and bool(refused.why))
        story.expect("the people team is answered from its page", "the 11th" in told.answer)
        question = "Which stores close in 2027?"
        blind, told = day.ask("till", question), day.ask("office", question)
        story.expect(
            "for the till, the board's page might as well not exist",
            not any(store in blind.answer + blind.message + blind.why for store in _SECRET_STORES)
            and not blind.citations,
        )
        story.expect(
            "the board office is answered, by a model in the house",
            all(store in told.answer for store in _SECRET_STORES) and told.placement == "device",
        )


def honesty(day: Day) -> None:
    """What the handbook does not say is not made up."""
    story = day.story
    with story.scene("honesty", "What nobody wrote down is not made up"):
        asked = day.ask("till", "May colleagues bring a dog to work?")
        story.expect("it says that it does not know", asked.answer == I_DO_NOT_KNOW and not asked.citations)


def cards(day: Day) -> None:
    """A card number stays here, or is taken out before anything leaves."""
    story, vendor = day.story, day.small
    with story.scene("cards", "A card number does not leave the company"):
        before = len(vendor.received)
        here = day.ask("till", f"My card is {_CARD}. How long does a card refund take?")
        story.expect(
            "answered on this machine: no vendor heard of it", _free_and_here(here) and len(vendor.received) == before
        )
        story.tell("A summary is more than quoting can do, so this one goes out:")
        out = day.ask(
            "till", f"Summarise this complaint: I was charged twice for a lamp, card {_CARD}. One back by Friday!"
        )
        last = json.loads(vendor.received[-1])["messages"][-1]["content"] if vendor.received else ""
        story.show(f"What {vendor.vendor} received, word for word:", last)
        story.expect(
            f"{vendor.vendor} saw a placeholder where the number was",
            "[PAYMENT_CARD_1]" in last and "payment_card" in out.redacted,
        )
        everything = "".join(vendor.received + day.large.received).replace(" ", "")
        story.expect("the number is nowhere in what left", _CARD.replace(" ", "") not in everything)
        story.expect("in the reply it is back, for the person who typed it", _CARD in out.answer)


def discounts(day: Day) -> None:
    """A rule of the business, kept by the text of a policy and not by a model's good will."""
    story, vendor = day.story, day.small
    with story.scene("discounts", "A discount beyond the rule does not reach the customer"):
        fair = day.ask("till", "Write to Mrs Keller that we give 15% on the scratched display table.")
        story.expect("15% may go out", "15%" in fair.answer)
        day.sign()
        asked = day.ask(
            "till",
            "Draft an offer with a discount for Mrs Keller: her wardrobe came late, she wants to leave us for good.",
        )
        day.sign()
        story.show(f"What {vendor.vendor} wrote, which was billed and stays here:", vendor.written[-1])
        story.expect("the generous offer was withheld", "35%" in vendor.written[-1] and asked.code == "withheld")
        story.expect("not a word of it was let out", not asked.answer and "35" not in asked.message + asked.why)


def outage(day: Day) -> None:
    """The favourite goes down, and nobody notices but the log."""
    story = day.story
    with story.scene("outage", "The favourite model goes down, the next one answers"):
        day.small.down = True
        story.tell(f"{day.small.vendor}, which summaries prefer, now answers 503 to everything.")
        asked = day.ask(
            "till", "Make a short handover note of these messages for the late shift: two orders, lamp shelf."
        )
        day.small.down = False
        attempts = [record for record in day.records(asked.run) if record.attempt]
        for record in attempts:
            came = f"failed ({record.error.code})" if record.error else "answered"
            story.tell(f"attempt {record.attempt}: {record.model} {came}")
        story.expect("the next model answered the same request", asked.model == "large" and bool(asked.answer))
        story.expect("every failed attempt is on record", any(r.error and r.model == "small" for r in attempts))


def budget(day: Day) -> None:
    """A cap is a cap."""
    story = day.story
    with story.scene("budget", "A department that has spent its budget is told so"):
        story.tell(
            f"Marketing may spend {MARKETING_CAP} USD a day. The newsletter desk asks for one text after the other."
        )
        answered: list[Asked] = []
        for about in _ARTICLES:
            last = day.ask("marketing", f"A short newsletter text about the {about}.")
            if last.code:
                break
            answered.append(last)
        story.expect("texts were written, at a price", bool(answered) and all(each.cost != "0" for each in answered))
        story.expect("the one that might pass the cap was refused before it cost anything", last.code == "over_budget")


def own_models_join(day: Day, *, ask: bool) -> None:
    """Models of the visitor's own, found in the environment, join in; they are asked only if the visitor says so."""
    story, own = day.story, day.company.own
    with story.scene("own_models", "What would it cost? And your own models"):
        question = "How long can I return a lamp?"
        estimate = day.estimate("you", question)
        story.tell(f'An estimate for "{question}" decides everything and sends nothing:')
        for each in estimate["estimates"]:
            story.tell(f"  {each['model']}: {each['likely']} {estimate['currency']} likely, {each['most']} at most")
        names = {each["model"] for each in estimate["estimates"]}
        story.expect("every model that may answer has its price", {"local", "small", "large", *own} <= names)
        story.tell(_about_own(own, ask))
        for name in own if ask else ():
            asked = day.ask("you", question, name)
            failed = [record.error.code for record in day.records(asked.run) if record.error and record.model == name]
            if failed:
                story.tell(f"{name} failed ({failed[-1]}): `fairlead demo --keep`, then `fairlead doctor`")
            story.expect(f"{name} answered", asked.model == name and bool(asked.answer))


def _about_own(own: Collection[str], ask: bool) -> str:
    if not own:
        return "No key of yours and no Ollama was found; with one, your models would stand in this list."
    joined = f"Yours joined in: {', '.join(own)}. A policy of this demonstration keeps everybody but you from them, "
    if ask:
        return joined + "and you ask them this question now. It goes out with the public page that answers it."
    return joined + "so nothing was sent to them. `fairlead demo --ask-own-models` asks them this one question."


def _free_and_here(asked: Asked) -> bool:
    return asked.placement == "device" and asked.cost == "0"


SCENES: Final[tuple[Callable[[Day], None], ...]] = (handbook, rights, honesty, cards, discounts, outage, budget)
