"""POST /v1/embeddings, through the real embedding router over providers that play vectors."""

from __future__ import annotations

import base64
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from api.chatting import error_of
from api.service import client_of, container_of
from doubles import ScriptedProvider, row
from faultmaven.errors import ProviderAuthError
from faultmaven.infrastructure.llm.wire.embeddings import EmbeddingRequest, Embeddings
from faultmaven.models.attempt import Usage

EMBEDDINGS = "/v1/embeddings"


class Embedding(ScriptedProvider):
    """Gives the length of each text as its vector."""

    embedded: ClassVar[list[EmbeddingRequest]]
    refuses: ClassVar[bool] = False

    async def embed(self, request: EmbeddingRequest, *, timeout: float) -> Embeddings:  # noqa: ASYNC109 - the seam passes a length
        """Measure."""
        assert timeout > 0
        self.embedded.append(request)
        if self.refuses:
            raise ProviderAuthError("the key is wrong", status_code=401)
        vectors = tuple((float(len(text)), 0.5) for text in request.inputs)
        ignored = tuple(name for name in request.parameters if name != "user")
        return Embeddings(vectors, Usage(prompt=len(vectors)), ignored=ignored)


def embedding(*, refuses: bool = False) -> type[Embedding]:
    """Make a provider with a memory of its own."""
    return type("Embedding", (Embedding,), {"embedded": [], "refuses": refuses})


@pytest.fixture
def classes() -> dict[str, Any]:
    """Two providers that give vectors, one of which is misconfigured, and one that does not."""
    return {"one": embedding(), "two": embedding(refuses=True), "mute": ScriptedProvider}


@pytest.fixture
async def client(tmp_path: Path, classes: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with these providers."""
    rows = {name: row(class_, models=[f"{name}-model"]) for name, class_ in classes.items()}
    async with client_of(container_of(tmp_path, rows=rows)) as client:
        yield client


async def test_vectors_have_openais_shape(client: httpx.AsyncClient) -> None:
    """In the order of the texts, with the tokens that were read."""
    body = {"model": "one/small", "input": ["a", "bcd"], "user": "ann", "dimensions": 2}
    response = await client.post(EMBEDDINGS, json=body)
    assert response.json() == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [1.0, 0.5]},
            {"object": "embedding", "index": 1, "embedding": [3.0, 0.5]},
        ],
        "model": "small",
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
    assert response.headers["x-faultmaven-provider"] == "one"
    assert response.headers["x-faultmaven-model"] == "small"
    assert response.headers["x-faultmaven-attempts"] == "1"
    assert "x-faultmaven-ignored-fields" not in response.headers


async def test_what_was_asked_arrives(client: httpx.AsyncClient, classes: dict[str, Any]) -> None:
    """Text, length, user and further fields; what has no word is reported."""
    body = {"model": "one/a/b", "input": "a", "dimensions": 8, "user": "ann", "input_type": "x"}
    response = await client.post(EMBEDDINGS, json={**body, "encoding_format": None})
    assert response.headers["x-faultmaven-ignored-fields"] == "input_type"
    assert classes["one"].embedded == [
        EmbeddingRequest("a/b", ("a",), 8, {"input_type": "x", "user": "ann"})
    ]


async def test_the_official_client_gets_them_packed(client: httpx.AsyncClient) -> None:
    """It asks for base64, of floats with the low byte first."""
    body = {"model": "one/small", "input": "abc", "encoding_format": "base64"}
    (item,) = (await client.post(EMBEDDINGS, json=body)).json()["data"]
    assert struct.unpack("<2f", base64.b64decode(item["embedding"])) == (3.0, 0.5)


async def test_a_model_of_one_provider_needs_no_prefix(client: httpx.AsyncClient) -> None:
    """A bare name is enough where it is clear who has it."""
    response = await client.post(EMBEDDINGS, json={"model": "one-model", "input": "a"})
    assert response.headers["x-faultmaven-provider"] == "one"


async def test_where_one_provider_alone_gives_vectors_every_name_is_its_own(
    tmp_path: Path,
) -> None:
    """So a client that only changed its base URL goes on working."""
    rows = {"one": row(embedding()), "mute": row(ScriptedProvider)}
    async with client_of(container_of(tmp_path, rows=rows)) as client:
        body = {"model": "text-embedding-3-small", "input": "a"}
        response = await client.post(EMBEDDINGS, json=body)
    assert response.json()["model"] == "text-embedding-3-small"


@pytest.mark.parametrize("model", ["auto", "one"])
async def test_the_model_is_never_left_open(client: httpx.AsyncClient, model: str) -> None:
    """Vectors of different models cannot be compared, so nobody chooses one for the caller."""
    response = await client.post(EMBEDDINGS, json={"model": model, "input": "a"})
    error = error_of(response, 400)
    assert error["param"] == "model"
    assert "cannot be compared" in error["message"]
    assert "one/..., two/..." in error["message"]


@pytest.mark.parametrize("model", ["marker", "mute/marker", "marker/small"])
async def test_an_unknown_model_is_not_found(client: httpx.AsyncClient, model: str) -> None:
    """404 with whom one can ask, and without the name."""
    response = await client.post(EMBEDDINGS, json={"model": model, "input": "a"})
    error = error_of(response, 404)
    assert error["code"] == "model_not_found"
    assert "marker" not in response.text


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"input": [1, 2, 3]}, "input", "holds tokens"),
        ({"input": [[1, 2], [3]]}, "input", "holds tokens"),
        ({"input": []}, "input", "holds no text"),
        ({"input": ["a", ""]}, "input.1", "is empty"),
        ({"input": None}, "input", "must be a list"),
        ({"input": ["a"] * 2049}, "input", "at most 2,048"),
        ({"encoding_format": "marker"}, "encoding_format", "must be one of"),
        ({"dimensions": 0}, "dimensions", "must be at least 1"),
    ],
)
async def test_what_is_wrong_is_named(
    client: httpx.AsyncClient, fields: dict[str, object], param: str, message: str
) -> None:
    """Status 400 as OpenAI has it, with field and reason."""
    body = {"model": "one/small", "input": "a", **fields}
    error = error_of(await client.post(EMBEDDINGS, json=body), 400)
    assert error["param"] == param
    assert message in error["message"]


async def test_a_provider_that_fails_is_told_and_nobody_else_is_asked(
    client: httpx.AsyncClient, classes: dict[str, Any]
) -> None:
    """The other provider's vectors would be worse than none."""
    response = await client.post(EMBEDDINGS, json={"model": "two/small", "input": "a"})
    error = error_of(response, 503)
    assert [attempt["error_class"] for attempt in error["faultmaven"]["attempts"]] == ["auth"]
    assert response.headers["x-should-retry"] == "false"
    assert not classes["one"].embedded
