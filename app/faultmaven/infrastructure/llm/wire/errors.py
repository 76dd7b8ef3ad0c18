"""Failed answers as errors, for every codec: two tables and a handful of phrases.

The vendor's own word decides first, because a status is shared by unlike things (a 429 may be
about pace or about money, a 400 about the key); then the status; then its hundred.

Choices where the vendors leave room:

- 408, 409, 425 are `ProviderOverloadedError`: the vendor answered, at once, that this moment was
  bad. `ProviderTimeoutError` is for the time we spent ourselves, and is not worth repeating.
- 413 is `ContextLengthError`: what is too large for one provider may fit another.
- 3xx and 405 are `ProviderProtocolError`: no model speaks at that address.
- 410 is `ModelNotFoundError`: what is gone for good is a model.
- 412 is `QuotaExceededError`: Fireworks' suspended account, the only vendor that documents it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from faultmaven.errors import (
    ContentFilteredError,
    ContextLengthError,
    ModelNotFoundError,
    ProviderAuthError,
    ProviderConnectionError,
    ProviderError,
    ProviderOverloadedError,
    ProviderProtocolError,
    ProviderRequestError,
    QuotaExceededError,
    RateLimitedError,
)
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.failure import Failure, read_failure
from faultmaven.infrastructure.llm.wire.types import WireResponse

_ErrorType = type[ProviderError]

# In order of precedence: a body may hold several words, and money outranks pace.
_WORDS: Mapping[_ErrorType, str] = {
    QuotaExceededError: (
        "insufficient_quota credit_balance_exhausted organization_spend_limit_exceeded "
        "project_spend_limit_exceeded organization_usage_limit_exceeded billing_hard_limit_reached "
        "billing_error enforced_spend_limit_reached insufficient_credits payment_required "
        "failed_precondition"  # Google: billing is off, or the free tier ends at a border
    ),
    ContextLengthError: "context_length_exceeded exceed_context_size_error request_too_large",
    ContentFilteredError: "content_policy_violation content_filter moderation_blocked",
    ModelNotFoundError: "model_not_found model_not_supported model_not_available not_found_error",
    ProviderAuthError: (
        "invalid_api_key api_key_invalid authentication_error permission_error "
        "permission_denied unauthenticated"
    ),
    RateLimitedError: "rate_limit_exceeded slow_down rate_limit_error resource_exhausted",
    ProviderOverloadedError: (
        "overloaded_error unavailable_error provider_unavailable capacity_exhausted api_error "
        "timeout_error server_error internal_server_error unavailable deadline_exceeded"
    ),
}
_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}

_STATUSES: Mapping[_ErrorType, tuple[int, ...]] = {
    ProviderRequestError: (400, 406, 411, 414, 415, 422, 431),
    ProviderAuthError: (401, 403, 407, 498),
    QuotaExceededError: (402, 412),
    ModelNotFoundError: (404, 410),
    ProviderProtocolError: (405,),
    ProviderOverloadedError: (408, 409, 421, 423, 424, 425),
    ContextLengthError: (413,),
    RateLimitedError: (429,),
    ContentFilteredError: (451,),
    ProviderConnectionError: (499,),
}
_BY_STATUS = {status: kind for kind, statuses in _STATUSES.items() for status in statuses}
_BY_HUNDRED: Mapping[int, _ErrorType] = {4: ProviderRequestError, 5: ProviderOverloadedError}

# Some vendors give these no code of their own. Read only where the answer would otherwise be
# called the caller's mistake, so that a wrong guess costs one attempt at the next provider.
_PHRASES: tuple[tuple[re.Pattern[str], _ErrorType], ...] = (
    (
        re.compile(r"credit balance|usage limits|spend(?:ing)? limit|billing", re.IGNORECASE),
        QuotaExceededError,
    ),
    (
        re.compile(
            r"prompt (?:is )?too long|too many (?:input )?tokens|maximum context length"
            r"|exceeds? (?:the )?(?:maximum|model's|context|available context)"
            r"|token count .{0,40}exceeds|context (?:window|size|length)"
            r"|tokens? ?(?:`? ?\+ ?`?max_new_tokens`?)? must (?:be <=|have less than)",
            re.IGNORECASE,
        ),
        ContextLengthError,
    ),
    (
        re.compile(r"api[ _]key (?:is )?(?:not valid|invalid|expired)", re.IGNORECASE),
        ProviderAuthError,
    ),
    (
        re.compile(
            r"\bmodel\b.{0,120}\b(?:not found|does not exist|not supported|not exist|not available"
            r"|retired|deprecated|unknown)|unknown model|not a valid model",
            re.IGNORECASE,
        ),
        ModelNotFoundError,
    ),
)

# What we add to a caller's question ourselves: an objection to one of these is a matter between
# the model and us, and another provider may have none.
_OUR_FIELDS = re.compile(
    r"\b(?:response_?format|response_?json_?schema|response_?mime_?type|response_?schema"
    r"|json_?schema|output_?config|output_?format|format|grammar|guided_json|schema"
    r"|max_(?:completion_|new_|output_)?tokens|maxOutputTokens|num_predict|temperature|top_p"
    r"|stop(?:_?sequences)?|reasoning_effort|logprobs|system|image(?:s|_url)?|vision|multimodal"
    r"|unsupported_parameter|unsupported_value)\b",
    re.IGNORECASE,
)

_REDIRECTS = range(300, 400)
_NO_SUCH_METHOD = (405, 501)
_NOT_FOUND = 404
_NAMES_A_MODEL = re.compile(r"\bmodels?\b|\bdeploy|endpoints found|model_not_", re.IGNORECASE)


def read_error(response: WireResponse) -> ProviderError:
    """The error that a failed answer means; never raises."""
    return error_of(read_failure(response))


def error_of(failure: Failure) -> ProviderError:
    """The error for a failure that has been read."""
    kind = _kind(failure)
    error = kind(_message(failure), status_code=failure.status, retry_after=failure.retry_after)
    if kind is ProviderRequestError:
        error.falls_back = _objects_to_our_fields(failure)
    return error


def is_misdirected(response: WireResponse) -> bool:
    """Whether the address is wrong rather than the request.

    True for a redirect, and for a path or method the server does not have; a 404 that speaks
    of a model is about the model.
    """
    if response.status in _REDIRECTS or response.status in _NO_SUCH_METHOD:
        return True
    if response.status != _NOT_FOUND:
        return False
    failure = read_failure(response)
    return not _NAMES_A_MODEL.search(" ".join((failure.message, *failure.words)))


def _kind(failure: Failure) -> _ErrorType:
    words = set(failure.words)
    if any("perday" in word for word in words):  # Google's daily quota: waiting does not help
        return QuotaExceededError
    named = next((kind for word, kind in _BY_WORD.items() if word in words), None)
    if named is not None:
        return named
    hundred = _BY_HUNDRED.get(failure.status // 100, ProviderProtocolError)
    kind = _BY_STATUS.get(failure.status, hundred)
    return _from_phrase(failure.message, kind) if kind is ProviderRequestError else kind


def _from_phrase(message: str, otherwise: _ErrorType) -> _ErrorType:
    return next((kind for phrase, kind in _PHRASES if phrase.search(message)), otherwise)


def _objects_to_our_fields(failure: Failure) -> bool:
    return bool(_OUR_FIELDS.search(" ".join((failure.param, failure.message, *failure.words))))


def _message(failure: Failure) -> str:
    code = next((word for word in failure.words if not word.isdigit()), "")
    head = " ".join(filter(None, (f"HTTP {failure.status}", code)))
    return excerpt(f"{head}: {failure.message}" if failure.message else head)
