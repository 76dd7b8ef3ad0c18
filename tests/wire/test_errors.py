"""Failed answers, read into the errors they mean."""

import json
from typing import Any

import pytest

from faultmaven.errors import (
    ContentFilteredError,
    ContextLengthError,
    ErrorClass,
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
from faultmaven.infrastructure.llm.wire.errors import (
    has_no_such_path,
    is_misdirected,
    read_error,
)
from faultmaven.infrastructure.llm.wire.types import WireResponse
from wire.codecs import CODECS


def answered(status: int, body: Any, **headers: str) -> WireResponse:
    """An answer with this body: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireResponse(status, named, data)


BY_STATUS = {
    301: ProviderProtocolError,
    307: ProviderProtocolError,
    400: ProviderRequestError,
    401: ProviderAuthError,
    402: QuotaExceededError,
    403: ProviderAuthError,
    404: ModelNotFoundError,
    405: ProviderProtocolError,
    408: ProviderOverloadedError,
    409: ProviderOverloadedError,
    410: ModelNotFoundError,
    412: QuotaExceededError,
    413: ContextLengthError,
    406: ProviderProtocolError,
    411: ProviderProtocolError,
    414: ProviderProtocolError,
    415: ProviderProtocolError,
    418: ProviderProtocolError,
    420: ProviderProtocolError,
    431: ProviderProtocolError,
    495: ProviderProtocolError,
    422: ProviderRequestError,
    424: ProviderOverloadedError,
    425: ProviderOverloadedError,
    429: RateLimitedError,
    451: ContentFilteredError,
    498: ProviderAuthError,
    499: ProviderConnectionError,
    500: ProviderOverloadedError,
    501: ProviderOverloadedError,
    502: ProviderOverloadedError,
    503: ProviderOverloadedError,
    504: ProviderOverloadedError,
    520: ProviderOverloadedError,
    524: ProviderOverloadedError,
    529: ProviderOverloadedError,
    101: ProviderProtocolError,
    204: ProviderProtocolError,
    600: ProviderProtocolError,
    999: ProviderProtocolError,
}

UNEXPLAINED = {400: ProviderProtocolError, 422: ProviderProtocolError}
"""What seems to be the caller's mistake is none where no vendor says so."""


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>nginx</html>", b"upstream connect error", {"error": {"message": "no"}}, []],
    ids=["empty", "html", "text", "object", "list"],
)
def test_status_without_a_code(codec: Any, body: Any) -> None:
    """Every status means one class in every format, whatever the body looks like (S37, S108)."""
    read = {status: codec.decode_error(answered(status, body)) for status in BY_STATUS}

    expected = BY_STATUS if isinstance(body, dict) else {**BY_STATUS, **UNEXPLAINED}
    assert {status: type(error) for status, error in read.items()} == expected
    assert all(error.status_code == status for status, error in read.items())
    assert all(str(error).startswith(f"HTTP {status}") for status, error in read.items())


