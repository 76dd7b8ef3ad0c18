"""One troubleshooting question, from the request to the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from uuid import uuid4

from faultmaven.errors import LowConfidenceError
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse
from faultmaven.models.interfaces import (
    IAnswerListener,
    ILLMProvider,
    ISanitizer,
    ISessionStore,
    ITool,
    ITracer,
    LLMResponse,
)
from faultmaven.models.live import Live, now
from faultmaven.models.session import Turn
from faultmaven.services.allowance import Allowance
from faultmaven.services.answer import Circumstances, build_response, confidence_of
from faultmaven.services.asking import ask
from faultmaven.services.condensing import Condenser
from faultmaven.services.conversations import Conversations
from faultmaven.services.inquiry import Inquiry, Reading
from faultmaven.services.large_texts import worked
from faultmaven.services.live_answer import LiveAnswer
from faultmaven.services.memory_sessions import MemorySessionStore
from faultmaven.services.runbooks import fitting_runbooks, searched_text
from faultmaven.services.sanitizer import Sanitizer
from faultmaven.services.single_flight import SingleFlight, narrowed

_GRACE = 0.05  # seconds past the deadline in which an answer that is there may still be kept


class AgentService:
    """Answers troubleshooting questions with any `ILLMProvider`.

    Args:
        llm_provider: who answers: the chain, or a single provider.
        tools: what may be consulted; the one named ``runbooks`` is.
        tracer: times the steps, or ``None``.
        sanitizer: cleans and masks texts; the standard one if ``None``.
        sessions: where conversations are kept; in memory if ``None``.
        session_strict: whether an unknown session is an error.
        request_timeout: most seconds one question may take.
        confidence_threshold: in [0, 1]; shown where the provider applies none itself.
        flights: where identical requests share an answer; nobody else's if ``None``.
        clock: gives Unix time in seconds.
        monotonic: gives seconds that never go back.
        new_id: gives the id of an answer.
    """

    def __init__(
        self,
        llm_provider: ILLMProvider,
        tools: Iterable[ITool] | None = None,
        tracer: ITracer | None = None,
        sanitizer: ISanitizer | None = None,
        *,
        sessions: ISessionStore | None = None,
        session_strict: Live[bool] = False,
        request_timeout: Live[float] = 60.0,
        confidence_threshold: Live[float] = 0.8,
        flights: SingleFlight | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        new_id: Callable[[], object] = uuid4,
    ) -> None:
        self.llm_provider = llm_provider
        self._tools = tuple(tools or ())
        self._tracer = tracer
        self._sanitizer = sanitizer or Sanitizer()
        store = sessions or MemorySessionStore(clock=clock)
        self._conversations = Conversations(store, strict=session_strict, clock=clock)
        self._request_timeout = request_timeout
        self._confidence_threshold = confidence_threshold
        self._flights = flights or SingleFlight()
        self._clock = clock
        self._monotonic = monotonic
        self._new_id = new_id

    async def troubleshoot(
        self,
        request: TroubleshootRequest,
        *,
        request_id: str = "",
        received_at: float | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the caller's wish, one of three limits
        listener: IAnswerListener | None = None,
        on_asked: Callable[[], object] | None = None,
        fingerprint: bytes | None = None,
    ) -> TroubleshootResponse:
        """Answer one question.

        Args:
            request: what is asked.
            request_id: id of the request, as in the logs.
            received_at: when the request came in, on the monotonic clock; now if ``None``.
            timeout: seconds the caller gives, beside the request's own ``deadline_ms``.
            listener: hears the answer while it is written, as a person reads it. Its pieces
                add up to ``response``, but for what only the whole could show.
            on_asked: called once the question is accepted and somebody is being asked.
            fingerprint: tells the caller and the whole request from others, so that identical ones
                are known; ``None`` for one that is answered on its own, as with a listener.

        Raises:
            InvalidInputError: the request names what is not configured.
            SessionNotFoundError: sessions are strict, and this one is unknown.
            ChainError: no usable answer.
        """
        allowance = self._allowance(request, received_at, timeout)
        with self._span("prepare"):
            history = await self._history(request, allowance)
            inquiry = await self._inquiry(request, history)
        with self._span("generate"):
            live = None if listener is None else LiveAnswer(listener, inquiry)
            answered = await ask(
                self.llm_provider,
                inquiry,
                request,
                seconds=allowance.left,
                flights=self._flights,
                fingerprint=narrowed(fingerprint, _said(history)),
                listener=live,
                on_asked=on_asked,
            )
        llm, inquiry = answered.llm, answered.inquiry
        threshold = self._threshold(request)
        _require_confidence(request, llm, threshold)
        content = self._sanitizer.clean(llm.content)
        reading = await worked(inquiry.material_chars, inquiry.read, content)
        if live is not None:
            await live.finish(reading, llm)
        with self._span("keep"):
            kept = await self._keep(request.session_id, inquiry, reading, allowance)
        elapsed = allowance.elapsed
        around = Circumstances(
            request_id=request_id,
            investigation_id=str(self._new_id()),
            created_at=self._clock() - elapsed,
            elapsed=elapsed,
            threshold=threshold,
            shortened=inquiry.was_shortened(llm.provider, llm.model),
            kept=kept,
        )
        return build_response(request, llm, reading, around)

    async def _history(
        self, request: TroubleshootRequest, allowance: Allowance
    ) -> tuple[Turn, ...]:
        return await self._conversations.history(request.session_id, seconds=allowance.left)

    async def _inquiry(self, request: TroubleshootRequest, history: tuple[Turn, ...]) -> Inquiry:
        condenser = Condenser(self._sanitizer.mask)
        searched = await worked(request.chars, searched_text, request, condenser)
        return await worked(
            request.chars,
            Inquiry,
            request,
            sanitizer=self._sanitizer,
            runbooks=await fitting_runbooks(self._tools, searched),
            history=history,
            masks=not self.llm_provider.redacts_by_target,
            condenser=condenser,
        )

    async def _keep(
        self, session_id: str, inquiry: Inquiry, reading: Reading, allowance: Allowance
    ) -> bool:
        answered = await worked(len(reading.markdown), self._sanitizer.mask, reading.markdown)
        asked = await worked(inquiry.material_chars, inquiry.turn)
        seconds = allowance.left + _GRACE
        return await self._conversations.keep(session_id, asked, answered, seconds=seconds)

    def _allowance(
        self, request: TroubleshootRequest, received_at: float | None, timeout: float | None
    ) -> Allowance:
        """The shortest of what the service, the caller's body and its header allow."""
        asked = (None if request.deadline_ms is None else request.deadline_ms / 1000, timeout)
        seconds = min((now(self._request_timeout), *(s for s in asked if s is not None)))
        started = self._monotonic() if received_at is None else received_at
        return Allowance(started, seconds, self._monotonic)

    def _threshold(self, request: TroubleshootRequest) -> float:
        asked = request.confidence_threshold
        return now(self._confidence_threshold) if asked is None else asked

    def _span(self, name: str) -> AbstractContextManager[None]:
        return nullcontext() if self._tracer is None else self._tracer.span(name)


def _said(history: Iterable[Turn]) -> Iterator[str]:
    for turn in history:
        yield turn.role
        yield turn.text


def _require_confidence(request: TroubleshootRequest, llm: LLMResponse, threshold: float) -> None:
    """What the chain does itself, for a single provider that does not."""
    confidence = confidence_of(llm, threshold)
    if request.require_confidence and confidence.below_threshold:
        raise LowConfidenceError(
            f"The answer scores {confidence.score:.2f}, below {confidence.threshold:.2f}",
            attempts=llm.attempts,
            hint="Ask without require_confidence, or lower confidence_threshold.",
        )
