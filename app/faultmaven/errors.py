"""Every error of FaultMaven, as one tree.

FaultMavenError
├── ConfigurationError             the environment or a providers file is wrong
├── NotInitializedError            asked before the container was built
├── InvalidInputError              the caller's request is wrong; names field and fix
├── SessionNotFoundError           SESSION_STRICT and an unknown session
├── OverloadedError                the service itself has too much to do
├── LocalModelError                the embedded model cannot run here
├── ProviderError                  one attempt at one provider failed
│   ├── ProviderConnectionError    refused, reset, DNS, TLS, cut body
│   ├── ProviderTimeoutError       no answer within the attempt's time
│   ├── ProviderOverloadedError    5xx, or the model is still loading
│   ├── RateLimitedError           asked too often; may say when to come back
│   ├── QuotaExceededError         out of money or quota: waiting does not help
│   ├── ProviderAuthError          the key is wrong or lacks a permission
│   ├── ModelNotFoundError         unknown, retired or not deployed model
│   ├── ContextLengthError         the prompt does not fit the model's window
│   ├── ContentFilteredError       refused or blocked by policy
│   ├── ProviderRequestError       the provider finds the request itself wrong
│   │   └── UnsupportedRequestError    it cannot carry the request, so it was not asked
│   └── ProviderProtocolError      an answer that is no answer
└── ChainError                     the whole chain ended without a usable answer
    ├── AllProvidersFailedError    nobody answered
    ├── AnswerCutError             an answer broke off while it was being read
    ├── RequestRejectedError       the providers find the caller's request wrong
    └── LowConfidenceError         answers, but none sure enough, and that was required

A class carries its meaning as attributes, so that nobody needs a ladder of ``isinstance``:
``status`` (the HTTP status a caller sees), ``error_class``, ``retryable`` (worth asking the
same provider again) and ``falls_back`` (worth asking the next one). Messages never carry a
key, a prompt or an answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faultmaven.models.attempt import Attempt


class ErrorClass(StrEnum):
    """The closed set of ways an attempt can fail; metric labels come from it."""

    CONNECTION = "connection"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    AUTH = "auth"
    MODEL_NOT_FOUND = "model_not_found"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    INVALID_REQUEST = "invalid_request"
    MALFORMED = "malformed"


class FaultMavenError(Exception):
    """Base of every error we raise.

    Attributes:
        status: HTTP status the caller of the service sees.
        slug: stable machine-readable name, part of the problem type.
        title: short human-readable summary of the kind of problem.
        hint: what the reader can do about it, or ``None``.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigurationError(FaultMavenError):
    """The environment, ``.env`` or a providers file is wrong; the message says where."""

    slug = "configuration"
    title = "Configuration error"


class NotInitializedError(FaultMavenError):
    """Something was asked of the container before it was built or after its reset."""

    status = 503
    slug = "not_initialized"
    title = "Service not available"


