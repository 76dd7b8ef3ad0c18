"""A body of too many parts is refused before it is checked; a log in it is no part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.service import TROUBLESHOOT, client_of, container_of
from faultmaven.api.body import MOST_OBJECTS, MOST_VALUES

_CHAT = "/v1/chat/completions"


async def _post(folder: Path, path: str, body: dict[str, Any]) -> httpx.Response:
    async with client_of(container_of(folder)) as client:
        return await client.post(path, json=body)


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "why?"}] * (MOST_OBJECTS + 1),
        [{"role": "user", "content": 'say \\"no\\" {[,'}] * (MOST_OBJECTS + 1),
        [1] * (MOST_VALUES + 10),
    ],
    ids=["objects", "objects with quotes in texts", "values"],
)
async def test_too_many_parts_are_413(tmp_path: Path, messages: list[Any]) -> None:
    """Checking them one by one would hold everybody up."""
    answer = await _post(tmp_path, _CHAT, {"model": "auto", "messages": messages})

    assert answer.status_code == 413
    assert "objects" in answer.json()["error"]["message"]


async def test_too_many_tokens_are_told_to_come_as_text(tmp_path: Path) -> None:
    """A hundred inputs of 512 tokens each are too many numbers; as texts they are a hundred."""
    inputs = [list(range(512))] * 100
    answer = await _post(tmp_path, "/v1/embeddings", {"model": "auto", "input": inputs})

    assert answer.status_code == 413
    assert "as text, not as tokens" in answer.json()["error"]["message"]


@pytest.mark.parametrize("line", ['{"level": "info", "n": [1, 2]}', 'a \\ "b" {,', "\\", '"'])
async def test_what_stands_in_a_log_does_not_count(tmp_path: Path, line: str) -> None:
    """JSON lines, quotes and backslashes in a text are text."""
    log = f"{line}\n" * (MOST_VALUES // 2 + 1)

    answer = await _post(tmp_path, TROUBLESHOOT, {"session_id": "a", "query": log})

    assert answer.status_code == 200


async def test_a_body_wrong_in_a_thousand_places_says_so_once(tmp_path: Path) -> None:
    """Each fault costs time to tell, and nobody reads them."""
    answer = await _post(tmp_path, _CHAT, {"model": "auto", "messages": [1] * 2_000})

    assert answer.status_code == 400
    assert "is wrong in 2,000 places" in answer.json()["error"]["message"]
