"""What models report of tokens makes room in packs, and takes it back at once where they report more."""

from fairlead.context.measure import USUAL
from fairlead.execution.tokens_seen import TokensSeen
from fairlead.models.types import ChatRequest, Message, Model, Placement, Usage

TEXT = "Customers may return what they have bought within thirty days. " * 50
MODEL = Model(name="small", endpoint="e", remote="r", placement=Placement("cloud"))
QUOTES = Model(name="local", endpoint="l", remote="l", placement=Placement("device"), quotes_context=True)


def request(text: str = TEXT) -> ChatRequest:
    return ChatRequest(model="auto", messages=[Message("user", text)], size=len(text))


def test_many_reports_lower_the_rate_and_one_raises_it() -> None:
    seen = TokensSeen()
    for _ in range(23):
        seen.note("small", request(), Usage(input=len(TEXT) // 5))
    assert seen.measure({"small": MODEL}) == USUAL
    seen.note("small", request(), Usage(input=len(TEXT) // 5))
    learned = seen.measure({"small": MODEL}).prose
    assert 0.2 <= learned < USUAL.prose
    seen.note("small", request(), Usage(input=len(TEXT) // 2))
    assert seen.measure({"small": MODEL}).prose >= 0.49
    assert seen.measure({"local": QUOTES}).prose == 0.25


def test_guesses_short_texts_and_other_things_than_text_teach_nothing() -> None:
    seen = TokensSeen()
    for _ in range(30):
        seen.note("small", request("short"), Usage(input=5))
        seen.note("small", request(), Usage(input=1, estimated=True))
    assert seen.measure({"small": MODEL}) == USUAL
