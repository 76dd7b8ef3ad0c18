"""POST /v1/messages and /v1/messages/count_tokens: for clients that speak to Claude."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from faultmaven.api.answer_headers import lines_of_answer
from faultmaven.api.anthropic import described
from faultmaven.api.anthropic.answer import message, new_message_id
from faultmaven.api.anthropic.counting import estimated_tokens
from faultmaven.api.anthropic.live import tell
from faultmaven.api.anthropic.request import Asked, ConversationRequest, MessagesRequest, asked
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.api.body import checked, read_body, timeout_header
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.event_stream import LiveResponse
from faultmaven.api.fingerprint import fingerprint_of
from faultmaven.api.head import Line
from faultmaven.api.json_answer import JSONAnswer
from faultmaven.infrastructure.observability.request import RequestInFlight, require_request
from faultmaven.models.departure import TELL
from faultmaven.models.json_text import json_bytes
from faultmaven.services.completions import CompletionService
from faultmaven.services.large_texts import worked

router = APIRouter(tags=["anthropic"])

_NEEDED = "model, max_tokens and messages"


@router.post("/v1/messages/", include_in_schema=False)
@router.post("/v1/messages", **described.MESSAGES)
async def create_message(request: Request) -> Response:
    """Answer a conversation, for as long as its caller waits."""
    completions = services_of(request).completions
    raw = await read_body(request)
    body = await checked(raw, MessagesRequest, needed=_NEEDED)
    what = await worked(len(raw), asked, body, timeout_header(request), size=len(raw))
    if what.stream:
        return _live(what, completions)
    fingerprint = await fingerprint_of(request, raw)
    return await _whole(request, what, completions, fingerprint)


@router.post("/v1/messages/count_tokens/", include_in_schema=False)
@router.post("/v1/messages/count_tokens", **described.COUNT_TOKENS)
async def count_tokens(request: Request) -> Response:
    """Estimate how many tokens a conversation has."""
    raw = await read_body(request)
    body = await checked(raw, ConversationRequest, needed="model and messages")
    counted = {"input_tokens": estimated_tokens(body), "faultmaven": {"estimated": True}}
    return JSONAnswer(json_bytes(counted), [_named(require_request())])


async def _whole(
    request: Request, what: Asked, completions: CompletionService, fingerprint: bytes | None
) -> Response:
    came = require_request()
    work = completions.complete(
        what.question,
        request_id=came.request_id,
        received_at=came.started_at,
        fingerprint=fingerprint,
    )
    answer = await unless_gone(request.receive, work, tell=request.scope.get(TELL))
    body = message(answer, message_id=new_message_id(), shows_thoughts=what.shows_thoughts)
    return JSONAnswer(json_bytes(body), [_named(came), *lines_of_answer(answer)])


def _live(what: Asked, completions: CompletionService) -> Response:
    answer = AnswerEvents(new_message_id(), shows_thoughts=what.shows_thoughts)
    return LiveResponse(
        partial(tell, asked=what, completions=completions, answer=answer, came=require_request())
    )


def _named(came: RequestInFlight) -> Line:
    return b"request-id", came.request_id.encode("ascii")
