import pytest

from fairlead.context.citations import citations_in
from fairlead.context.types import Citation, Pack
from fairlead.errors import Rejected
from fairlead.models.extractive import I_DO_NOT_KNOW, ExtractiveDriver
from fairlead.models.sampling import Sampling
from fairlead.models.types import (
    ChatRequest,
    Chunk,
    FunctionTool,
    Message,
    Model,
    ModelCall,
    Passage,
    Placement,
    ResponseFormat,
    TextPart,
    Tool,
)

MODEL = Model(name="local/extractive", endpoint="local", remote="extractive", placement=Placement("device"))
RETURNS = Passage("returns@0123456789ab", "Returns", "We are open daily. Customers may return an item within 30 days.")
QUESTION = "How many days do customers have to return an item?"


def call(question: str = QUESTION, *passages: Passage, max_output: int = 500, **request: object) -> ModelCall:
    messages = [
        Message(role="system", content="Answer from the passages."),
        Message(role="user", content="Something else?"),
        Message(role="user", content=[TextPart(question)]),
        Message(role="assistant", content="Let me see."),
    ]
    return ModelCall(
        model=MODEL,
        request=ChatRequest(model="auto", messages=messages, size=100, **request),  # type: ignore[arg-type]
        passages=passages,
        max_output=max_output,
        deadline=100.0,
        idempotency_key="run_1.0",
    )


async def answered(asked: ModelCall) -> list[Chunk]:
    return [chunk async for chunk in ExtractiveDriver().answer(asked)]


def text_in(chunks: list[Chunk], index: int = 0) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.index == index)


async def test_the_last_question_is_answered_by_a_quotation_and_its_citation() -> None:
    chunks = await answered(call(QUESTION, RETURNS))
    assert text_in(chunks) == "Customers may return an item within 30 days. [returns@0123456789ab]"
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["stop"]
    pack = Pack(citations=(Citation("returns@0123456789ab", "Returns", "", "retail"),))
    assert citations_in(text_in(chunks), pack) == pack.citations


async def test_it_says_that_it_does_not_know() -> None:
    assert text_in(await answered(call("Who is the chief executive?", RETURNS))) == I_DO_NOT_KNOW
    assert text_in(await answered(call(QUESTION))) == I_DO_NOT_KNOW


async def test_several_quotations_come_as_several_pieces() -> None:
    papers = Passage("papers@0123456789ab", "Papers", "For a return we need:\n\n- the receipt\n- the item")
    chunks = await answered(call("What do we need for a return?", papers))
    assert len([chunk for chunk in chunks if chunk.text]) == 3
    assert text_in(chunks).count("[papers@0123456789ab]") == 3


async def test_usage_is_estimated_and_comes_once_at_the_end() -> None:
    chunks = await answered(call(QUESTION, RETURNS))
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.estimated
    assert usage.input > usage.output > 0


async def test_each_choice_gets_the_same_reply() -> None:
    chunks = await answered(call(QUESTION, RETURNS, choices=2))
    assert text_in(chunks, 0) == text_in(chunks, 1) != ""


async def test_the_output_limit_and_stop_sequences_are_kept() -> None:
    short = await answered(call(QUESTION, RETURNS, max_output=3))
    assert text_in(short) == "Customers ma"
    assert [chunk.finish for chunk in short if chunk.finish] == ["length"]
    stopped = await answered(call(QUESTION, RETURNS, sampling=Sampling(stop=["50", "30"])))
    assert [chunk.stop for chunk in stopped if chunk.finish] == ["30"]
    assert text_in(stopped) == "Customers may return an item within "


@pytest.mark.parametrize(
    "request_",
    [
        {"tools": [Tool(FunctionTool("look"))]},
        {"response_format": ResponseFormat("json_object")},
        {"response_format": ResponseFormat("json_schema")},
        {"sampling": Sampling(logprobs=True)},
    ],
)
async def test_what_quoting_cannot_give_is_rejected_before_the_first_piece(request_: dict[str, object]) -> None:
    with pytest.raises(Rejected) as caught:
        await answered(call(QUESTION, RETURNS, **request_))  # type: ignore[arg-type]
    assert not caught.value.retryable
    assert caught.value.mend


async def test_a_request_for_plain_text_is_answered() -> None:
    assert text_in(await answered(call(QUESTION, RETURNS, response_format=ResponseFormat("text")))) != ""


async def test_it_is_always_there_whatever_the_registry_gives_it() -> None:
    assert await ExtractiveDriver(None, None, None).probe() == ["extractive"]
