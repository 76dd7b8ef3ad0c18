"""Every fault, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from upstreams.dialects.answer import Finish
from upstreams.dialects.problems import Problem
from upstreams.exchange import Behaviour
from upstreams.faults import answers, bodies, network, statuses
from upstreams.faults.fault import ANSWERED, Fault
from upstreams.faults.statuses import MONEY_UNDER_429, problem, sending, status

_OPENAI_SHAPED = frozenset(
    {"openai", "fireworks", "openrouter", "huggingface", "together", "vllm", "tgi", "llamacpp"}
)
_TEXT_PARTS = _OPENAI_SHAPED | {"anthropic", "gemini", "cohere"}
_COUNTED = _TEXT_PARTS | {"ollama"}


def _fault(
    name: str,
    note: str,
    classes: str,
    behaviour: Behaviour,
    *,
    dialects: frozenset[str] | None = None,
    stalls: bool = False,
) -> Fault:
    return Fault(name, note, frozenset(classes.split()), behaviour, dialects, stalls)


_STATUSES = (
    _fault("status_400", "invalid request", "invalid_request", status(400)),
    _fault("status_401", "the key is refused", "auth", status(401)),
    _fault("status_402", "no credit left", "quota", status(402)),
    _fault("status_403", "forbidden", "auth", status(403)),
    _fault("status_404", "no such model", "model_not_found", status(404)),
    _fault("status_408", "the vendor's own timeout", "overloaded timeout", status(408)),
    _fault("status_409", "conflict", "overloaded", status(409)),
    _fault("status_412", "account suspended", "quota", status(412)),
    _fault("status_413", "request too large", "invalid_request context_length", status(413)),
    _fault("status_422", "not processable", "invalid_request", status(422)),
    _fault("status_429", "rate limit, no hint when to return", "rate_limited", status(429)),
    _fault("status_500", "internal error", "overloaded", status(500)),
    _fault("status_502", "bad gateway, in JSON", "overloaded", status(502)),
    _fault("status_503", "unavailable", "overloaded", status(503)),
    _fault("status_504", "gateway timeout", "overloaded", status(504)),
    _fault("status_524", "the edge gave up waiting", "overloaded", status(524)),
    _fault("status_529", "overloaded", "overloaded", status(529)),
)

_REASONS = (
    _fault("bad_key", "the vendor's own way to refuse a key", "auth", problem(Problem.KEY_WRONG)),
    _fault(
        "model_unknown",
        "the vendor's own words for a model it does not have",
        "model_not_found",
        problem(Problem.MODEL_UNKNOWN),
    ),
    _fault(
        "model_retired",
        "the vendor's own words for a model that is gone",
        "model_not_found",
        problem(Problem.MODEL_RETIRED),
    ),
    _fault(
        "context_length", "prompt too long, in the vendor's code", "context_length",
        problem(Problem.CONTEXT),
    ),
    _fault("no_credit", "402 in the vendor's words", "quota", problem(Problem.CREDIT)),
    _fault(
        "insufficient_quota", "429 that means no money", "quota",
        problem(Problem.QUOTA), dialects=MONEY_UNDER_429 - {"gemini", "cohere"},
    ),
    _fault(
        "daily_quota", "429 that does not clear in minutes", "quota rate_limited",
        problem(Problem.QUOTA), dialects=frozenset({"gemini", "cohere"}),
    ),
    _fault("loading", "503 while the model loads", "overloaded", problem(Problem.LOADING)),
    _fault(
        "rate_limit_seconds", "429, Retry-After: 2", "rate_limited",
        statuses.rate_limit(("retry-after", "2")),
    ),
    _fault(
        "rate_limit_fraction", "429, Retry-After: 0.25", "rate_limited",
        statuses.rate_limit(("retry-after", "0.25")),
    ),
    _fault(
        "rate_limit_hour", "429, Retry-After: 3600", "rate_limited",
        statuses.rate_limit(("retry-after", "3600")),
    ),
    _fault(
        "rate_limit_date", "429, Retry-After as a date 5 s ahead", "rate_limited",
        statuses.rate_limit_until(5),
    ),
    _fault(
        "rate_limit_ms", "429, retry-after-ms: 150 beside retry-after: 30", "rate_limited",
        statuses.rate_limit(("retry-after-ms", "150"), ("retry-after", "30")),
    ),
    _fault(
        "rate_limit_nonsense", "429, Retry-After: soon", "rate_limited",
        statuses.rate_limit(("retry-after", "soon")),
    ),
    _fault(
        "rate_limit_retry_info", "429 with the wait of 34 s in the body", "rate_limited",
        statuses.retry_info(34), dialects=frozenset({"gemini"}),
    ),
    _fault(
        "capacity_exhausted", "503 with the wait of 12 s in the body", "overloaded",
        statuses.availability(12), dialects=frozenset({"openrouter"}),
    ),
)  # fmt: skip

_NETWORK = (
    _fault("reset_before_head", "TCP reset, no answer", "connection", network.reset_before_head),
    _fault(
        "closed_before_head", "closed, no answer", "connection", network.closed_before_head
    ),
    _fault("reset_in_head", "TCP reset within the headers", "connection", network.reset_in_head),
    _fault("reset_in_body", "TCP reset within the body", "connection", network.reset_in_body),
    _fault("cut_body", "closed before Content-Length", "connection", network.cut_body),
    _fault("cut_chunks", "closed before the last chunk", "connection", network.cut_chunks),
    _fault(
        "stalled_headers", "accepted, then silence", "timeout", network.stalled_headers, stalls=True
    ),
    _fault(
        "stalled_body", "half a body, then silence", "timeout", network.stalled_body, stalls=True
    ),
    _fault(
        "endless_drip", "a byte now and then, for ever", "timeout", network.endless_drip(),
        stalls=True,
    ),
    _fault("slow_drip", "a whole answer in slow pieces", ANSWERED, network.slow_drip()),
    _fault(
        "length_too_small", "Content-Length says half", "malformed connection",
        network.length_too_small,
    ),
    _fault("not_http", "another protocol's greeting", "connection malformed", network.not_http),
    _fault("chunked", "a good answer in chunks", ANSWERED, network.chunked),
    _fault("until_close", "a good answer without a length", ANSWERED, network.until_close),
    _fault("early_hints", "103, then a good answer", ANSWERED, network.early_hints),
    _fault("idle_close", "a good answer, then a dead connection", ANSWERED, network.idle_close),
)  # fmt: skip

_BODIES = (
    _fault("html_200", "a web page under 200", "malformed", bodies.html(200)),
    _fault("html_502", "a web page under 502", "overloaded", bodies.html(502)),
    _fault("empty_body", "200 and nothing", "malformed", bodies.raw(b"")),
    _fault("blank_body", "200 and white space", "malformed", bodies.raw(b" \n")),
    _fault("truncated_json", "half the JSON", "malformed", bodies.changed(bodies.truncated)),
    _fault("not_utf8", "bytes that are not UTF-8", "malformed", bodies.changed(bodies.not_utf8)),
    _fault("null_body", "null", "malformed", bodies.raw(b"null")),
    _fault("json_list", "an empty list", "malformed", bodies.raw(b"[]")),
    _fault("json_text", "a text", "malformed", bodies.raw(b'"ok"')),
    _fault("empty_object", "an empty object", "malformed", bodies.raw(b"{}")),
    _fault("wrong_shape", "JSON of something else", "malformed", bodies.raw(b'{"status":"ok"}')),
    _fault(
        "wrong_types", "the right names, the wrong types", "malformed",
        bodies.reshaped(bodies.with_wrong_types),
    ),
    _fault("deep_json", "100,000 brackets", "malformed", bodies.raw(b"[" * 100_000)),
    _fault("byte_order_mark", "a good answer behind a BOM", "answered malformed",
           bodies.changed(lambda body: b"\xef\xbb\xbf" + body)),
    _fault("error_in_200", "the error object under 200", "malformed overloaded",
           sending(bodies.error_in_200)),
    _fault(
        "error_in_choice", "the error inside the answer", "malformed overloaded",
        sending(bodies.error_in_choice), dialects=_OPENAI_SHAPED | {"ollama"},
    ),
    _fault("gzip_body", "a good answer, compressed", ANSWERED, bodies.compressed),
    _fault(
        "bad_gzip", "not compressed, though it says so", "malformed connection",
        bodies.badly_compressed,
    ),
    _fault("gzip_bomb", "1 MB that unpacks to 1 GB", "malformed", bodies.bomb),
    _fault("gigantic_body", "64 MB", "malformed", bodies.gigantic()),
    _fault("redirect", "307 to somewhere else", "malformed invalid_request connection",
           bodies.redirect()),
)  # fmt: skip

_ANSWERS = (
    _fault("blocked", "withheld by policy", "content_filter", sending(answers.blocked)),
    _fault("refusal", "the model declines", "content_filter malformed", sending(answers.refusal)),
    _fault("thinking_only", "no text after thinking", "malformed", sending(answers.thinking_only)),
    _fault("empty_text", "an empty text", "malformed", answers.saying(text="")),
    _fault("blank_text", "white space for a text", "malformed", answers.saying(text=" \n\t ")),
    _fault("no_text", "no text and no reason", "malformed", answers.saying(text=None)),
    _fault(
        "unasked_tool", "a tool call nobody asked for", "malformed",
        answers.saying(text=None, finish=Finish.TOOL), dialects=_COUNTED,
    ),
    _fault("parts_content", "the text in parts", ANSWERED, answers.saying(parts=True),
           dialects=_TEXT_PARTS),
    _fault("with_thinking", "thinking beside the text", ANSWERED,
           answers.saying(thinking="Let me see."), dialects=_COUNTED),
    _fault("no_usage", "no token counts", ANSWERED, answers.saying(usage=False)),
    _fault("float_usage", "token counts as floats", ANSWERED, answers.saying(float_counts=True)),
    _fault("cut_by_length", "text cut by its limit", ANSWERED,
           answers.saying(finish=Finish.LENGTH)),
    _fault("cut_by_filter", "text cut by policy", "answered content_filter",
           answers.saying(finish=Finish.FILTER)),
)  # fmt: skip

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {fault.name: fault for fault in (*_STATUSES, *_REASONS, *_NETWORK, *_BODIES, *_ANSWERS)}
)
"""The catalogue."""

ALL_FAULTS: tuple[Fault, ...] = tuple(FAULTS.values())
"""The catalogue in its order."""


def fault_for(dialect: str, name: str) -> Fault:
    """Find a fault that can happen at a vendor.

    Raises:
        KeyError: There is no fault of that name.
        ValueError: It cannot happen at this vendor.
    """
    fault = FAULTS[name]
    if not fault.applies_to(dialect):
        raise ValueError(f"{name} cannot happen at {dialect}")
    return fault


def faults_for(dialect: str) -> tuple[Fault, ...]:
    """Give every fault that can happen at a vendor."""
    return tuple(fault for fault in ALL_FAULTS if fault.applies_to(dialect))
