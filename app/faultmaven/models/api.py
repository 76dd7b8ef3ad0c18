"""The bodies of the REST surface: what a caller sends and gets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from faultmaven.errors import ErrorClass
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.examples import PROBLEM, RESPONSE
from faultmaven.models.faults import FieldFault
from faultmaven.models.request import Attachment, TroubleshootRequest

__all__ = [
    "Attachment",
    "AttemptBody",
    "Command",
    "ConfidenceBody",
    "Evidence",
    "FieldFaultBody",
    "Finding",
    "MissingInformation",
    "ProblemBody",
    "Safety",
    "Severity",
    "SignalBody",
    "TroubleshootRequest",
    "TroubleshootResponse",
    "UsageBody",
]

Severity = Literal["info", "low", "medium", "high", "critical"]
Safety = Literal["read_only", "changes_state", "destructive"]


class _Body(BaseModel):
    """A body we write: immutable, and exactly the fields it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Finding(_Body):
    """One thing that was noticed."""

    type: str = Field(description="Kind of the finding, such as memory, network or configuration.")
    message: str = Field(description="What was noticed, one sentence.")
    severity: Severity = Field(description="How much it matters.")
    evidence: str | None = Field(
        description="Words of the input it rests on; null makes it an opinion."
    )


class Command(_Body):
    """One command to run. Nothing is ever executed by this service."""

    command: str = Field(description="The command line.")
    description: str = Field(description="What it shows or does.")
    safety: Safety = Field(
        description="The more careful of the model's word and our own reading of the command."
    )


class Evidence(_Body):
    """A quote from the input, looked up there."""

    quote: str = Field(description="The words, as the model quoted them.")
    source: str | None = Field(
        description="query, context, attachment:<name>, or session (said earlier); null if nowhere."
    )
    line: int | None = Field(description="Line there, from 1; null where lines say nothing.")
    verified: bool = Field(description="Whether the words do stand in the input.")


class MissingInformation(_Body):
    """Something to collect before one can be surer."""

    what: str = Field(description="What is missing.")
    how: str = Field(description="How to get it.")
    why: str = Field(description="What it would decide.")


class SignalBody(_Body):
    """One part of the confidence."""

    name: str = Field(description="Stable name, such as prior or evidence.")
    delta: float = Field(description="What it adds to the score.")
    reason: str = Field(description="Why, one sentence.")


class ConfidenceBody(_Body):
    """How sure the answer is, and why."""

    score: float = Field(ge=0, le=1, description="How sure this answer is.")
    threshold: float = Field(ge=0, le=1, description="What was asked for.")
    below_threshold: bool = Field(description="Whether the best answer is less sure than that.")
    signals: list[SignalBody] = Field(description="The parts of the score.")

    @classmethod
    def of(cls, confidence: Confidence) -> ConfidenceBody:
        """The body of a score."""
        return cls(
            score=confidence.score,
            threshold=confidence.threshold,
            below_threshold=confidence.below_threshold,
            signals=[
                SignalBody(name=signal.name, delta=signal.delta, reason=signal.reason)
                for signal in confidence.signals
            ],
        )


class UsageBody(_Body):
    """Tokens and money."""

    prompt: int = Field(ge=0, description="Tokens read.")
    completion: int = Field(ge=0, description="Tokens written.")
    cost_usd: float | None = Field(description="Price in US dollars; null if not known.")

    @classmethod
    def of(cls, usage: Usage, *, cost_usd: float | None) -> UsageBody:
        """The body of a usage and its price."""
        return cls(prompt=usage.prompt, completion=usage.completion, cost_usd=cost_usd)