BY_WORD = [
    # OpenAI
    (400, {"code": "context_length_exceeded", "type": "invalid_request_error"}, ContextLengthError),
    (400, {"code": "unsupported_parameter", "param": "max_tokens"}, ProviderRequestError),
    (400, {"code": "content_policy_violation"}, ContentFilteredError),
    (400, {"code": "content_filter", "type": None}, ContentFilteredError),
    (401, {"code": "invalid_api_key"}, ProviderAuthError),
    (403, {"code": "unsupported_country_region_territory"}, ProviderAuthError),
    (403, {"code": "model_not_found"}, ModelNotFoundError),
    (404, {"code": "model_not_found"}, ModelNotFoundError),
    (429, {"code": "rate_limit_exceeded", "type": "tokens"}, RateLimitedError),
    (429, {"code": "slow_down"}, RateLimitedError),
    (429, {"code": "insufficient_quota", "type": "insufficient_quota"}, QuotaExceededError),
    (429, {"type": "insufficient_quota", "code": None}, QuotaExceededError),
    (429, {"code": "credit_balance_exhausted"}, QuotaExceededError),
    (429, {"code": "organization_spend_limit_exceeded"}, QuotaExceededError),
    (429, {"code": "project_spend_limit_exceeded"}, QuotaExceededError),
    (429, {"code": "organization_usage_limit_exceeded"}, QuotaExceededError),
    # Anthropic
    (402, {"type": "billing_error"}, QuotaExceededError),
    (404, {"type": "not_found_error", "message": "model: claude-2"}, ModelNotFoundError),
    (413, {"type": "request_too_large"}, ContextLengthError),
    (
        429,
        {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}},
        QuotaExceededError,
    ),
    (529, {"type": "overloaded_error"}, ProviderOverloadedError),
    (400, {"message": "Your credit balance is too low to access the API"}, QuotaExceededError),
    (
        400,
        {"type": "invalid_request_error", "message": "This organization has been disabled."},
        ProviderAuthError,
    ),
    (400, {"message": "You have reached your specified API usage limits."}, QuotaExceededError),
    (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, ContextLengthError),
    # Gemini
    (400, {"status": "FAILED_PRECONDITION", "code": 400}, QuotaExceededError),
    (400, {"status": "INVALID_ARGUMENT", "code": 400}, ProviderRequestError),
    (400, {"details": [{"reason": "API_KEY_INVALID"}], "code": 400}, ProviderAuthError),
    (400, {"message": "The input token count (9) exceeds the maximum"}, ContextLengthError),
    (429, {"status": "RESOURCE_EXHAUSTED", "code": 429}, RateLimitedError),
    (
        429,
        {"details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerModel"}]}]},
        QuotaExceededError,
    ),
    # OpenRouter
    (400, {"code": 400, "metadata": {"error_type": "model_not_found"}}, ModelNotFoundError),
    (400, {"message": "acme/x is not a valid model ID", "code": 400}, ModelNotFoundError),
    (
        400,
        {"message": "Provider returned error", "code": 400, "metadata": {"raw": "no", "x": 1}},
        ProviderOverloadedError,
    ),
    (
        400,
        {"message": "Provider returned error", "metadata": {"provider_name": "Acme", "raw": {}}},
        ProviderOverloadedError,
    ),
    (
        400,
        {
            "message": "Provider returned error",
            "metadata": {"provider_name": "Acme", "raw": '{"message":"prompt is too long"}'},
        },
        ContextLengthError,
    ),
    (200, {"code": 400, "metadata": {"provider_name": "Acme"}}, ProviderOverloadedError),
    (429, {"code": 429, "metadata": {"provider_name": "Acme"}}, RateLimitedError),
    (401, {"code": 401, "metadata": {"provider_name": "Acme"}}, ProviderAuthError),
    (418, {"code": 418, "metadata": {"provider_name": "Acme"}}, ProviderProtocolError),
    (403, {"code": 403, "metadata": {"flagged_input": "text"}}, ContentFilteredError),
    (403, {"code": 403, "message": "not in your region"}, ProviderAuthError),
    # Hugging Face
    (400, {"code": "model_not_supported", "message": "not by any provider"}, ModelNotFoundError),
    # vLLM and llama.cpp
    (
        400,
        {"message": "This model's maximum context length is 8192 tokens", "code": 400},
        ContextLengthError,
    ),
    (400, {"type": "exceed_context_size_error", "code": 400}, ContextLengthError),
    (503, {"type": "unavailable_error", "message": "Loading model"}, ProviderOverloadedError),
    # an error inside a 200
    (200, {"code": 502}, ProviderOverloadedError),
    (200, {"code": "402"}, QuotaExceededError),
    (200, {"code": "4" * 5000}, ProviderProtocolError),
    (200, {"code": "\uff14\uff10\uff12"}, ProviderProtocolError),
    (200, {"code": "0402"}, ProviderProtocolError),
    (200, {"code": "-402"}, ProviderProtocolError),
    (503, {"code": "4" * 5000}, ProviderOverloadedError),
    (200, {"type": "overloaded_error"}, ProviderOverloadedError),
    (200, {"code": 200, "message": "odd"}, ProviderProtocolError),
]


