"""The openai SDK: errors as its exceptions, lists of models, embeddings, the async client."""

from __future__ import annotations

import asyncio

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from clients.scenes import QUESTION, never_ending
from clients.vendors import ANSWER, EMBEDDING, NAMES, VENDORS, Vendors

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def client(openai_sdk: openai.OpenAI) -> openai.OpenAI:
    """The SDK under test."""
    return openai_sdk


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model_is_not_found(
    client: openai.OpenAI, vendors: Vendors, *, stream: bool
) -> None:
    """`openai.NotFoundError` names what exists instead; nobody was asked, nothing repeated."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-nonsense", messages=ASKED, stream=stream)
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"
    assert "auto" in caught.value.message
    assert caught.value.request_id
    assert vendors.asked() == []


def test_bad_input_is_a_bad_request(client: openai.OpenAI, vendors: Vendors) -> None:
    """`openai.BadRequestError` names the field."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="auto", messages=ASKED, temperature=9)
    assert caught.value.param == "temperature"
    assert "temperature" in caught.value.message
    assert vendors.asked() == []


def test_several_answers_are_refused_clearly(client: openai.OpenAI, vendors: Vendors) -> None:
    """``n=2`` is a bad request that says so, instead of one answer without a word."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="auto", messages=ASKED, n=2)
    assert caught.value.param == "n"
    assert vendors.asked() == []


@pytest.mark.parametrize("stream", [False, True])
def test_an_outage_of_everybody_is_unavailable(
    client: openai.OpenAI, vendors: Vendors, *, stream: bool
) -> None:
    """503 as an `openai.APIStatusError` that tells who was tried, streaming or not."""
    vendors.stop()
    impatient = client.with_options(max_retries=0)
    with pytest.raises(openai.InternalServerError) as caught:
        impatient.chat.completions.create(
            model="auto", messages=ASKED, stream=stream, extra_body={"deadline_ms": 400}
        )
    assert caught.value.status_code == 503
    assert isinstance(caught.value.body, dict)
    tried = [attempt["provider"] for attempt in caught.value.body["faultmaven"]["attempts"]]
    assert set(tried) == set(NAMES)
    assert vendors.asked() == []


def test_a_cut_answer_raises_in_the_middle(client: openai.OpenAI, vendors: Vendors) -> None:
    """A stream that breaks off is an `openai.APIError`, never an answer that looks whole."""
    vendors.upstreams["openai"].script("stream_cut_after_content")
    told: list[str] = []

    def listen() -> None:
        with client.chat.completions.create(model="openai", messages=ASKED, stream=True) as stream:
            for chunk in stream:
                told.append(chunk.choices[0].delta.content or "")
                assert chunk.choices[0].finish_reason is None

    with pytest.raises(openai.APIError):
        listen()
    assert any(told)
    assert ANSWER.startswith("".join(told))


def test_the_models_are_listed(client: openai.OpenAI, vendors: Vendors) -> None:
    """`models.list` has the chain, the agent and every provider's models, and costs nothing."""
    found = {model.id: model for model in client.models.list()}
    offered = {f"{vendor.name}/{vendor.model}" for vendor in VENDORS.values()}
    assert {"auto", "faultmaven/troubleshoot", *NAMES, *offered} <= set(found)
    assert all(model.owned_by for model in found.values())
    assert vendors.asked() == []


def test_one_model_is_described(client: openai.OpenAI, vendors: Vendors) -> None:
    """`models.retrieve` finds a name with a slash in it, and not one that does not exist."""
    assert client.models.retrieve("openai/gpt-4o").id == "openai/gpt-4o"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nonsense")
    assert vendors.asked() == []


@pytest.mark.parametrize("name", EMBEDDING)
def test_texts_become_vectors(client: openai.OpenAI, vendors: Vendors, name: str) -> None:
    """Embeddings, base64 by the SDK's own choice, are lists of numbers, one for each text."""
    texts = ["disk full", "disk empty"]
    answer = client.embeddings.create(model=EMBEDDING[name], input=texts)
    floats = client.embeddings.create(model=EMBEDDING[name], input=texts, encoding_format="float")
    assert [item.index for item in answer.data] == [0, 1]
    assert len(answer.data[0].embedding) == len(answer.data[1].embedding) > 1
    assert answer.data[0].embedding != answer.data[1].embedding
    for item, plain in zip(answer.data, floats.data, strict=True):
        assert item.embedding == pytest.approx(plain.embedding, rel=1e-6)
    assert answer.usage.total_tokens >= 0
    assert vendors.asked() == [name, name]


async def test_the_async_client_works_alike(url: str, vendors: Vendors) -> None:
    """Plain and streamed at the same time, from different vendors, over one client."""
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client:

        async def plain(name: str) -> str:
            answer = await client.chat.completions.create(model=name, messages=ASKED)
            return answer.choices[0].message.content or ""

        async def streamed(name: str) -> str:
            stream = await client.chat.completions.create(model=name, messages=ASKED, stream=True)
            async with stream:
                return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        said = await asyncio.gather(*map(plain, NAMES), *map(streamed, NAMES))
    assert said == [ANSWER] * (2 * len(NAMES))
    assert sorted(vendors.asked()) == sorted([*NAMES, *NAMES])


async def test_the_async_client_may_leave(url: str, vendors: Vendors) -> None:
    """A stream that is closed early ends the vendor's work as well."""
    vendors.say(never_ending, "openai")
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client:
        stream = await client.chat.completions.create(model="openai", messages=ASKED, stream=True)
        async with stream:
            async for _ in stream:
                break
        await asyncio.to_thread(
            vendors.upstreams["openai"].until, lambda up: up.in_flight == 0, within=2
        )
    assert vendors.upstreams["openai"].disconnects
