"""OpenAI's protocol, as a client reads and writes it."""

from __future__ import annotations

import json
from typing import Any

import httpx

CHAT = "/v1/chat/completions"

ASKED: dict[str, Any] = {
    "model": "auto",
    "messages": [{"role": "user", "content": "What is wrong?"}],
}
"""The smallest request."""


def asked(**fields: Any) -> dict[str, Any]:
    """Write the smallest request with further fields."""
    return {**ASKED, **fields}


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """Read an error, having checked what every one promises."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    (name,) = response.json()
    error: dict[str, Any] = response.json()[name]
    assert name == "error"
    assert set(error) == {"message", "type", "param", "code", "faultmaven"}
    assert error["message"]
    assert error["faultmaven"]["request_id"] == response.headers["x-request-id"]
    return error


def events(body: bytes) -> list[Any]:
    """Read the events of a stream; ``[DONE]`` is the string it is."""
    assert body.endswith(b"\n\n")
    lines = [block for block in body.decode().split("\n\n") if block and not block.startswith(":")]
    datas = [line.removeprefix("data: ") for line in lines]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def chunks(body: bytes) -> list[dict[str, Any]]:
    """Read the chunks of a stream that ended well."""
    *read, done = events(body)
    assert done == "[DONE]"
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in read}) == 1
    assert all(chunk["object"] == "chat.completion.chunk" for chunk in read)
    return read


def deltas(read: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take the deltas of all chunks that have one."""
    return [chunk["choices"][0]["delta"] for chunk in read if chunk.get("choices")]