@pytest.mark.parametrize(("status", "error_object", "kind"), BY_WORD)
def test_vendors_own_word_decides(status: int, error_object: Any, kind: type) -> None:
    """The code in the body outranks the status it comes with (S37, S105, S106, S107)."""
    assert type(read_error(answered(status, {"error": error_object}))) is kind


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "no"}, "HTTP 400: no"),
        ({"error": {"message": "no", "code": "c"}}, "HTTP 400 c: no"),
        ({"error": {"message": "no", "code": 400}}, "HTTP 400: no"),
        ({"error": {"message": "no", "code": None, "type": "t"}}, "HTTP 400 t: no"),
        ({"object": "error", "message": "no", "code": 400, "type": "T"}, "HTTP 400 t: no"),
        ({"message": "no"}, "HTTP 400: no"),
        ({"detail": "no"}, "HTTP 400: no"),
        ({"detail": [{"loc": ["body", "n"], "msg": "no", "input": "secret"}]}, "HTTP 400: no"),
        ({"error": ["no", "really"]}, "HTTP 400: no"),
        ({"error": {"message": ["odd"]}, "message": "no"}, "HTTP 400: no"),
        ([{"error": {"message": "no"}}], "HTTP 400: no"),
        ({"error": "no", "error_type": "validation"}, "HTTP 400 validation: no"),
        ({"error": {}}, "HTTP 400"),
        ({"error": None}, "HTTP 400"),
        (None, "HTTP 400"),
        (b"plainly no", "HTTP 400: plainly no"),
        (b"", "HTTP 400: the answer is empty"),
        (b"<!doctype html><p>secret", "HTTP 400: the answer is an HTML page"),
        (b"\xff\xfe", "HTTP 400: the answer is not UTF-8"),
        (b'{"error": {"message": "cut here', "HTTP 400: the answer is broken JSON"),
        (b'{"error":' + b"[" * 100_000, "HTTP 400: the answer is broken JSON"),
    ],
)
def test_error_bodies_of_every_shape(body: Any, message: str) -> None:
    """``error`` may be text, object, list or absent; the text is found in all of them (S92)."""
    assert str(read_error(answered(400, body))) == message


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"retry_after": "2"}, {}, 2.0),
        ({"retry_after": " 0.25 "}, {}, 0.25),
        ({"retry_after": "3600"}, {}, 3600.0),
        ({"retry_after": "3601"}, {}, 3600.0),
        ({"retry_after": "9" * 300}, {}, 3600.0),
        ({"retry_after_ms": "86400000"}, {}, 3600.0),
        (
            {
                "retry_after": "Mon, 22 Nov 2027 10:00:05 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            {},
            3600.0,
        ),
        ({}, {"error": {"details": [{"retryDelay": "86400s"}]}}, 3600.0),
        ({}, {"error": {"metadata": {"retry_after": 86400}}}, 3600.0),
        ({}, {"error": {"metadata": {"retry_after": -5}}}, None),
        ({}, {"error": "loading", "estimated_time": -0.5}, None),
        ({}, {"error": "loading", "estimated_time": 1e12}, 3600.0),
        ({"retry_after": "30", "retry_after_ms": "150"}, {}, 0.15),
        ({"retry_after": "30", "retry_after_ms": "soon"}, {}, 30.0),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 10:00:05 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            {},
            5.0,
        ),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 09:00:00 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            {},
            0.0,
        ),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:05 GMT"}, {}, None),
        ({"retry_after": "soon"}, {}, None),
        ({"retry_after": "-1"}, {}, None),
        ({"retry_after": "nan"}, {}, None),
        ({"retry_after": "inf"}, {}, None),
        ({"retry_after": ""}, {}, None),
        ({}, {"error": {"details": [{"retryDelay": "34s"}]}}, 34.0),
        ({}, {"error": {"details": [{"retryDelay": "34.074s"}]}}, 34.074),
        ({}, {"error": {"availability": {"retry_after": 12}}}, 12.0),
        ({}, {"error": "loading", "estimated_time": 20.5}, 20.5),
        ({"retry_after": "3"}, {"error": {"availability": {"retry_after": 12}}}, 3.0),
        ({}, {"error": {"details": [{"retryDelay": 34}]}}, 34.0),
        ({}, {"error": "x", "estimated_time": "long"}, None),
    ],
)
def test_wait_that_is_asked_for(headers: dict[str, str], body: Any, wait: float | None) -> None:
    """Milliseconds beat seconds, dates are read against the answer's own clock (S107)."""
    assert read_error(answered(429, body, **headers)).retry_after == wait


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "no"}}, ProviderRequestError),
        ({"error": {"status": "INVALID_ARGUMENT", "code": 400}}, ProviderRequestError),
        ({"error": {"param": "messages"}}, ProviderRequestError),
        ({"message": "no"}, ProviderRequestError),
        ({"detail": [{"loc": ["body", "messages"], "msg": "no"}]}, ProviderRequestError),
        ([{"error": {"message": "no"}}], ProviderRequestError),
        ({"error": {}}, ProviderProtocolError),
        ({"error": {"code": 400}}, ProviderProtocolError),
        ({"ok": False}, ProviderProtocolError),
        (None, ProviderProtocolError),
        (7, ProviderProtocolError),
        (b"", ProviderProtocolError),
        (b"Bad Request", ProviderProtocolError),
        (b"<html><h1>400 Bad Request</h1><hr>cloudflare", ProviderProtocolError),
        (b'{"error": {"message": "cut here', ProviderProtocolError),
        (b"prompt is too long", ContextLengthError),
    ],
)
def test_caller_is_blamed_only_where_the_vendor_says_why(
    status: int, body: Any, kind: type
) -> None:
    """A 400 or 422 from something in between is no mistake of the caller's: the chain goes on."""
    error = read_error(answered(status, body))

    assert type(error) is kind
    assert error.falls_back is (kind is not ProviderRequestError)


