"""The troubleshooting agent as one more model: a conversation in, its Markdown out."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, cast

from pydantic import ValidationError

from faultmaven.errors import InvalidInputError
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.faults import field_faults
from faultmaven.models.interfaces import ISanitizer, ISessionStore, LLMResponse
from faultmaven.models.live import Live, now
from faultmaven.models.plain_text import is_blank
from faultmaven.models.prompt import Controls, Message
from faultmaven.models.session import Turn
from faultmaven.models.stream import Beginning, IAnswerListener
from faultmaven.services.agent import AgentService
from faultmaven.services.allowance import Allowance
from faultmaven.services.conversations import Conversations
from faultmaven.services.large_texts import worked

_SESSION_ID = re.compile(r"[\w.:@/+=~-]{1,128}")
_SPEAKERS = frozenset({"user", "assistant"})
# What of the caller's further fields has a meaning here.
_UNDERSTOOD = frozenset({"user", "metadata"})


class TroubleshootingModel:
    """Answers for ``faultmaven/troubleshoot``.

    The last user message is the question. What was said before it becomes the session's earlier
    turns, unless the caller names a session that has turns of its own (``metadata.session_id``,
    else ``user``). System prompts are facts to consider.

    Args:
        agent: who answers.
        sessions: where its conversations are kept.
        sanitizer: masks what is kept.
        session_strict: whether a named session must exist.
        clock: gives Unix time in seconds.
        new_id: gives the id of a session nobody named.
    """

    def __init__(
        self,
        agent: AgentService,
        *,
        sessions: ISessionStore,
        sanitizer: ISanitizer,
        session_strict: Live[bool] = False,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], object] = uuid.uuid4,
    ) -> None:
        self._agent = agent
        self._conversations = Conversations(sessions, strict=False, clock=clock)
        self._sanitizer = sanitizer
        self._strict = session_strict
        self._clock = clock
        self._new_id = new_id

    async def complete(
        self,
        question: CompletionQuestion,
        *,
        listener: IAnswerListener | None,
        request_id: str,
        allowance: Allowance,
        fingerprint: bytes | None = None,
    ) -> LLMResponse:
        """The agent's answer as a model's; a listener hears it as a person reads it.

        Raises:
            InvalidInputError: there is no question in it, or something the agent cannot look at.
            SessionNotFoundError: sessions are strict, and the caller named an unknown one.
            ChainError: no usable answer.
        """
        position = _position_of_question(question.messages)
        named = _session_named(question.controls)
        session_id = named or str(self._new_id())
        request = _request(question, position, session_id)
        if not (named and now(self._strict)):
            await self._begin(session_id, question.messages[:position], allowance)
        ignored = _ignored(question.controls)
        answer = await self._agent.troubleshoot(
            request,
            request_id=request_id,
            received_at=allowance.started,
            timeout=allowance.seconds,
            listener=None if listener is None else _Told(listener, ignored),
            fingerprint=fingerprint,
        )
        return _response(answer, ignored)

    async def _begin(
        self, session_id: str, before: tuple[Message, ...], allowance: Allowance
    ) -> None:
        """Give a new session the turns that the caller brought along."""
        chars = sum(len(message.text) for message in before)
        turns = await worked(chars, self._turns, before)
        if now(self._strict) or turns:  # a strict agent answers in sessions that exist
            await self._conversations.begin(session_id, turns, seconds=allowance.left)

    def _turns(self, messages: tuple[Message, ...]) -> tuple[Turn, ...]:
        now = self._clock()
        return tuple(
            Turn(cast("Literal['user', 'assistant']", message.role), text, now)
            for message in messages
            if message.role in _SPEAKERS and (text := self._sanitizer.mask(message.text))
        )


class _Told:
    """Passes on what is heard of the agent, and what of the request the agent has no use for."""

    def __init__(self, listener: IAnswerListener, ignored: tuple[str, ...]) -> None:
        self._ignored = ignored
        self._listener = listener
        self.on_attempt = listener.on_attempt
        self.on_delta = listener.on_delta

    async def on_begin(self, beginning: Beginning) -> None:
        """Pass it on."""
        ignored = (*beginning.ignored, *self._ignored)
        await self._listener.on_begin(replace(beginning, ignored=ignored))


def _position_of_question(messages: tuple[Message, ...]) -> int:
    """Where the last user message stands.

    Raises:
        InvalidInputError: there is none, or it says nothing, or shows a picture.
    """
    spoken = [number for number, message in enumerate(messages) if message.role == "user"]
    if not spoken or is_blank(messages[spoken[-1]].text):
        raise InvalidInputError(
            "must hold a user message with text",
            field="messages",
            hint="Say what is wrong, or paste the log.",
        )
    if any(message.images for message in messages):
        raise InvalidInputError(
            "must hold no images: the troubleshooting agent reads text",
            field="messages",
            hint="Paste the text, or name another model.",
        )
    return spoken[-1]


def _session_named(controls: Controls) -> str:
    """The session the caller means, or an empty text."""
    parameters = controls.parameters
    metadata: Any = parameters.get("metadata") or {}
    wanted = metadata.get("session_id") or parameters.get("user") or ""
    if not wanted or _SESSION_ID.fullmatch(str(wanted)):
        return str(wanted)
    # Any text may stand for a user; a session's name may not be any text.
    return f"user-{uuid.uuid5(uuid.NAMESPACE_OID, str(wanted))}"


def _request(question: CompletionQuestion, position: int, session_id: str) -> TroubleshootRequest:
    """The conversation as a question to the agent.

    Raises:
        InvalidInputError: a text is too long, or holds what is no text.
    """
    system = "\n\n".join(m.text for m in question.messages if m.role == "system" and m.text)
    fields = {
        "session_id": session_id,
        "query": question.messages[position].text,
        "context": {"instructions": system} if system else {},
        "providers": list(question.providers) or None,
        "max_tokens": question.max_tokens,
        "temperature": question.temperature,
        "confidence_threshold": question.confidence_threshold,
        "require_confidence": question.require_confidence,
        "max_cost_usd": question.max_cost_usd,
    }
    try:
        return TroubleshootRequest.model_validate(fields)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
    # Outside of the handler, so that no traceback drags the input along.
    fault = field_faults(details)[0]
    ours = "messages" if fault.field.startswith(("query", "context")) else fault.field
    raise InvalidInputError(fault.message, field=ours, hint=fault.fix)


def _ignored(controls: Controls) -> tuple[str, ...]:
    """What the caller asked for that the agent has no use for."""
    return tuple(_asked_in_vain(controls))


def _asked_in_vain(controls: Controls) -> Iterator[str]:
    if controls.tools:
        yield "tools"
    if controls.tool_choice is not None:
        yield "tool_choice"
    if controls.parallel_tool_calls is not None:
        yield "parallel_tool_calls"
    if controls.response_format is not None:
        yield "response_format"
    yield from (name for name in controls.parameters if name not in _UNDERSTOOD)
    for fields in controls.native.values():
        yield from fields


def _response(answer: TroubleshootResponse, ignored: tuple[str, ...]) -> LLMResponse:
    return LLMResponse(
        content=answer.response,
        confidence=answer.confidence_score,
        provider=answer.provider,
        model=answer.model,
        tokens_used=answer.tokens_used,
        response_time_ms=answer.response_time_ms,
        cached=answer.cached,
        usage=Usage(answer.usage.prompt, answer.usage.completion),
        attempts=tuple(_attempts(answer)),
        stopped_because=answer.stopped_because,
        cost_usd=answer.usage.cost_usd,
        ignored=ignored,
    )


def _attempts(answer: TroubleshootResponse) -> Iterator[Attempt]:
    for body in answer.attempts:
        yield Attempt(
            provider=body.provider,
            model=body.model,
            number=body.number,
            error_class=body.error_class,
            detail=body.detail,
            hint=body.hint,
            status_code=body.status_code,
            confidence=body.confidence,
            queue_ms=body.queue_ms,
            connect_ms=body.connect_ms,
            first_token_ms=body.first_token_ms,
            total_ms=body.total_ms,
            usage=Usage(body.usage.prompt, body.usage.completion),
            cost_usd=body.usage.cost_usd,
            retry_after=body.retry_after,
            next_because=body.next_because,
            lost=body.outcome == "lost",
        )
