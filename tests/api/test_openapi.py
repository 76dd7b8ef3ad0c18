"""The API's description, and the page that shows it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from api.service import client_of, container_of
from faultmaven.models.api import ProblemBody, TroubleshootRequest, TroubleshootResponse
from faultmaven.services.health_report import (
    Catalogue,
    Dependencies,
    Liveness,
    Readiness,
    Summary,
)

OPERATIONS = {
    "troubleshoot",
    "create_message",
    "count_message_tokens",
    "create_chat_completion",
    "create_embeddings",
    "list_models",
    "retrieve_model",
    "list_providers",
    "health",
    "liveness",
    "readiness",
    "dependencies",
    "metrics",
}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a started service."""
    async with client_of(container_of(tmp_path)) as client:
        yield client


@pytest.fixture
async def description(client: httpx.AsyncClient) -> dict[str, Any]:
    """The description as it is served."""
    body: dict[str, Any] = (await client.get("/openapi.json")).json()
    return body


def operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go over all operations."""
    return (found for path in description["paths"].values() for found in path.values())


def references(value: Any) -> Iterator[str]:
    """Go over all references of a document."""
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_operation_ids_are_stable(description: dict[str, Any]) -> None:
    """Generated clients are named after these."""
    assert {found["operationId"] for found in operations(description)} == OPERATIONS


def examples_in(description: dict[str, Any], content: dict[str, Any]) -> list[Any]:
    """Follow the examples of an answer."""
    known = description["components"]["examples"]
    named = [example["$ref"].rpartition("/")[2] for example in content.get("examples", {}).values()]
    inline = [content["example"]] if "example" in content else []
    return inline + [known[name]["value"] for name in named]


def test_every_operation_is_explained_and_shown(description: dict[str, Any]) -> None:
    """Summary, description, and an example of every answer, errors included."""
    for found in operations(description):
        assert found["summary"]
        assert found["description"]
        for status, response in found["responses"].items():
            assert response["description"], (found["operationId"], status)
            for content in response["content"].values():
                name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                schema = description["components"]["schemas"].get(name, {})
                assert examples_in(description, content) or schema["example"]


def test_errors_are_problems(description: dict[str, Any]) -> None:
    """Every documented error has the problem type, its schema, and an example that fits both."""
    seen = set()
    for found in operations(description):
        for status, response in found["responses"].items():
            if "application/problem+json" not in response["content"]:
                continue
            seen.add(status)
            documented = response["content"]["application/problem+json"]
            assert documented["schema"] == {"$ref": "#/components/schemas/ProblemBody"}
            (example,) = examples_in(description, documented)
            assert ProblemBody.model_validate(example).status == int(status)
    assert seen == {"400", "404", "408", "413", "415", "422", "500", "503"}


def test_every_reference_leads_somewhere(description: dict[str, Any]) -> None:
    """The bodies the framework cannot see are described too."""
    components = description["components"]
    schemas = components["schemas"]
    known = {f"#/components/{kind}/{name}" for kind in components for name in components[kind]}
    assert set(references(description)) <= known
    assert {"TroubleshootRequest", "TroubleshootResponse", "ProblemBody"} <= set(schemas)


def test_the_question_is_described(description: dict[str, Any]) -> None:
    """Body, example and headers of the main operation."""
    operation = description["paths"]["/api/v1/query/troubleshoot"]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/TroubleshootRequest"}
    TroubleshootRequest.model_validate(body["example"])
    ok = operation["responses"]["200"]["content"]["application/json"]
    assert ok["schema"] == {"$ref": "#/components/schemas/TroubleshootResponse"}
    events = operation["responses"]["200"]["content"]["text/event-stream"]
    assert events["schema"]["type"] == "string"
    for name in ("delta", "result"):
        assert f"event: {name}\ndata: {{" in events["example"]
    for name in ("attempt", "delta", "result", "error"):
        assert f"- `{name}`: " in operation["description"]
    schema = description["components"]["schemas"]["TroubleshootResponse"]
    TroubleshootResponse.model_validate(schema["example"])
    headers = {parameter["name"] for parameter in operation["parameters"]}
    assert headers == {"X-Request-Timeout", "X-Request-ID", "X-FaultMaven-Single-Flight"}


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (Catalogue, "Catalogue"),
        (Dependencies, "Dependencies"),
        (Liveness, "Liveness"),
        (Readiness, "Ready"),
        (Readiness, "NotReady"),
        (Summary, "Summary"),
    ],
)
def test_examples_are_what_is_served(description: dict[str, Any], model: Any, example: str) -> None:
    """An example is a value of its record, field for field, as the description has it."""
    adapter = TypeAdapter(model)
    shown = description["components"]["examples"][example]["value"]
    assert adapter.dump_python(adapter.validate_python(shown), mode="json") == shown


async def test_the_page_needs_no_other_machine(client: httpx.AsyncClient) -> None:
    """Everything the page loads comes from this service, and nothing is sent to a validator."""
    page = await client.get("/docs")
    assert page.status_code == 200
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/docs/assets/")
        found = await client.get(address)
        assert found.status_code == 200
        assert len(found.content) > 1000
    assert "://" not in re.sub(r"window.location.origin.*", "", page.text)
    assert re.search(r'"validatorUrl":\s*null', page.text)


@pytest.mark.parametrize("name", ["redoc.standalone.js", "..%2f..%2fcore.py", "core.py"])
async def test_only_the_page_s_own_files_are_served(client: httpx.AsyncClient, name: str) -> None:
    """Nothing else of the package or the machine can be read."""
    assert (await client.get(f"/docs/assets/{name}")).status_code == 404
