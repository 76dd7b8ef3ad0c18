"""The response body, put together from what the question, the chain and the answer gave (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from faultmaven.models.api import (
    AttemptBody,
    ConfidenceBody,
    TroubleshootRequest,
    TroubleshootResponse,
    UsageBody,
)
from faultmaven.models.attempt import Attempt
from faultmaven.models.confidence import Confidence
from faultmaven.models.interfaces import LLMResponse
from faultmaven.services.inquiry import Reading


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a response tells beside the answer.

    Attributes:
        request_id: id of the request, as in the logs.
        investigation_id: UUID of the answer.
        created_at: Unix time in seconds when the request came in.
        elapsed: seconds since then.
        threshold: the confidence that was asked for, in [0, 1].
        shortened: whether the model did not get the whole input.
        kept: whether the session has it.
    """

    request_id: str
    investigation_id: str
    created_at: float
    elapsed: float
    threshold: float
    shortened: bool = False
    kept: bool = True


def build_response(
    request: TroubleshootRequest, llm: LLMResponse, reading: Reading, around: Circumstances
) -> TroubleshootResponse:
    """The 200 body."""
    found = reading.diagnosis
    confidence = confidence_of(llm, around.threshold)
    return TroubleshootResponse(
        session_id=request.session_id,
        investigation_id=around.investigation_id,
        request_id=around.request_id,
        status="inconclusive" if found.inconclusive else "completed",
        response=reading.markdown,
        findings=list(found.findings),
        root_cause=found.root_cause or None,
        recommendations=list(found.recommendations),
        next_steps=list(found.next_steps),
        commands=list(found.commands),
        evidence=list(reading.evidence),
        missing_information=list(found.missing),
        confidence_score=confidence.score,
        confidence=ConfidenceBody.of(confidence),
        provider=llm.provider,
        model=llm.model,
        tokens_used=llm.tokens_used,
        usage=UsageBody.of(llm.usage, cost_usd=llm.cost_usd),
        response_time_ms=round(around.elapsed * 1000),
        attempts=[AttemptBody.of(attempt) for attempt in llm.attempts or (_only_attempt(llm),)],
        stopped_because=llm.stopped_because,
        cached=llm.cached,
        warnings=list(_warnings(request, llm, confidence, around)),
        created_at=datetime.fromtimestamp(around.created_at, UTC),
        completed_at=datetime.fromtimestamp(around.created_at + around.elapsed, UTC),
    )


def confidence_of(llm: LLMResponse, threshold: float) -> Confidence:
    """The score with its parts; without parts where a provider gave a bare number."""
    if llm.assessment is not None:
        return llm.assessment
    return Confidence(score=min(max(llm.confidence, 0.0), 1.0), threshold=threshold)


def _only_attempt(llm: LLMResponse) -> Attempt:
    """What a single provider's answer says about the one attempt behind it."""
    return Attempt(
        provider=llm.provider,
        model=llm.model,
        confidence=llm.confidence,
        total_ms=float(llm.response_time_ms),
        usage=llm.usage,
        cost_usd=llm.cost_usd,
    )


def _warnings(
    request: TroubleshootRequest, llm: LLMResponse, confidence: Confidence, around: Circumstances
) -> Iterator[str]:
    if request.ignored_fields:
        yield f"Fields this service does not know were ignored: {', '.join(request.ignored_fields)}"
    if request.max_cost_usd is not None:
        yield from _unpriced(llm)
    if around.shortened:
        yield "The input was longer than the model takes: it got what tells most of it."
    if any(signal.name == "small_model" for signal in confidence.signals):
        yield "A small model answered: check its words before acting on them."
    if not around.kept:
        yield "The session could not be saved: a follow-up will not know of this answer."


def _unpriced(llm: LLMResponse) -> Iterator[str]:
    """Whose price is not known, so that no limit on money could hold."""
    attempts = llm.attempts or (_only_attempt(llm),)
    unknown = [a.provider for a in attempts if a.succeeded and a.cost_usd is None]
    if unknown:
        names = ", ".join(dict.fromkeys(unknown))
        yield f"max_cost_usd could not be kept to: the price of an answer by {names} is not known."