@pytest.mark.parametrize(
    ("error_object", "falls_back"),
    [
        ({"message": "Unsupported", "code": "unsupported_parameter"}, True),
        ({"message": "Unsupported", "code": "unsupported_value"}, True),
        ({"message": "Invalid", "param": "response_format"}, True),
        ({"message": "Invalid", "param": "max_tokens"}, True),
        ({"message": "output_config.format: Extra inputs are not permitted"}, True),
        ({"message": 'Unknown name "responseJsonSchema" at "generation_config"'}, True),
        ({"message": "temperature: not supported by this model"}, True),
        ({"message": "json_schema is not supported here"}, True),
        ({"message": "image input is not supported", "param": "messages.[0].content"}, True),
        ({"details": [{"fieldViolations": [{"field": "generation_config.seed"}]}]}, True),
        ({"message": "registry.ollama.ai/library/gemma:2b does not support tools"}, True),
        ({"message": "This one doesn't support function calling."}, True),
        ({"message": "tool_choice must be auto"}, True),
        ({"message": "frequency_penalty must be between 0 and 1"}, True),
        ({"message": "The request is invalid."}, False),
        ({"message": "all elements in tools must have a name"}, False),
        ({"message": "Invalid value", "param": "messages.[1].role"}, False),
        ({"message": "prompt must be at least 1 token long"}, False),
    ],
)
def test_objection_to_our_own_fields_falls_back(error_object: Any, *, falls_back: bool) -> None:
    """A model that does not know a field of ours is no mistake of the caller's."""
    error = read_error(answered(400, {"error": error_object}))

    assert type(error) is ProviderRequestError
    assert error.falls_back is falls_back


def test_field_named_by_fastapi_falls_back() -> None:
    """The place of a FastAPI validation error counts as the field."""
    body = {"detail": [{"loc": ["body", "response_format", "type"], "msg": "unexpected value"}]}

    assert read_error(answered(422, body)).falls_back


def test_vendor_that_says_not_to_retry() -> None:
    """``x-should-retry: false`` makes the next provider the better bet, ``true`` does not."""
    assert read_error(answered(503, {}, x_should_retry="false")).prefers_next
    assert not read_error(answered(503, {}, x_should_retry="true")).prefers_next


@pytest.mark.parametrize(
    ("status", "body", "no_path", "misdirected"),
    [
        (307, b"", False, True),
        (404, b"", True, True),
        (404, b"404 page not found", True, True),
        (404, b"<html>not found</html>", True, True),
        (404, {"detail": "Not Found"}, True, True),
        (404, {"error": {"type": "not_found_error", "message": "File Not Found"}}, True, True),
        (405, {"detail": "Method Not Allowed"}, True, True),
        (404, {"error": "model 'x' not found"}, False, False),
        (404, {"error": {"code": "model_not_found", "message": "gone"}}, False, False),
        (404, {"error": {"message": "No endpoints found for acme/x."}}, False, False),
        (404, {"message": "Model not found, inaccessible, and/or not deployed"}, False, False),
        (400, b"", False, False),
        (200, {}, False, False),
    ],
)
def test_wrong_address_is_told_from_wrong_model(
    status: int, body: Any, *, no_path: bool, misdirected: bool
) -> None:
    """A 404 that speaks of no model, and any redirect, is about the address (S108)."""
    response = answered(status, body)

    assert has_no_such_path(response) is no_path
    assert is_misdirected(response) is misdirected


def test_text_is_short_on_one_line_and_without_secrets() -> None:
    """A vendor's text is masked, folded and cut before it becomes an error's (S69, S92)."""
    secret = "sk-ant-api03-abcdefgh12345678"
    long = f"bad key {secret}\r\n\x1b[31m{'x' * 500}"

    error = read_error(answered(401, {"error": {"message": long}}))

    assert secret not in repr(error)
    assert len(str(error)) <= 200
    assert str(error).isprintable()


def test_every_class_of_failure_can_be_read() -> None:
    """The tables reach every class that an answer can have; timeouts are ours alone (S37)."""
    kinds: set[type[ProviderError]] = {*BY_STATUS.values(), *(kind for _, _, kind in BY_WORD)}

    assert {kind.error_class for kind in kinds} == set(ErrorClass) - {ErrorClass.TIMEOUT}
