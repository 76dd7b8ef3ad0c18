"""POST /v1/messages and /v1/messages/count_tokens: for clients that speak to Claude."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

from fastapi import APIRouter, Request, Response

from faultmaven.api.answer_headers import headers_of_answer
from faultmaven.api.anthropic import described
from faultmaven.api.anthropic.answer import message, new_message_id
from faultmaven.api.anthropic.counting import estimated_tokens
from faultmaven.api.anthropic.live import tell
from faultmaven.api.anthropic.request import Asked, ConversationRequest, MessagesRequest, asked
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.api.body import read_body
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.event_stream import LiveResponse
from faultmaven.api.fingerprint import fingerprint_of
from faultmaven.api.json_answer import JSONAnswer
from faultmaven.infrastructure.observability.request import require_request
from faultmaven.services.completions import CompletionService
from faultmaven.services.large_texts import worked

router = APIRouter(tags=["anthropic"])

_NEEDED = "model, max_tokens and messages"


@router.post("/v1/messages/", include_in_schema=False)
@router.post("/v1/messages", **described.MESSAGES)
async def create_message(request: Request) -> Response:
    """Answer a conversation, for as long as its caller waits."""
    completions = services_of(request).completions
    body = await read_body(request, MessagesRequest, needed=_NEEDED)
    size = len(await request.body())
    what = await worked(size, asked, body, request.headers)
    what = replace(what, question=replace(what.question, size=size))
    return _live(what, completions) if what.stream else await _whole(request, what, completions)


@router.post("/v1/messages/count_tokens/", include_in_schema=False)
@router.post("/v1/messages/count_tokens", **described.COUNT_TOKENS)
async def count_tokens(request: Request) -> Response:
    """Estimate how many tokens a conversation has."""
    body = await read_body(request, ConversationRequest, needed="model and messages")
    counted = {"input_tokens": estimated_tokens(body), "faultmaven": {"estimated": True}}
    return _json(json.dumps(counted), {"request-id": require_request().request_id})


async def _whole(request: Request, what: Asked, completions: CompletionService) -> Response:
    came = require_request()
    work = completions.complete(
        what.question,
        request_id=came.request_id,
        received_at=came.started_at,
        fingerprint=await fingerprint_of(request),
    )
    answer = await unless_gone(request.receive, work)
    body = message(answer, message_id=new_message_id(), shows_thoughts=what.shows_thoughts)
    headers = {"request-id": came.request_id, **headers_of_answer(answer)}
    return _json(json.dumps(body, ensure_ascii=False), headers)


def _live(what: Asked, completions: CompletionService) -> Response:
    answer = AnswerEvents(new_message_id(), shows_thoughts=what.shows_thoughts)
    return LiveResponse(
        partial(tell, asked=what, completions=completions, answer=answer, came=require_request())
    )


def _json(body: str, headers: dict[str, str]) -> Response:
    # A model's half of a character is told as a question mark: no text can have it.
    return JSONAnswer(body.encode(errors="replace"), headers)
