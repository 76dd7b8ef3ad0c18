"""POST /api/v1/query/troubleshoot: one question, one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from faultmaven.api.body import TIMEOUT_HEADER, read_question, timeout_of
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.errors import REQUEST_ID_HEADER
from faultmaven.api.openapi import problems, schema_ref
from faultmaven.infrastructure.observability.request import require_request
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.examples import REQUEST

router = APIRouter(tags=["troubleshooting"])

_DESCRIPTION = """
Asks the providers of the fallback chain, one after the other, until one answers with enough
confidence. The answer is structured: findings, root cause, steps, commands, and quotes from your
input that were looked up there. Credentials are masked before text goes to any provider but the
local one. `/api/v1/query` does the same.
"""

_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": schema_ref(TroubleshootRequest), "example": REQUEST}
    },
}
_PARAMETERS = [
    {
        "name": TIMEOUT_HEADER,
        "in": "header",
        "description": "Seconds until you need the answer; an earlier deadline_ms wins.",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600},
        "example": 30,
    },
    {
        "name": REQUEST_ID_HEADER,
        "in": "header",
        "description": "Your own id of the request: 1 to 128 letters, digits and . _ : -",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
        "example": "req-8c1d3a52",
    },
]


@router.post("/api/v1/query", include_in_schema=False)
@router.post("/api/v1/query/", include_in_schema=False)
@router.post(
    "/api/v1/query/troubleshoot",
    operation_id="troubleshoot",
    summary="Ask one troubleshooting question",
    description=_DESCRIPTION,
    response_model=TroubleshootResponse,
    response_description="The answer, with its confidence, its evidence and every attempt.",
    responses=problems(400, 404, 408, 413, 415, 422, 500, 503),
    openapi_extra={"requestBody": _BODY, "parameters": _PARAMETERS},
)
async def troubleshoot(request: Request) -> Response:
    """Answer one question, for as long as its caller waits."""
    agent = services_of(request).agent
    timeout = timeout_of(request.headers)
    question = await read_question(request)
    came = require_request()
    work = agent.troubleshoot(
        question, request_id=came.request_id, received_at=came.started_at, timeout=timeout
    )
    answer = await unless_gone(request.receive, work)
    return Response(answer.model_dump_json(), media_type="application/json")
