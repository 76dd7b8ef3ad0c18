"""litellm as a client, through OpenAI's protocol and through Anthropic's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import litellm
import pytest
from litellm.exceptions import NotFoundError

from clients.scenes import (
    DESCRIPTIONS,
    DIAGNOSIS,
    PATH,
    QUESTION,
    RESULTS,
    SCHEMAS,
    VERDICT,
    Diagnosis,
    looks_at_both,
)
from clients.vendors import ANSWER, NAMES, Vendors

ASKED: list[dict[str, Any]] = [{"role": "user", "content": QUESTION}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": DESCRIPTIONS[name],
            "parameters": dict(schema),
        },
    }
    for name, schema in SCHEMAS.items()
]
PROTOCOLS = ("openai", "anthropic")

pytestmark = [
    # litellm builds a pydantic model over a read-only field, and pydantic warns of that.
    pytest.mark.filterwarnings("ignore:.*using the `ReadOnly` qualifier:UserWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _loop() -> Iterator[None]:
    """An event loop for the thread: litellm would make one itself, and never close it."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def completion(url: str, protocol: str, name: str, **options: Any) -> Any:
    """Ask as litellm's users do: a prefix for the protocol, and the address."""
    base = f"{url}/v1" if protocol == "openai" else url
    return litellm.completion(
        model=f"{protocol}/{name}", api_base=base, api_key="any", messages=ASKED, **options
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [*NAMES, "auto"])
def test_every_vendor_answers(url: str, vendors: Vendors, name: str, protocol: str) -> None:
    """Text, finish and tokens arrive through either protocol."""
    answer = completion(url, protocol, name)
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens > 0
    assert vendors.asked() == ["openai" if name == "auto" else name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_streams(url: str, vendors: Vendors, name: str, protocol: str) -> None:
    """The text comes in several pieces through either protocol."""
    chunks = list(completion(url, protocol, name, stream=True))
    pieces = [c.choices[0].delta.content for c in chunks if c.choices[0].delta.content]
    assert len(pieces) > 1
    assert "".join(pieces) == ANSWER
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert vendors.asked() == [name]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", NAMES)
def test_tools_are_used(
    url: str, vendors: Vendors, name: str, protocol: str, *, stream: bool
) -> None:
    """Two calls at once, their results, and the answer, through either protocol."""
    vendors.say(looks_at_both, name)
    first = completion(url, protocol, name, tools=TOOLS, stream=stream)
    if stream:
        first = litellm.stream_chunk_builder(list(first), messages=ASKED)
    message = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]}
        for call in message.tool_calls
    ]
    base = f"{url}/v1" if protocol == "openai" else url
    second = litellm.completion(
        model=f"{protocol}/{name}",
        api_base=base,
        api_key="any",
        messages=[*ASKED, message.model_dump(exclude_none=True), *results],
        tools=TOOLS,
    )
    assert [(c.function.name, json.loads(c.function.arguments)) for c in message.tool_calls] == [
        ("disk_usage", PATH),
        ("uptime", {}),
    ]
    assert second.choices[0].message.content == VERDICT
    assert vendors.asked() == [name, name]


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_kept(url: str, vendors: Vendors, name: str) -> None:
    """``response_format`` with a class holds the vendor to its schema."""
    vendors.say(DIAGNOSIS, name)
    answer = completion(url, "openai", name, response_format=Diagnosis)
    parsed = Diagnosis.model_validate_json(answer.choices[0].message.content)
    assert parsed == Diagnosis.model_validate(DIAGNOSIS)
    assert b'"certain"' in vendors.last(name).body


async def test_the_async_function_works_alike(url: str, vendors: Vendors) -> None:
    """``acompletion`` streams as its sibling does."""
    stream = await litellm.acompletion(
        model="openai/gemini", api_base=f"{url}/v1", api_key="any", messages=ASKED, stream=True
    )
    said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert said == ANSWER
    assert vendors.asked() == ["gemini"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unknown_model_is_not_found(url: str, vendors: Vendors, protocol: str) -> None:
    """The exception is its own one, with what exists instead."""
    with pytest.raises(NotFoundError, match="auto"):
        completion(url, protocol, "nonsense")
    assert vendors.asked() == []
