"""What Google refuses of functions, their responses, signatures and images."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import Received, ask, sample_of
from upstreams.dialects.gemini_answer import signature_of

PNG = "iVBORw0KGgo="

ASKED = {"role": "user", "parts": [{"text": "x"}]}
SIGNED = {"functionCall": {"name": "df", "args": {}}, "thoughtSignature": signature_of("df", {})}
UNSIGNED = {"functionCall": {"name": "df", "args": {}}}
SKIPPED = {**UNSIGNED, "thoughtSignature": "skip_thought_signature_validator"}


def model(*parts: Any) -> dict[str, Any]:
    """Write a turn of the model."""
    return {"role": "model", "parts": list(parts)}


def responses(*names: str, response: Any = None) -> dict[str, Any]:
    """Write a turn with responses."""
    shown = {"result": 1} if response is None else response
    parts = [{"functionResponse": {"name": name, "response": shown}} for name in names]
    return {"role": "user", "parts": parts}


def declared(**function: Any) -> list[dict[str, Any]]:
    """Declare one function."""
    return [{"functionDeclarations": [{"name": "df", **function}]}]


def calling(**config: Any) -> dict[str, Any]:
    """Say how functions may be called."""
    return {"tools": declared(), "toolConfig": {"functionCallingConfig": config}}


GEMINI_ACCEPTS: list[dict[str, Any]] = [
    {"tools": declared(parametersJsonSchema={"type": "object", "$defs": {}})},
    {"tools": declared(parameters={"type": "OBJECT"})},
    calling(mode="ANY", allowedFunctionNames=["df"]),
    {"contents": [ASKED, model(SIGNED), responses("df")]},
    {"contents": [ASKED, model(SIGNED, UNSIGNED), responses("df", "df")]},
    {"contents": [ASKED, model(SKIPPED), responses("df")]},
    {"contents": [ASKED, model(UNSIGNED), responses("df"), model({"text": "y"}), ASKED]},
    {"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}]}]},
    {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": PNG}}]}]},
]
GEMINI_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"tools": [{"functionDeclarations": [{"name": "1df"}]}]}, "Invalid function name"),
    ({"tools": declared(parameters={"$ref": "#"})}, 'Unknown name "$ref"'),
    ({"tools": declared(parameters={}, parametersJsonSchema={})}, "Only one of parameters"),
    (calling(mode="required"), "Invalid value at 'mode'"),
    (calling(mode="AUTO", allowedFunctionNames=["df"]), "only be set when"),
    (calling(mode="ANY", allowedFunctionNames=["ps"]), "must be declared"),
    ({"contents": [ASKED, model(SIGNED)]}, "number of function response parts"),
    ({"contents": [ASKED, model(SIGNED), ASKED]}, "number of function response parts"),
    ({"contents": [ASKED, model(SIGNED), responses("df", "df")]}, "number of function response"),
    ({"contents": [ASKED, model(SIGNED), responses("ps")]}, "names of the function calls"),
    ({"contents": [ASKED, responses("df")]}, "immediately after a function call"),
    ({"contents": [ASKED, model(SIGNED), responses("df", response="x")]}, "expected an object"),
    ({"contents": [ASKED, model(UNSIGNED), responses("df")]}, "missing a thought_signature"),
    (
        {"contents": [ASKED, model(SIGNED), responses("df"), model(UNSIGNED), responses("df")]},
        "missing a thought_signature",
    ),
    (
        {"contents": [ASKED, model({**UNSIGNED, "thoughtSignature": "AAAA"}), responses("df")]},
        "signature is not valid",
    ),
    (
        {
            "contents": [
                ASKED,
                model({**SIGNED, "functionCall": {"name": "df", "args": {"a": 1}}}),
                responses("df"),
            ]
        },
        "signature is not valid",
    ),
    (
        {"contents": [ASKED, model({"text": "y", "thoughtSignature": "?"}), ASKED]},
        "signature is not valid",
    ),
    ({"contents": [{"parts": [{"image_url": "x"}]}]}, 'Unknown name "image_url"'),
    ({"contents": [{"parts": [{"inlineData": {"data": PNG}}]}]}, "inline_data"),
    ({"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "!"}}]}]}, "inline_data"),
]


async def gemini(changes: dict[str, Any], name: str = "gemini-3.8-flash") -> Received:
    """Ask a model that signs."""
    async with Upstream("gemini", models={name}) as up:
        return await ask(up, sample_of(up, **changes))


@pytest.mark.parametrize("changes", GEMINI_ACCEPTS, ids=str)
async def test_gemini_accepts(changes: dict[str, Any]) -> None:
    """What the vendor allows gets an answer."""
    received = await gemini(changes)
    assert received.status == 200, received.body


@pytest.mark.parametrize(("changes", "words"), GEMINI_REFUSES, ids=str)
async def test_gemini_refuses(changes: dict[str, Any], words: str) -> None:
    """What the vendor forbids gets its 400."""
    received = await gemini(changes)

    assert received.status == 400
    assert words in received.json["error"]["message"]


async def test_an_older_gemini_wants_no_signature() -> None:
    """Those before 3 sign nothing."""
    changes = {"contents": [ASKED, model(UNSIGNED), responses("df")]}
    assert (await gemini(changes, "gemini-2.5-pro")).status == 200
