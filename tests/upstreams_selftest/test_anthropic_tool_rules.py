"""What Anthropic refuses of tools, their results, thoughts and images."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import Received, ask, sample_of
from upstreams.dialects.anthropic_answer import VENDOR
from upstreams.dialects.signatures import sign

PNG = "iVBORw0KGgo="
USER = {"role": "user", "content": "x"}

CLAUDE_TOOL = {"name": "df", "input_schema": {"type": "object"}}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": sign(VENDOR, "Hm.")}
THINKS = {"type": "enabled", "budget_tokens": 1024}


def use(identity: str = "toolu_1", given: Any = None) -> dict[str, Any]:
    """Write a tool's use."""
    shown = {} if given is None else given
    return {"type": "tool_use", "id": identity, "name": "df", "input": shown}


def outcome(identity: str = "toolu_1", content: Any = "full") -> dict[str, Any]:
    """Write a tool's result."""
    return {"type": "tool_result", "tool_use_id": identity, "content": content}


def turns(*contents: Any) -> dict[str, Any]:
    """Write a conversation in which user and assistant take turns, the user first."""
    return {
        "messages": [
            {"role": ("user", "assistant")[place % 2], "content": content}
            for place, content in enumerate(contents)
        ]
    }


def picture(**source: Any) -> list[dict[str, Any]]:
    """Write a content with an image."""
    return [{"type": "image", "source": source}]


TEXT = {"type": "text", "text": "x"}
ANTHROPIC_ACCEPTS: list[dict[str, Any]] = [
    {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
    {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "tool", "name": "df"}},
    {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "none"}},
    {"tools": [CLAUDE_TOOL], "thinking": THINKS, "tool_choice": {"type": "auto"},
     "max_tokens": 2048},
    turns("x", [use("a"), use("b")], [outcome("b"), outcome("a"), TEXT]),
    turns("x", [THINKING, use()], [outcome(content=[TEXT, *picture(
        type="base64", media_type="image/png", data=PNG)])]),
    turns("x", [use()], [{**outcome(), "is_error": True}]),
    turns(picture(type="url", url="https://127.0.0.1/a.png")),
    turns(picture(type="base64", media_type="image/webp", data=PNG)),
    {"messages": [USER, {"role": "assistant", "content": [use("a")]},
                  {"role": "user", "content": [outcome("a")]}, USER]},
]  # fmt: skip
ANTHROPIC_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{"name": "df"}]}, "input_schema"),
    ({"tools": [{"name": "d f", "input_schema": {"type": "object"}}]}, "name"),
    ({"tools": [{**CLAUDE_TOOL, "parameters": {}}]}, "Extra inputs"),
    ({"tools": [CLAUDE_TOOL, CLAUDE_TOOL]}, "unique"),
    ({"tool_choice": {"type": "auto"}}, "while providing tools"),
    ({"tools": [CLAUDE_TOOL], "tool_choice": {"type": "required"}}, "expected tags"),
    ({"tools": [CLAUDE_TOOL], "tool_choice": {"type": "tool", "name": "ps"}}, "not found"),
    ({"tools": [CLAUDE_TOOL], "tool_choice": "auto"}, "expected an object"),
    (
        {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "none", "disable_parallel_tool_use": 1}},
        "Extra inputs",
    ),
    (
        {"tools": [CLAUDE_TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
        "forces tool use",
    ),
    ({"thinking": {"type": "enabled", "budget_tokens": 10}}, "budget_tokens"),
    (turns("x", [use("call.1")], [outcome("call.1")]), "should match pattern"),
    (turns("x", [use("")], [outcome("")]), "should match pattern"),
    (turns("x", [use(given="{}")], [outcome()]), "valid dictionary"),
    (turns("x", [use()]), "without `tool_result` blocks"),
    (turns("x", [use()], "y"), "without `tool_result` blocks"),
    (turns("x", [use()], [TEXT, outcome()]), "without `tool_result` blocks"),
    (turns("x", [use("a"), use("b")], [outcome("a")]), "immediately after: b"),
    (turns("x", [use("a"), use("a")], [outcome("a")]), "must be unique"),
    (turns("x", [use("a")], [outcome("a"), outcome("a")]), "single result"),
    (turns("x", "y", [outcome()]), "unexpected `tool_use_id`"),
    (turns([outcome()]), "unexpected `tool_use_id`"),
    (turns("x", [use()], [outcome()], "y", [outcome()]), "unexpected `tool_use_id`"),
    (turns([use()]), "expected tags"),
    (turns("x", [{**THINKING, "signature": "foreign"}], "y"), "Invalid `signature`"),
    (turns("x", [{**THINKING, "thinking": "Changed."}], "y"), "Invalid `signature`"),
    (turns("x", [{"type": "thinking", "thinking": "Hm."}], "y"), "Field required"),
    (turns(picture(type="base64", media_type="image/tiff", data=PNG)), "media_type"),
    (turns(picture(type="base64", media_type="image/png", data="!")), "base64"),
    (turns(picture(type="url", url="data:image/png;base64,AAAA")), "source"),
    (turns([{"type": "image_url", "image_url": {}}]), "expected tags"),
]


async def told(changes: dict[str, Any]) -> Received:
    """Ask with changes."""
    async with Upstream("anthropic") as up:
        return await ask(up, sample_of(up, **changes))


@pytest.mark.parametrize("changes", ANTHROPIC_ACCEPTS, ids=str)
async def test_anthropic_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    received = await told(changes)
    assert received.status == 200, received.body


@pytest.mark.parametrize(("changes", "words"), ANTHROPIC_REFUSES, ids=str)
async def test_anthropic_refuses(changes: dict[str, Any], words: str) -> None:
    """What the vendor forbids gets its 400."""
    received = await told(changes)

    assert received.status == 400
    assert words in received.json["error"]["message"]
