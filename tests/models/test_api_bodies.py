"""The bodies of the REST surface are what the documentation says."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel, ValidationError

from faultmaven.errors import ErrorClass
from faultmaven.models import api
from faultmaven.models.api import (
    AttemptBody,
    ConfidenceBody,
    ProblemBody,
    TroubleshootRequest,
    TroubleshootResponse,
)
from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence, Signal
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.examples import PROBLEM, REQUEST, RESPONSE

_PROMISED = (
    "session_id investigation_id request_id status response findings root_cause recommendations "
    "next_steps commands evidence missing_information confidence_score confidence provider model "
    "tokens_used usage response_time_ms attempts stopped_because cached created_at completed_at"
)
_BODIES = [body for body in vars(api).values() if isinstance(body, type)]


def test_response_has_every_promised_field_and_all_are_always_there() -> None:
    """A client may rely on each field of the 200 body being present."""
    assert set(_PROMISED.split()) <= TroubleshootResponse.model_fields.keys()
    assert all(field.is_required() for field in TroubleshootResponse.model_fields.values())


@pytest.mark.parametrize(
    ("body", "example"),
    [(TroubleshootResponse, RESPONSE), (ProblemBody, PROBLEM), (TroubleshootRequest, REQUEST)],
)
def test_examples_are_valid_and_complete(body: type[BaseModel], example: dict[str, object]) -> None:
    """What the documentation shows is a real body, with every field of a response."""
    shown = body.model_validate(example)

    assert body.model_json_schema()["example"] == example
    if body is not TroubleshootRequest:
        assert example.keys() == shown.model_dump().keys()


def test_examples_agree_with_themselves() -> None:
    """Quotes stand where the example says, parts add up to the score, no secret is shown."""
    response = TroubleshootResponse.model_validate(RESPONSE)
    lines = REQUEST["attachments"][0]["content"].split("\n")

    for item in response.evidence:
        assert item.line is not None
        assert item.quote in lines[item.line - 1]
    total = sum(signal.delta for signal in response.confidence.signals)
    assert response.confidence_score == response.confidence.score == min(round(total, 4), 0.98)
    assert response.tokens_used == response.usage.prompt + response.usage.completion
    assert mask_credentials(str(RESPONSE)) == str(RESPONSE)


@pytest.mark.parametrize("body", _BODIES)
def test_every_field_is_described(body: type) -> None:
    """The interactive documentation explains every field of every body."""
    fields = body.model_fields if issubclass(body, BaseModel) else {}

    assert all(field.description for field in fields.values())


def test_bodies_are_immutable_and_exact() -> None:
    """A body cannot be changed after it was written, nor hold more than it declares."""
    problem, name = ProblemBody.model_validate(PROBLEM), "status"

    with pytest.raises(ValidationError):
        setattr(problem, name, 200)
    with pytest.raises(ValidationError):
        ProblemBody.model_validate({**PROBLEM, "stack": "trace"})


def test_attempt_is_told_whole() -> None:
    """Class of failure, times, hint, tokens and the reason for the next try all reach the body."""
    attempt = Attempt(
        "openai",
        "gpt-4o",
        number=2,
        error_class=ErrorClass.RATE_LIMITED,
        detail="HTTP 429",
        hint="Wait.",
        status_code=429,
        queue_ms=250.04,
        connect_ms=12.345,
        first_token_ms=19.96,
        total_ms=31.26,
        usage=Usage(3, 4),
        cost_usd=0.01,
        retry_after=7.0,
        next_because="fallback: rate_limited",
    )

    assert AttemptBody.of(attempt).model_dump(mode="json") == {
        "provider": "openai",
        "model": "gpt-4o",
        "number": 2,
        "outcome": "rate_limited",
        "error_class": "rate_limited",
        "detail": "HTTP 429",
        "hint": "Wait.",
        "status_code": 429,
        "confidence": None,
        "queue_ms": 250.0,
        "connect_ms": 12.3,
        "first_token_ms": 20.0,
        "total_ms": 31.3,
        "usage": {"prompt": 3, "completion": 4, "cost_usd": 0.01},
        "retry_after": 7.0,
        "next_because": "fallback: rate_limited",
    }


def test_attempt_is_told_without_credentials() -> None:
    """Whoever wrote the texts of an attempt, no credential in them reaches the body (S69)."""
    said = "401 for sk-proj-3Zq8WvT5rKx2NmYb7"

    body = AttemptBody.of(Attempt("acme", "m", detail=said, hint=f"Not {said}."))

    assert (body.detail, body.hint) == (
        "401 for [openai_key removed]",
        "Not 401 for [openai_key removed].",
    )


def test_confidence_is_told_with_its_parts() -> None:
    """Score, threshold and every signal reach the body."""
    confidence = Confidence(0.6, 0.8, (Signal("prior", 0.6, "how it usually fares"),))

    assert ConfidenceBody.of(confidence).model_dump() == {
        "score": 0.6,
        "threshold": 0.8,
        "below_threshold": True,
        "signals": [{"name": "prior", "delta": 0.6, "reason": "how it usually fares"}],
    }


def test_times_are_utc_iso() -> None:
    """Both times are ISO 8601 in UTC."""
    dumped = TroubleshootResponse.model_validate(RESPONSE).model_dump(mode="json")

    for name in ("created_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", dumped[name])
