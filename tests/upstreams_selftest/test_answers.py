"""What the model says, and JSON by each vendor's own means."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from upstreams import Answer, Finish, Request, Upstream
from upstreams.client import ask, sample_of

SCHEMA = {
    "type": "object",
    "properties": {"cause": {"type": "string"}},
    "required": ["cause"],
    "additionalProperties": False,
}
OPENAI_SCHEMA = {"type": "json_schema", "json_schema": {"name": "d", "schema": SCHEMA}}
MEANS: list[tuple[str, int, Mapping[str, Any]]] = [
    ("openai", 0, {"response_format": OPENAI_SCHEMA}),
    ("openai", 0, {"response_format": {"type": "json_object"}}),
    ("fireworks", 0, {"response_format": OPENAI_SCHEMA}),
    ("vllm", 0, {"response_format": OPENAI_SCHEMA}),
    ("llamacpp", 0, {"response_format": OPENAI_SCHEMA}),
    ("llamacpp", 1, {"json_schema": SCHEMA}),
    ("anthropic", 0, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ("gemini", 0, {"generationConfig": {"responseMimeType": "application/json"}}),
    ("cohere", 1, {"response_format": {"type": "json_object", "schema": SCHEMA}}),
    ("ollama", 0, {"format": SCHEMA}),
    ("ollama", 1, {"response_format": OPENAI_SCHEMA}),
    ("tgi", 0, {"parameters": {"grammar": {"type": "json", "value": SCHEMA}}}),
]


@pytest.mark.parametrize(("dialect", "number", "changes"), MEANS, ids=str)
async def test_a_mapping_is_json_where_json_was_asked_for(
    dialect: str, number: int, changes: Mapping[str, Any]
) -> None:
    """Asked for by the vendor's means it is bare JSON, otherwise it sits in a fence."""
    async with Upstream(dialect, answer={"cause": 'a "full" disk'}) as up:
        asked = (await ask(up, sample_of(up, number, **changes))).body.decode()
        plain = (await ask(up, sample_of(up, number))).body.decode()

    bare = json.dumps(json.dumps({"cause": 'a "full" disk'}))
    assert bare in asked
    assert bare not in plain
    assert "```json" in plain


async def test_an_answer_may_depend_on_the_request() -> None:
    """A function sees the recorded request."""

    def shout(request: Request) -> str:
        return str(request.json["messages"][-1]["content"]).upper()

    async with Upstream("openai", answer=shout) as up:
        body = (await ask(up)).json

    assert body["choices"][0]["message"]["content"] == "WHY DOES THE POD RESTART?"


async def test_what_the_model_says_may_change() -> None:
    """`answer` can be set while it runs."""
    async with Upstream("openai", answer="one") as up:
        first = (await ask(up)).json["choices"][0]["message"]["content"]
        up.answer = "two"
        second = (await ask(up)).json["choices"][0]["message"]["content"]

    assert (first, second) == ("one", "two")


WORDS: list[tuple[str, int, str, dict[Finish, str]]] = [
    ("openai", 0, "finish_reason", {Finish.STOP: "stop", Finish.LENGTH: "length"}),
    ("together", 0, "finish_reason", {Finish.STOP: "eos", Finish.FILTER: "content_filter"}),
    ("anthropic", 0, "stop_reason", {Finish.STOP: "end_turn", Finish.REFUSAL: "refusal"}),
    ("gemini", 0, "finishReason", {Finish.LENGTH: "MAX_TOKENS", Finish.FILTER: "SAFETY"}),
    ("cohere", 0, "finish_reason", {Finish.STOP: "COMPLETE", Finish.FILTER: "ERROR_TOXIC"}),
    ("cohere", 1, "finish_reason", {Finish.STOP: "COMPLETE", Finish.LENGTH: "MAX_TOKENS"}),
    ("ollama", 0, "done_reason", {Finish.STOP: "stop", Finish.LENGTH: "length"}),
    ("llamacpp", 1, "stop_type", {Finish.STOP: "eos", Finish.LENGTH: "limit"}),
]


@pytest.mark.parametrize(("dialect", "number", "field", "words"), WORDS, ids=str)
async def test_each_vendor_has_its_words_for_the_end(
    dialect: str, number: int, field: str, words: dict[Finish, str]
) -> None:
    """The finish reason is the vendor's."""
    async with Upstream(dialect) as up:
        for finish, word in words.items():
            up.script(Answer(text="x", finish=finish))
            received = await ask(up, sample_of(up, number))
            assert f'"{field}":"{word}"'.encode() in received.body


REASONING: list[tuple[str, str]] = [
    ("fireworks", "reasoning_content"),
    ("openrouter", "reasoning"),
    ("vllm", "reasoning"),
    ("llamacpp", "reasoning_content"),
]


@pytest.mark.parametrize(("dialect", "field"), REASONING)
async def test_reasoning_stands_beside_the_text(dialect: str, field: str) -> None:
    """It has a field of its own and is never part of the content."""
    async with Upstream(dialect) as up:
        up.script("with_thinking")
        message = (await ask(up)).json["choices"][0]["message"]

    assert message[field] == "Let me see."
    assert message["content"] == "The disk is full."


async def test_openai_counts_reasoning_it_does_not_show() -> None:
    """The text is empty, the budget is gone, and only the count tells why."""
    async with Upstream("openai") as up:
        up.script("thinking_only")
        body = (await ask(up)).json

    usage = body["usage"]
    assert body["choices"][0]["message"]["content"] == ""
    assert usage["completion_tokens_details"]["reasoning_tokens"] == usage["completion_tokens"] > 0


async def test_gemini_counts_thoughts_apart() -> None:
    """The candidates' count leaves the thoughts out, the total does not."""
    async with Upstream("gemini") as up:
        up.script("with_thinking")
        body = (await ask(up)).json

    usage = body["usageMetadata"]
    parts = usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert usage["totalTokenCount"] == parts
    assert [part.get("thought") for part in body["candidates"][0]["content"]["parts"]] == [
        True,
        None,
    ]


async def test_a_blocked_prompt_has_the_vendors_own_shape() -> None:
    """Each vendor says it elsewhere."""
    shown = {}
    for dialect in ("openai", "anthropic", "gemini"):
        async with Upstream(dialect) as up:
            up.script("blocked")
            shown[dialect] = (await ask(up)).json

    assert shown["openai"]["choices"][0]["finish_reason"] == "content_filter"
    assert shown["anthropic"]["stop_reason"] == "refusal"
    assert shown["anthropic"]["content"] == []
    assert shown["gemini"]["promptFeedback"]["blockReason"] == "SAFETY"
    assert "candidates" not in shown["gemini"]
