"""A slash too many at the end of a path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.chatting import CHAT, asked
from api.service import QUESTION, TROUBLESHOOT, client_of, container_of

_MESSAGES = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, asked()),
        ("/v1/messages", _MESSAGES),
        ("/v1/messages/count_tokens", _MESSAGES),
        ("/api/v1/query", QUESTION),
        (TROUBLESHOOT, QUESTION),
    ],
)
async def test_it_makes_no_difference(tmp_path: Path, path: str, body: dict[str, Any]) -> None:
    """Both paths answer alike."""
    async with client_of(container_of(tmp_path)) as client:
        for form in (path, f"{path}/"):
            assert (await client.post(form, json=body)).status_code == 200


async def test_embeddings_take_it_too(tmp_path: Path) -> None:
    """The refusal of an empty body is the route's own."""
    async with client_of(container_of(tmp_path)) as client:
        response = await client.post("/v1/embeddings/", json={})
        models = await client.get("/v1/models/")
    assert response.json()["error"]["param"] == "model"
    assert models.json()["object"] == "list"


async def test_nobody_is_sent_to_an_address_of_their_own_making(tmp_path: Path) -> None:
    """No redirect is made from the Host header."""
    async with client_of(container_of(tmp_path)) as client:
        response = await client.get("/api/v1/providers/", headers={"host": "evil.example"})
    assert response.status_code == 404
    assert "location" not in response.headers
