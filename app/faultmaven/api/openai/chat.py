"""POST /v1/chat/completions."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from faultmaven.api.answer_headers import lines_of_answer
from faultmaven.api.body import checked, read_body, timeout_header
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.event_stream import EventStream, LiveResponse
from faultmaven.api.fingerprint import fingerprint_of
from faultmaven.api.json_answer import JSONAnswer
from faultmaven.api.openai import described
from faultmaven.api.openai.answer import Envelope, completion_body, new_envelope
from faultmaven.api.openai.plain_question import plain_question
from faultmaven.api.openai.question import question_of, speaks_of_functions
from faultmaven.api.openai.request import ChatRequest
from faultmaven.api.openai.stream import stream_answer
from faultmaven.infrastructure.observability.request import require_request
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.departure import TELL
from faultmaven.models.json_text import json_bytes
from faultmaven.services.large_texts import worked

router = APIRouter(tags=["openai"])


@router.post("/v1/chat/completions/", include_in_schema=False)
@router.post("/v1/chat/completions", **described.CHAT)
async def create_chat_completion(request: Request) -> Response:
    """Answer a chat, whole or while it is written, for as long as its caller waits."""
    raw = await read_body(request)
    timeout = timeout_header(request)
    plain = plain_question(raw, timeout)
    if plain is not None:
        return await _whole(request, raw, plain, new_envelope())
    body = await checked(raw, ChatRequest, needed="model and messages")
    question = await worked(len(raw), question_of, body, timeout, size=len(raw))
    envelope = new_envelope(old_words=speaks_of_functions(body))
    if body.stream:
        return _live(request, question, envelope, with_usage=body.wants_usage)
    return await _whole(request, raw, question, envelope)


async def _whole(
    request: Request, raw: bytes, question: CompletionQuestion, envelope: Envelope
) -> Response:
    came = require_request()
    work = services_of(request).completions.complete(
        question,
        request_id=came.request_id,
        received_at=came.started_at,
        fingerprint=await fingerprint_of(request, raw),
    )
    answer = await unless_gone(request.receive, work, tell=request.scope.get(TELL))
    return JSONAnswer(json_bytes(completion_body(answer, envelope)), lines_of_answer(answer))


def _live(
    request: Request, question: CompletionQuestion, envelope: Envelope, *, with_usage: bool
) -> Response:
    came = require_request()
    ask = partial(
        services_of(request).completions.complete,
        question,
        request_id=came.request_id,
        received_at=came.started_at,
    )

    async def produce(stream: EventStream) -> None:
        await stream_answer(
            stream, lambda listener: ask(listener=listener), envelope, with_usage=with_usage
        )

    return LiveResponse(produce)
