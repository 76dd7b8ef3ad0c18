"""Cohere's rules, for the old endpoint and the current one."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import ask, call, sample_of

GENERATE, CHAT = 0, 1

REFUSED: list[tuple[int, dict[str, Any], int]] = [
    (GENERATE, {"prompt": None}, 400),
    (GENERATE, {"prompt": ""}, 400),
    (GENERATE, {"messages": []}, 400),
    (GENERATE, {"temperature": 9}, 400),
    (GENERATE, {"model": "command-x"}, 404),
    (CHAT, {"model": None}, 400),
    (CHAT, {"messages": []}, 400),
    (CHAT, {"messages": [{"role": "developer", "content": "x"}]}, 400),
    (CHAT, {"messages": [{"role": "user", "content": ""}]}, 400),
    (CHAT, {"prompt": "x"}, 400),
    (CHAT, {"max_completion_tokens": 5}, 400),
    (CHAT, {"response_format": {"type": "json_schema"}}, 400),
    (CHAT, {"model": "command-x"}, 404),
]


@pytest.mark.parametrize(("number", "changes", "status"), REFUSED, ids=str)
async def test_cohere_refuses(number: int, changes: dict[str, Any], status: int) -> None:
    """The message stands at top level."""
    async with Upstream("cohere") as up:
        received = await ask(up, sample_of(up, number, **changes))

    assert received.status == status
    assert received.json.keys() == {"id", "message"}


async def test_cohere_accepts_the_documented_request() -> None:
    """Prompt, token limit and temperature, with `end_sequences` under either name."""
    async with Upstream("cohere") as up:
        changes = {"max_tokens": 1000, "temperature": 0.7, "stop_sequences": ["END"], "k": 0}
        received = await ask(up, sample_of(up, GENERATE, **changes))

    assert received.json["generations"][0]["text"] == "The disk is full."
    assert received.json["meta"]["billed_units"].keys() == {"input_tokens", "output_tokens"}


async def test_the_current_endpoint_counts_in_floats() -> None:
    """Token counts have a point there."""
    async with Upstream("cohere") as up:
        body = (await ask(up, sample_of(up, CHAT))).json

    assert body["message"]["content"] == [{"type": "text", "text": "The disk is full."}]
    assert isinstance(body["usage"]["tokens"]["input_tokens"], float)


async def test_the_key_can_be_checked_for_nothing() -> None:
    """A wrong key is refused, a right one is valid."""
    async with Upstream("cohere") as up:
        path = "/v1/check-api-key"
        right = await call(up, "POST", path, headers={"authorization": f"Bearer {up.key}"})
        wrong = await call(up, "POST", path, headers={"authorization": "Bearer no"})

    assert right.json["valid"] is True
    assert wrong.status == 401
    assert wrong.json["message"] == "invalid api token"
