"""GET /v1/models: the names that can be asked for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.chatting import CHAT, asked, error_of
from api.service import client_of, container_of
from doubles import Say, row, scripted

ROWS = {
    "one": row(scripted(Say("I am one.")), models=("model-1", "deep/model")),
    "two": row(scripted(Say("I am two.")), default_model="org/model-2"),
}
NAMES = [
    "auto",
    "faultmaven/troubleshoot",
    "one",
    "two",
    "one/model-1",
    "one/deep/model",
    "two/org/model-2",
]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with two providers, of which the chain has the first alone."""
    variables = {"FALLBACK_CHAIN": "none", "MODEL_MAP": '{"gpt-4o": {"one": "deep/model"}}'}
    async with client_of(container_of(tmp_path, rows=ROWS, variables=variables)) as client:
        yield client


async def test_the_list_has_openais_shape(client: httpx.AsyncClient) -> None:
    """The chain, the agent, the providers and their models; created is a time."""
    before = int(time.time()) - 60
    body = (await client.get("/v1/models")).json()
    assert set(body) == {"object", "data"}
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == NAMES
    for model in body["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert model["object"] == "model"
        assert before <= model["created"] <= time.time()
    owners = [model["owned_by"] for model in body["data"]]
    assert owners == ["faultmaven", "faultmaven", "one", "two", "one", "one", "two"]


async def test_clients_of_anthropic_get_their_own_shape(client: httpx.AsyncClient) -> None:
    """Whoever sends anthropic-version reads pages of models with a display name."""
    headers = {"anthropic-version": "2023-06-01"}
    body = (await client.get("/v1/models", headers=headers)).json()
    assert [model["id"] for model in body["data"]] == NAMES
    assert (body["has_more"], body["first_id"], body["last_id"]) == (False, NAMES[0], NAMES[-1])
    one = (await client.get("/v1/models/one/model-1", headers=headers)).json()
    assert one["created_at"].endswith("Z")
    assert one == {**body["data"][4], "type": "model", "display_name": "one/model-1"}


@pytest.mark.parametrize("name", [*NAMES, "one%2Fmodel-1", "model-1", "gpt-4o"])
async def test_every_name_can_be_shown(client: httpx.AsyncClient, name: str) -> None:
    """Slashes and all; a model of the chain or of MODEL_MAP by its bare name as well."""
    response = await client.get(f"/v1/models/{name}")
    assert response.json()["id"] == name.replace("%2F", "/")


@pytest.mark.parametrize("name", ["nobody", "one/nothing", "org/model-2"])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    """404 as OpenAI has it, with the names there are."""
    error = error_of(await client.get(f"/v1/models/{name}"), 404)
    assert error["code"] == "model_not_found"
    assert "auto" in error["message"]


@pytest.mark.parametrize(
    ("name", "said", "model"),
    [
        ("auto", "I am one.", "model-1"),
        ("one", "I am one.", "model-1"),
        ("two", "I am two.", "org/model-2"),
        ("one/deep/model", "I am one.", "deep/model"),
        ("two/anything/else", "I am two.", "anything/else"),
        ("deep/model", "I am one.", "deep/model"),
        ("gpt-4o", "I am one.", "deep/model"),
    ],
)
async def test_a_name_leads_to_its_model(
    client: httpx.AsyncClient, name: str, said: str, model: str
) -> None:
    """The chain, a provider of it or beside it, a model of a provider, a bare model."""
    body = (await client.post(CHAT, json=asked(model=name))).json()
    assert body["choices"][0]["message"]["content"] == said
    assert body["model"] == model


async def test_an_unknown_name_is_told_in_the_clients_shape(tmp_path: Path) -> None:
    """Anthropic's clients read Anthropic's error; everybody else OpenAI's."""
    async with client_of(container_of(tmp_path)) as client:
        theirs = await client.get("/v1/models/nope", headers={"anthropic-version": "2023-06-01"})
        ours = await client.get("/v1/models/nope")
    assert (theirs.status_code, ours.status_code) == (404, 404)
    assert theirs.json()["type"] == "error"
    assert theirs.json()["error"]["type"] == "not_found_error"
    assert ours.json()["error"]["code"] == "model_not_found"
