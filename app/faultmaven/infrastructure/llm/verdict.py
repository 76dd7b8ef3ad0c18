"""Why a request ended without an answer, as its attempts tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faultmaven.errors import (
    AllProvidersFailedError,
    ChainError,
    ErrorClass,
    ProviderError,
    RequestRejectedError,
)
from faultmaven.models.attempt import Attempt

_CALLERS_FAULT = frozenset({ErrorClass.INVALID_REQUEST, ErrorClass.CONTEXT_LENGTH})


def failed(draft: Attempt, error: ProviderError) -> Attempt:
    """The attempt, with what the failure says of it."""
    return replace(
        draft,
        error_class=error.error_class,
        detail=str(error),
        hint=error.hint,
        status_code=error.status_code,
        retry_after=error.retry_after,
    )


def cause(attempt: Attempt) -> str:
    """One failed attempt in a few words."""
    return f"{attempt.provider}: {attempt.outcome} ({attempt.detail})"


def verdict(attempts: Sequence[Attempt], *, rejected: bool) -> ChainError:
    """The error for attempts of which none succeeded.

    Args:
        attempts: every one, in order; at least one.
        rejected: whether a provider found the caller's request wrong.
    """
    causes = "; ".join(cause(attempt) for attempt in attempts)
    advice = next((attempt.hint for attempt in attempts if attempt.hint), None)
    if rejected or all(attempt.error_class in _CALLERS_FAULT for attempt in attempts):
        message = f"The request was rejected: {causes}"
        return RequestRejectedError(message, attempts=attempts, hint=advice)
    waits = [attempt.retry_after for attempt in attempts if attempt.retry_after is not None]
    return AllProvidersFailedError(
        f"All providers failed: {causes}",
        attempts=attempts,
        retry_after=min(waits, default=None),
        hint=advice,
    )


def resting(seconds: float) -> AllProvidersFailedError:
    """The error for a request for which nobody could be asked.

    Args:
        seconds: until somebody may be asked again.
    """
    return AllProvidersFailedError(
        "All providers failed: each of them has just failed, is limiting us or is full, "
        "and is left alone for a moment",
        retry_after=max(1.0, seconds),
        hint="Ask again after the time in Retry-After; GET /health/dependencies tells more.",
    )
