"""POST /api/v1/query/troubleshoot: one question, one answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from faultmaven.api.accept import EVENTS, prefers_events
from faultmaven.api.body import TIMEOUT_HEADER, checked, read_body, timeout_header, timeout_of
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.errors import REQUEST_ID_HEADER
from faultmaven.api.event_stream import LiveResponse
from faultmaven.api.fingerprint import SINGLE_FLIGHT_PARAMETER, fingerprint_of
from faultmaven.api.json_answer import JSONAnswer
from faultmaven.api.openapi import problems, schema_ref
from faultmaven.api.query_stream import stream_answer
from faultmaven.infrastructure.observability.request import require_request
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.departure import TELL
from faultmaven.models.examples import REQUEST

router = APIRouter(tags=["troubleshooting"])

_DESCRIPTION = """
Asks the providers of the fallback chain, one after the other, until one answers with enough
confidence. The answer is structured: findings, root cause, steps, commands, and quotes from your
input that were looked up there. Credentials are masked before text goes to any provider but the
local one. `/api/v1/query` does the same.

With `"stream": true`, or `Accept: text/event-stream`, the answer comes as server-sent events
while it is written; `"stream": false` asks for the whole, whatever the header says. The events:

- `attempt`: one try at one provider has ended, as `attempts` lists it. Several may come.
- `delta`: `{"text": …}`, the next words of the answer as Markdown.
- `result`: the whole answer, the same body as without a stream. It is the last event.
- `error`: the problem that ended it, the same body as without a stream; then no result follows.

Lines that begin with a colon keep the connection alive. What is refused before anybody is asked
has its HTTP status as ever. The provider may change until the first words have been sent. Only
with `confidence_threshold` or `require_confidence` the words wait until the answer is judged.
"""

_EVENTS_SHOWN = """\
event: delta
data: {"text": "The heap is larger than the container."}

: keep-alive

event: result
data: {"session_id": "incident-4711", "status": "completed"}

"""

_OK: dict[str, Any] = {
    "content": {
        EVENTS: {
            "schema": {"type": "string", "description": "Server-sent events."},
            "example": _EVENTS_SHOWN,
        }
    }
}

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
    SINGLE_FLIGHT_PARAMETER,
]


@router.post("/api/v1/query", include_in_schema=False)
@router.post("/api/v1/query/", include_in_schema=False)
@router.post("/api/v1/query/troubleshoot/", include_in_schema=False)
@router.post(
    "/api/v1/query/troubleshoot",
    operation_id="troubleshoot",
    summary="Ask one troubleshooting question",
    description=_DESCRIPTION,
    response_model=TroubleshootResponse,
    response_description="The answer, with its confidence, its evidence and every attempt.",
    responses={200: _OK, **problems(400, 404, 408, 413, 415, 422, 500, 503)},
    openapi_extra={"requestBody": _BODY, "parameters": _PARAMETERS},
)
async def troubleshoot(request: Request) -> Response:
    """Answer one question, for as long as its caller waits."""
    timeout = timeout_of(timeout_header(request))
    raw = await read_body(request)
    question = await checked(raw, TroubleshootRequest, needed="session_id and query")
    came = require_request()
    asking = partial(
        services_of(request).agent.troubleshoot,
        question,
        request_id=came.request_id,
        received_at=came.started_at,
        timeout=timeout,
    )
    if _wants_events(question, request):
        path = request.scope["route"].path
        return LiveResponse(lambda stream: stream_answer(stream, asking, instance=path))
    fingerprint = await fingerprint_of(request, raw)
    answer = await unless_gone(
        request.receive, asking(fingerprint=fingerprint), tell=request.scope.get(TELL)
    )
    return JSONAnswer(answer.model_dump_json().encode())


def _wants_events(question: TroubleshootRequest, request: Request) -> bool:
    """What the body says, or the header where the body says nothing."""
    if question.stream is not None:
        return question.stream
    return prefers_events(request.headers.get("accept", ""))
