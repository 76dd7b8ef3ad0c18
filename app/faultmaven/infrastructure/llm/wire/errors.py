"""Failed answers as errors, for every codec: two tables and a handful of phrases.

The vendor's own word decides first, because a status is shared by unlike things (a 429 may be
about pace or about money, a 400 about the key); then the status; then, for an error inside a
200, the vague words; then the status's hundred.

Choices where the vendors leave room:

- 408, 409, 425 are `ProviderOverloadedError`: the vendor answered, at once, that this moment was
  bad. `ProviderTimeoutError` is for the time we spent ourselves, and is not worth repeating.
- 413 is `ContextLengthError`: what is too large for one provider may fit another.
- 400 and 422 are `ProviderRequestError`, the caller's mistake, only where the vendor says what is
  wrong. A body that is empty, HTML or otherwise nobody's comes from something in between, and
  any other 4xx is about how we speak to the vendor: `ProviderProtocolError`.
- A 400 or 422 that OpenRouter relays from a vendor behind it (``metadata.provider_name``, ``raw``)
  is `ProviderOverloadedError`: it may route the same request to another one next time.
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
}
_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in words.split()}

# Words that some vendors write under any status: they decide only where no status does.
_TROUBLE = frozenset(
    (
        *("overloaded_error", "unavailable_error", "provider_unavailable", "capacity_exhausted"),
        *("api_error", "timeout_error", "server_error", "internal_server_error"),
        *("unavailable", "deadline_exceeded", "internal", "overloaded"),
    )
)

_STATUSES: Mapping[_ErrorType, tuple[int, ...]] = {
    ProviderRequestError: (400, 422),
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

# Some vendors give these no code of their own. Read only where nothing else in a 4xx tells, so
# that a wrong guess costs one attempt at the next provider.
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
        re.compile(
            r"api[ _]key (?:is )?(?:not valid|invalid|expired)"
            r"|organization has been disabled",  # Anthropic
            re.IGNORECASE,
        ),
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

# The text is the caller's; every other field we add ourselves, so that an objection to one is a
# matter between the model and us, and another provider may have none. A model that takes no
# pictures objects to the text's place, but it is the model that differs.
_CALLERS_FIELDS = ("messages", "prompt", "contents", "input")
_OUR_FIELDS = re.compile(
    r"\b(?:response_?format|response_?(?:json_?)?schema|response_?mime_?type|json[_ ]?schema"
    r"|output_?(?:config|format)|grammar|guided_json|max_(?:completion_|new_|output_)?tokens"
    r"|maxOutputTokens|num_predict|temperature|top_[pk]|stop_?sequences|reasoning_effort|logprobs"
    r"|seed|(?:frequency|presence)_penalty|tool_choice|(?:strict|parallel)_tool\w*|think(?:ing)?"
    r"|images?|image_url|vision|multimodal|unsupported_parameter|unsupported_value)\b",
    re.IGNORECASE,
)

# What one model has no sense for (tools, at many of Ollama's) another may have.
_NOT_SUPPORTED = re.compile(r"(?:\bnot|n't) support(?:ed)?\b", re.IGNORECASE)

_REDIRECTS = range(300, 400)
_NO_SUCH_METHOD = (405, 501)
_NOT_FOUND = 404
_NAMES_A_MODEL = re.compile(r"\bmodels?\b|\bdeploy|endpoints found|model_not_", re.IGNORECASE)


def read_error(response: WireResponse) -> ProviderError:
    """The error that a failed answer means; never raises.

    ``x-should-retry: false`` (OpenAI, Anthropic) and a wrong address make another provider the
    better bet, whatever the status.
    """
    error = error_of(read_failure(response))
    told_not_to = response.headers.get("x-should-retry", "").strip().lower() == "false"
    error.prefers_next = told_not_to or is_misdirected(response)
    return error


def error_of(failure: Failure) -> ProviderError:
    """The error for a failure that has been read."""
    kind = _kind(failure)
    error = kind(_message(failure), status_code=failure.status, retry_after=failure.retry_after)
    if kind is ProviderRequestError:
        error.falls_back = _objects_to_our_fields(failure)
    return error


def is_misdirected(response: WireResponse) -> bool:
    """Whether the address is wrong rather than the request: a redirect, or no such path."""
    return response.status in _REDIRECTS or has_no_such_path(response)


def has_no_such_path(response: WireResponse) -> bool:
    """Whether the server lacks the path or method; a 404 that speaks of a model does not say so."""
    if response.status in _NO_SUCH_METHOD:
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
    kind = _BY_STATUS.get(failure.status) or _by_hundred(failure.status, words)
    return _whose_fault(failure) if kind is ProviderRequestError else kind


def _whose_fault(failure: Failure) -> _ErrorType:
    """What a 4xx means that seems to blame the caller, and may be wrong there."""
    told = _from_phrase(f"{failure.message}\n{failure.relayed}")
    if told is not None:
        return told
    if failure.status not in _BY_STATUS or not (failure.explained or failure.relayed):
        return ProviderProtocolError
    return ProviderOverloadedError if failure.relayed else ProviderRequestError


def _by_hundred(status: int, words: set[str]) -> _ErrorType:
    vague = ProviderOverloadedError if words & _TROUBLE else ProviderProtocolError
    return _BY_HUNDRED.get(status // 100, vague)


def _from_phrase(text: str) -> _ErrorType | None:
    return next((kind for phrase, kind in _PHRASES if phrase.search(text)), None)


def _objects_to_our_fields(failure: Failure) -> bool:
    if failure.param and not failure.param.startswith(_CALLERS_FIELDS):
        return True
    said = " ".join((failure.message, *failure.words))
    return bool(_OUR_FIELDS.search(said) or _NOT_SUPPORTED.search(said))


def _message(failure: Failure) -> str:
    code = next((word for word in failure.words if not word.isdigit()), "")
    head = " ".join(filter(None, (f"HTTP {failure.status}", code)))
    if failure.status in _REDIRECTS:
        return f"{head}: a redirect, which is not followed"
    return excerpt(f"{head}: {failure.message}" if failure.message else head)
