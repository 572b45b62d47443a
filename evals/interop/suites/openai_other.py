"""The official `openai` client: embeddings and legacy completions."""

import base64
import struct
from typing import Any

import openai
import pytest
from asking import KEY, MODEL, URL, VECTORS

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=100)
PROMPT = "<|talk|><|im_start|>assistant\n"


def complete(prompt: Any = PROMPT, **more: Any) -> Any:
    return client.completions.create(model=MODEL, prompt=prompt, temperature=0, **{"max_tokens": 12} | more)


def test_one_embedding() -> None:
    (found,) = client.embeddings.create(model=VECTORS, input="a lamp", encoding_format="float").data
    assert found.index == 0
    assert all(isinstance(number, float) for number in found.embedding)
    assert len(found.embedding) > 16


def test_several_embeddings_in_order() -> None:
    texts = ["a lamp", "a shelf", "a cat"]
    reply = client.embeddings.create(model=VECTORS, input=texts, encoding_format="float")
    assert [each.index for each in reply.data] == [0, 1, 2]
    for number, text in enumerate(texts):
        alone = client.embeddings.create(model=VECTORS, input=text, encoding_format="float").data[0].embedding
        assert alone == pytest.approx(reply.data[number].embedding, abs=1e-3)


def test_embeddings_in_base64_are_the_same() -> None:
    asked = {"model": VECTORS, "input": "a lamp"}
    plain = client.embeddings.create(**asked, encoding_format="float").data[0].embedding
    packed = client.embeddings.create(**asked, encoding_format="base64").data[0].embedding
    raw = base64.b64decode(packed)  # type: ignore[arg-type]
    assert list(struct.unpack(f"<{len(raw) // 4}f", raw)) == pytest.approx(plain, abs=1e-3)


def test_embeddings_as_the_client_asks_by_itself() -> None:
    assert len(client.embeddings.create(model=VECTORS, input="a lamp").data[0].embedding) > 16


def test_usage_of_embeddings() -> None:
    usage = client.embeddings.create(model=VECTORS, input="a lamp").usage
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens


def test_an_embedding_of_nothing() -> None:
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=VECTORS, input=[])


def test_a_completion() -> None:
    reply = complete()
    assert reply.object == "text_completion"
    assert reply.choices[0].text
    assert reply.usage.completion_tokens > 0


def test_a_completion_that_is_cut() -> None:
    reply = complete(max_tokens=4)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 4


def test_a_completion_in_a_stream() -> None:
    chunks = list(complete(stream=True))
    assert "".join(each.choices[0].text for each in chunks if each.choices) == complete().choices[0].text
    assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "length"


def test_usage_of_a_completion_in_a_stream() -> None:
    chunks = list(complete(stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.completion_tokens == 12


def test_a_completion_with_a_stop_text() -> None:
    whole = complete().choices[0].text
    stop = whole.split()[2]
    assert stop not in complete(stop=[stop]).choices[0].text


def test_completions_of_two_prompts() -> None:
    assert [each.index for each in complete([PROMPT, "a lamp"]).choices] == [0, 1]


def test_two_completions() -> None:
    assert len(complete(n=2).choices) == 2


def test_a_completion_with_logprobs() -> None:
    found = complete(logprobs=2, max_tokens=3).choices[0].logprobs
    assert found is not None
