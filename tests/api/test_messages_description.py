"""Anthropic's protocol in the API's description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.playing import ASKED, assembled, events
from api.service import client_of, container_of
from faultmaven.api.anthropic.request import ConversationRequest, MessagesRequest

TYPES = {
    "400": "invalid_request_error",
    "404": "not_found_error",
    "408": "timeout_error",
    "413": "request_too_large",
    "415": "invalid_request_error",
    "429": "rate_limit_error",
    "500": "api_error",
    "503": "api_error",
    "504": "timeout_error",
    "529": "overloaded_error",
}


@pytest.fixture
async def description(tmp_path: Path) -> dict[str, Any]:
    """The description as it is served."""
    async with client_of(container_of(tmp_path)) as client:
        body: dict[str, Any] = (await client.get("/openapi.json")).json()
        return body


def example_of(description: dict[str, Any], content: dict[str, Any]) -> Any:
    """Follow the one example of an answer."""
    ((name, reference),) = content["examples"].items()
    assert reference == {"$ref": f"#/components/examples/{name}"}
    return description["components"]["examples"][name]["value"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/messages", MessagesRequest), ("/v1/messages/count_tokens", ConversationRequest)],
)
def test_what_is_read(description: dict[str, Any], path: str, body: Any) -> None:
    """Both bodies are described, and their examples are taken."""
    read = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    assert read["schema"] == {"$ref": f"#/components/schemas/{body.__name__}"}
    body.model_validate(read["example"])
    schemas = description["components"]["schemas"]
    assert schemas[body.__name__]["properties"].keys() >= {"model", "messages", "system", "tools"}
    assert {"type": "string"} in schemas["Turn"]["properties"]["content"]["anyOf"]


def test_what_is_answered(description: dict[str, Any]) -> None:
    """Whole and as events, nulls included."""
    content = description["paths"]["/v1/messages"]["post"]["responses"]["200"]["content"]
    whole = example_of(description, content["application/json"])
    stream = example_of(description, content["text/event-stream"])
    assert whole["stop_sequence"] is None
    assert assembled(events(stream.encode())) == whole["content"]


def test_what_goes_wrong(description: dict[str, Any]) -> None:
    """Every status with the type that Anthropic's clients know it by."""
    responses = description["paths"]["/v1/messages"]["post"]["responses"]
    shown = {
        status: example_of(description, response["content"]["application/json"])["error"]["type"]
        for status, response in responses.items()
        if status != "200"
    }
    assert shown == TYPES


async def test_a_caller_can_send_what_is_shown(tmp_path: Path) -> None:
    """The documented question is answered."""
    async with client_of(container_of(tmp_path)) as client:
        description = (await client.get("/openapi.json")).json()
        body = description["paths"]["/v1/messages"]["post"]["requestBody"]["content"]
        response = await client.post("/v1/messages", json=body["application/json"]["example"])
    assert response.status_code == 200
    assert ASKED.keys() <= body["application/json"]["example"].keys()