class OverloadedError(FaultMavenError):
    """The service has as much to do as it takes on; nothing was asked of anybody.

    Attributes:
        retry_after: seconds until asking again makes sense.
    """

    status = 503
    slug = "overloaded"
    title = "Too many requests in flight"

    def __init__(self, message: str, *, retry_after: float, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class LocalModelError(FaultMavenError):
    """The embedded model cannot be fetched or run here; the hint says what to do."""

    status = 503
    slug = "local_model"
    title = "Local model not available"


class InvalidInputError(FaultMavenError):
    """The caller's request is wrong.

    Attributes:
        field: dotted path of the field at fault, such as ``attachments.0.content``.
    """

    status = 422
    slug = "invalid_input"
    title = "Invalid input"

    def __init__(self, message: str, *, field: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class SessionNotFoundError(FaultMavenError):
    """The session is unknown and ``SESSION_STRICT`` forbids creating it on first use."""

    status = 404
    slug = "session_not_found"
    title = "Session not found"


class ProviderError(FaultMavenError):
    """One attempt at one provider failed.

    Attributes:
        provider: name of the provider, as in ``PROVIDER_SCHEMA``; empty until it is known.
        model: model that was asked, or ``None``.
        status_code: HTTP status the provider answered with, or ``None``.
        retry_after: seconds the provider asked us to wait, or ``None``.
        retryable: worth asking the same provider again.
        retry_limit: most retries this kind of failure is worth.
        prefers_next: another provider, where there is one, is a better bet than a retry.
        falls_back: worth asking the next provider.
        asked: whether the provider was asked at all; one that is not ready yet is spared.
    """

    status = 503
    slug = "provider"
    title = "Provider failed"
    error_class: ClassVar[ErrorClass] = ErrorClass.MALFORMED
    retryable: ClassVar[bool] = False
    retry_limit: ClassVar[int] = 100
    prefers_next: bool = False
    falls_back: bool = True
    asked: bool = True

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str | None = None,
        status_code: int | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.model = model
        self.status_code = status_code
        self.retry_after = retry_after


class ProviderConnectionError(ProviderError):
    """Refused, reset, name not resolved, TLS failed, or the body was cut.

    ``prefers_next`` is set where no connection came about at all: nobody listens there, and
    will hardly do so a moment later.
    """

    error_class = ErrorClass.CONNECTION
    retryable = True


class ProviderTimeoutError(ProviderError):
    """No connection, no first byte, or no end within the attempt's time."""

    error_class = ErrorClass.TIMEOUT


class ProviderOverloadedError(ProviderError):
    """The provider is in trouble (5xx) or its model is still loading."""

    error_class = ErrorClass.OVERLOADED
    retryable = True


class RateLimitedError(ProviderError):
    """Asked too often; ``retry_after`` says when to come back, if the provider said so."""

    error_class = ErrorClass.RATE_LIMITED
    retryable = True


class QuotaExceededError(ProviderError):
    """Out of credit or quota; asking again soon is useless."""

    error_class = ErrorClass.QUOTA


class ProviderAuthError(ProviderError):
    """The key is refused or lacks a permission."""

    error_class = ErrorClass.AUTH


class ModelNotFoundError(ProviderError):
    """The model is unknown, retired, or not deployed for this key."""

    error_class = ErrorClass.MODEL_NOT_FOUND


class ContextLengthError(ProviderError):
    """The prompt does not fit the model's window; a larger one may take it."""

    error_class = ErrorClass.CONTEXT_LENGTH


class ContentFilteredError(ProviderError):
    """The model refused, or policy blocked the prompt or the answer."""

    error_class = ErrorClass.CONTENT_FILTER


class ProviderRequestError(ProviderError):
    """The provider finds the request itself wrong: the caller's to mend, so no fallback.

    An instance may set ``falls_back`` where the provider objects to a parameter that its
    model does not know: that is a matter between the model and us, not the caller's.
    """

    status = 400
    error_class = ErrorClass.INVALID_REQUEST
    falls_back = False


class UnsupportedRequestError(ProviderRequestError):
    """This wire format or model has no place for something in the request, so it is not asked.

    The message says what; another provider may carry it.
    """

    falls_back = True
    asked = False


class ProviderProtocolError(ProviderError):
    """An answer that is no answer: bad JSON, HTML, wrong shape, or no text at all."""

    error_class = ErrorClass.MALFORMED
    retryable = True
    retry_limit = 1


class ChainError(FaultMavenError):
    """The chain ended without a usable answer.

    Attributes:
        attempts: every attempt, in order.
        retry_after: seconds until asking again makes sense, or ``None``.
    """

    status = 503
    slug = "chain"
    title = "No usable answer"

    def __init__(
        self,
        message: str,
        *,
        attempts: Sequence[Attempt] = (),
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.attempts = tuple(attempts)
        self.retry_after = retry_after


class AllProvidersFailedError(ChainError):
    """No provider answered; the message begins with "All providers failed"."""

    slug = "all_providers_failed"
    title = "All providers failed"


class AnswerCutError(ChainError):
    """An answer broke off after part of it had been read, so that nobody else can be asked."""

    status = 502
    slug = "answer_cut"
    title = "The answer broke off"


class RequestRejectedError(ChainError):
    """Providers refused the request itself; the caller can mend it."""

    status = 400
    slug = "request_rejected"
    title = "The request was rejected"


class LowConfidenceError(ChainError):
    """Providers answered, none above the threshold, and the caller required that."""

    slug = "low_confidence"
    title = "No answer reached the confidence threshold"
