"""GET /v1/models and /v1/models/{id}: the names that can be asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from faultmaven.api.anthropic.errors import as_anthropic_error
from faultmaven.api.deps import services_of
from faultmaven.api.errors import noted_failure
from faultmaven.api.openai import described
from faultmaven.api.openai.answer import as_json
from faultmaven.services.model_directory import ListedModel, ModelDirectory, UnknownModelError

ANTHROPIC_VERSION = "anthropic-version"
"""The header that every client of Anthropic's sends: it wants the list in that shape."""

router = APIRouter(tags=["openai"])


@router.get("/v1/models/", include_in_schema=False)
@router.get("/v1/models", **described.MODELS)
async def list_models(request: Request) -> Response:
    """List them, in the shape of whose client asks."""
    directory = services_of(request).completions.models
    writer = _anthropic_list if ANTHROPIC_VERSION in request.headers else _openai_list
    return _json(writer(directory))


@router.get("/v1/models/{model_id:path}", **described.MODEL)  # noqa: FAST003 - as a parameter it would bring a 422 of the framework
async def retrieve_model(request: Request) -> Response:
    """Show one of them."""
    directory = services_of(request).completions.models
    anthropic = ANTHROPIC_VERSION in request.headers
    try:
        found = directory.find(request.path_params["model_id"])
    except UnknownModelError as error:
        if not anthropic:
            raise
        return as_anthropic_error(noted_failure(error))
    writer = _anthropic_model if anthropic else _openai_model
    return _json(writer(found, directory.since))


def _json(body: dict[str, Any]) -> Response:
    return Response(as_json(body), media_type="application/json")


def _openai_list(directory: ModelDirectory) -> dict[str, Any]:
    data = [_openai_model(model, directory.since) for model in directory.models()]
    return {"object": "list", "data": data}


def _openai_model(model: ListedModel, since: float) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": int(since), "owned_by": model.owner}


def _anthropic_list(directory: ModelDirectory) -> dict[str, Any]:
    data = [_anthropic_model(model, directory.since) for model in directory.models()]
    ids = [model["id"] for model in data]
    return {"data": data, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}


def _anthropic_model(model: ListedModel, since: float) -> dict[str, Any]:
    created = datetime.fromtimestamp(int(since), UTC).isoformat().replace("+00:00", "Z")
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.id,
        "created_at": created,
    }