class AttemptBody(_Body):
    """One try at one provider."""

    provider: str = Field(description="Who was asked.")
    model: str = Field(description="Which model was asked.")
    number: int = Field(ge=1, description="1 for the first try at this provider, 2 for a retry.")
    outcome: str = Field(
        description="ok, lost (another provider was asked beside it and answered first), or the "
        "class of the failure."
    )
    error_class: ErrorClass | None = Field(description="How it failed; null if it answered.")
    detail: str | None = Field(description="Short text of the failure, without secrets.")
    hint: str | None = Field(description="What the operator can do about it.")
    status_code: int | None = Field(description="The provider's HTTP status, if it sent one.")
    confidence: float | None = Field(description="Score of the answer, if there was one.")
    queue_ms: float = Field(ge=0, description="Waited before sending, backoff included.")
    connect_ms: float | None = Field(
        default=None, ge=0, description="From sending to the head of a streamed answer."
    )
    first_token_ms: float | None = Field(
        default=None, ge=0, description="From sending to the first content of a streamed answer."
    )
    total_ms: float = Field(ge=0, description="From sending to the answer or the failure.")
    usage: UsageBody = Field(description="Tokens and money of this try.")
    retry_after: float | None = Field(description="Seconds the provider asked us to wait.")
    next_because: str | None = Field(description="Why a further attempt followed.")

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptBody:
        """The body of an attempt."""
        return cls(
            provider=attempt.provider,
            model=attempt.model,
            number=attempt.number,
            outcome=attempt.outcome,
            error_class=attempt.error_class,
            detail=_masked(attempt.detail),
            hint=_masked(attempt.hint),
            status_code=attempt.status_code,
            confidence=attempt.confidence,
            queue_ms=round(attempt.queue_ms, 1),
            connect_ms=_tenths(attempt.connect_ms),
            first_token_ms=_tenths(attempt.first_token_ms),
            total_ms=round(attempt.total_ms, 1),
            usage=UsageBody.of(attempt.usage, cost_usd=attempt.cost_usd),
            retry_after=attempt.retry_after,
            next_because=attempt.next_because,
        )


def _tenths(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def _masked(text: str | None) -> str | None:
    return None if text is None else mask_credentials(text)


class TroubleshootResponse(_Body):
    """The answer to one troubleshooting question."""

    model_config = ConfigDict(json_schema_extra={"example": RESPONSE})

    session_id: str = Field(description="The conversation it belongs to.")
    investigation_id: str = Field(description="UUID of this answer.")
    request_id: str = Field(description="Id of the request, as in the logs.")
    status: Literal["completed", "inconclusive"] = Field(
        description="inconclusive says what to collect instead of guessing."
    )
    response: str = Field(description="The answer as Markdown for a person.")
    findings: list[Finding] = Field(description="What was noticed, the weightiest first.")
    root_cause: str | None = Field(description="The cause; null if not found.")
    recommendations: list[str] = Field(description="What to change so that it does not recur.")
    next_steps: list[str] = Field(description="What to do now, in order.")
    commands: list[Command] = Field(description="Commands to run, each with its safety.")
    evidence: list[Evidence] = Field(description="Quotes, looked up in what was sent.")
    missing_information: list[MissingInformation] = Field(description="What to collect, and why.")
    confidence_score: float = Field(ge=0, le=1, description="Same as confidence.score.")
    confidence: ConfidenceBody = Field(description="How sure, and why.")
    provider: str = Field(description="Who answered.")
    model: str = Field(description="Which model answered.")
    tokens_used: int = Field(ge=0, description="Tokens read and written for this answer.")
    usage: UsageBody = Field(description="Tokens of this answer; cost of all attempts.")
    response_time_ms: int = Field(ge=0, description="From receiving the request to the answer.")
    attempts: list[AttemptBody] = Field(description="Every try, in order.")
    stopped_because: str = Field(
        description="threshold_met, exhausted, deadline, budget, no_better, or committed: "
        "the answer was being streamed already."
    )
    cached: bool = Field(description="Whether no provider was asked for it.")
    warnings: list[str] = Field(
        description="What the caller should know, such as fields that were ignored."
    )
    created_at: datetime = Field(description="When the request came in (UTC).")
    completed_at: datetime = Field(description="When the answer was ready (UTC).")


class FieldFaultBody(_Body):
    """One fault of one field. The value is never repeated."""

    field: str = Field(description="Dotted path, such as attachments.0.content.")
    message: str = Field(description="What is wrong with it.")
    fix: str = Field(description="What mends it.")

    @classmethod
    def of(cls, fault: FieldFault) -> FieldFaultBody:
        """The body of a fault."""
        return cls(field=fault.field, message=fault.message, fix=fault.fix)


class ProblemBody(_Body):
    """An error, as ``application/problem+json`` (RFC 9457)."""

    model_config = ConfigDict(json_schema_extra={"example": PROBLEM})

    type: str = Field(description="Stable name of the kind of problem, a URI.")
    title: str = Field(description="The kind of problem in words.")
    status: int = Field(ge=400, le=599, description="The HTTP status.")
    detail: str = Field(description="What happened this time.")
    instance: str | None = Field(default=None, description="The path that was asked.")
    request_id: str = Field(description="Id of the request, as in the logs.")
    error_class: str | None = Field(default=None, description="Class of the failure.")
    attempts: list[AttemptBody] = Field(default=[], description="Every try, in order.")
    hint: str | None = Field(default=None, description="What the reader can do about it.")
    errors: list[FieldFaultBody] = Field(default=[], description="Faults by field.")
