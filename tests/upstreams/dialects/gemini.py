"""Google's Gemini API: generateContent and the model list."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Finish, Tokens, as_text, count
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_json_object,
    check_window,
)
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.messages import Reply, Request, json_reply

_TYPE = "type.googleapis.com/google.rpc."
_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED", 404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED",
    412: "FAILED_PRECONDITION", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_BAD_KEY = {
    "@type": _TYPE + "ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}
_DAILY = {
    "@type": _TYPE + "QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel", "quotaValue": "50"}],
}

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.CONTEXT: Wording(
        400, "The input token count (1200000) exceeds the maximum number of tokens allowed."
    ),
    Problem.KEY_MISSING: Wording(
        403, "Method doesn't allow unregistered callers. Please use API Key."
    ),
    Problem.KEY_WRONG: Wording(
        400, "API key not valid. Please pass a valid API key.", extra={"details": [_BAD_KEY]}
    ),
    Problem.MODEL_UNKNOWN: Wording(404, "models/x is not found for API version v1beta."),
    Problem.MODEL_RETIRED: Wording(404, "models/gemini-1.5-pro is no longer available."),
    Problem.RATE_LIMIT: Wording(429, "You exceeded your current quota, please wait."),
    Problem.QUOTA: Wording(
        429, "You exceeded your current quota for today.", extra={"details": [_DAILY]}
    ),
    Problem.UNAVAILABLE: Wording(503, "The model is overloaded. Please try again later."),
}

_FIELDS = frozenset(
    [
        "contents",
        "tools",
        "toolConfig",
        "safetySettings",
        "systemInstruction",
        "generationConfig",
        "cachedContent",
        "serviceTier",
        "store",
        "model",
        "labels",
    ]
)
_CONFIG_FIELDS = frozenset(
    [
        "stopSequences",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "responseModalities",
        "candidateCount",
        "maxOutputTokens",
        "temperature",
        "topP",
        "topK",
        "seed",
        "presencePenalty",
        "frequencyPenalty",
        "responseLogprobs",
        "logprobs",
        "thinkingConfig",
        "speechConfig",
        "mediaResolution",
        "imageConfig",
    ]
)
_FINISH = {
    Finish.STOP: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.FILTER: "SAFETY",
    Finish.REFUSAL: "PROHIBITED_CONTENT",
    Finish.TOOL: "STOP",
}


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _both(names: frozenset[str]) -> frozenset[str]:
    """Google reads a field in camel case and in snake case."""
    return names | {_snake(name) for name in names}


class _Voice(Endpoint):
    """Google's errors and keys."""

    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write a google.rpc.Status."""
        status = _STATUS.get(wording.status, "UNKNOWN")
        error = {"code": wording.status, "message": wording.message, "status": status}
        return {"error": error | dict(wording.extra)}

    def moved(self, wording: Wording, status: int) -> Wording:
        """Drop the details: they name a reason that belongs to another status."""
        return replace(wording, status=status, extra={})

    def check_key(self, request: Request, account: Account) -> None:
        """Check the header's key, or the one in the query."""
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if not key:
            raise Refused(Problem.KEY_MISSING)
        if not account.knows_key(key):
            raise Refused(Problem.KEY_WRONG)


class GenerateContent(_Voice, Completing):
    """`POST …/models/{model}:generateContent`."""

    path = r"/v1(?:beta)?/models/(?P<model>[^/:]+):generateContent"

    def check(self, request: Request, account: Account) -> None:
        """Check key, fields, turns, configuration, model and window."""
        self.check_key(request, account)
        body = check_json_object(request)
        _only_known(body, _FIELDS, "")
        _check_contents(body)
        _check_config(fields.mapping(body, "generationConfig"))
        model = self.model(request)
        if not account.knows_model(model):
            text = f"models/{model} is not found for API version v1beta, or is not supported."
            raise Refused(Problem.MODEL_UNKNOWN, text)
        check_window(request, account)

    def model(self, request: Request) -> str:
        """Read the model from the path."""
        return self.parameters(request).get("model", "")

    def wants_json(self, request: Request) -> bool:
        """Look for the JSON mime type."""
        config = request.fields.get("generationConfig") or {}
        return config.get("responseMimeType") == "application/json"

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write a GenerateContentResponse; a filtered prompt has no candidates at all."""
        text = as_text(answer, wants_json=self.wants_json(request))
        body: dict[str, Any] = {"modelVersion": self.model(request), "responseId": "r1"}
        if answer.text is None and answer.finish is Finish.FILTER:
            body["promptFeedback"] = {"blockReason": "SAFETY", "safetyRatings": []}
        else:
            body["candidates"] = [_candidate(answer, text)]
        if answer.usage:
            body["usageMetadata"] = _usage(count(request.body, answer, text))
        return body


class Models(_Voice, Free):
    """`GET …/models`, for a valid key."""

    path = r"/v1(?:beta)?/models"

    def check(self, request: Request, account: Account) -> None:
        """Check the key."""
        self.check_key(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """List the models, as many as `pageSize` asks for."""
        size = int(request.query.get("pageSize", "50"))
        start = int(request.query.get("pageToken") or "0")
        listed = account.listed
        page: dict[str, Any] = {"models": [_entry(m) for m in listed[start : start + size]]}
        if start + size < len(listed):
            page["nextPageToken"] = str(start + size)
        return json_reply(200, page)


class Model(Models):
    """`GET …/models/{model}`."""

    path = r"/v1(?:beta)?/models/(?P<model>[^/:]+)"

    def describe(self, request: Request, account: Account) -> Reply:
        """Describe the model, or say that there is none."""
        model = self.parameters(request)["model"]
        if account.knows_model(model):
            return json_reply(200, _entry(model))
        return self.fail(Problem.MODEL_UNKNOWN, f"Model is not found: models/{model}")


def _entry(model: str) -> dict[str, Any]:
    return {
        "name": f"models/{model}",
        "displayName": model,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
    }


def _candidate(answer: Answer, text: str) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "finishReason": _FINISH[answer.finish]}
    parts = _parts(answer, text)
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    return candidate | {"safetyRatings": []}


def _parts(answer: Answer, text: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if answer.thinking:
        parts.append({"text": answer.thinking, "thought": True})
    if answer.finish is Finish.TOOL:
        parts.append({"functionCall": {"name": "df", "args": {"path": "/"}}})
    if answer.text is None:
        return parts
    middle = len(text) // 2 if answer.parts else len(text)
    return [*parts, *({"text": piece} for piece in (text[:middle], text[middle:]) if piece)]


def _usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "promptTokenCount": tokens.prompt,
        "candidatesTokenCount": tokens.completion - tokens.thinking,
        "thoughtsTokenCount": tokens.thinking,
        "cachedContentTokenCount": 0,
        "totalTokenCount": tokens.total,
    }


def _only_known(body: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    place = f' at "{where}"' if where else ""
    text = f'Invalid JSON payload received. Unknown name "{{}}"{place}: Cannot find field.'
    fields.only(body, _both(names), message=text)


def _check_contents(body: Mapping[str, Any]) -> None:
    text = "* GenerateContentRequest.contents: contents is not specified"
    for turn in fields.items(body, "contents", message=text):
        if not isinstance(turn, dict):
            raise Refused(Problem.INVALID, 'Invalid value at "contents": expected an object.')
        _only_known(turn, frozenset({"role", "parts"}), "contents[]")
        if turn.get("role", "user") not in {"user", "model"}:
            raise Refused(Problem.INVALID, "Please use a valid role: user, model.")
        fields.items(turn, "parts", message="contents.parts must not be empty.")
    system = body.get("systemInstruction", {"parts": [1]})
    if not isinstance(system, dict) or not system.get("parts"):
        raise Refused(Problem.INVALID, 'Invalid value at "system_instruction".')


def _check_config(config: Mapping[str, Any]) -> None:
    _only_known(config, _CONFIG_FIELDS, "generation_config")
    fields.positive(config, "maxOutputTokens")
    fields.number(config, "temperature", low=0, high=2)
    fields.number(config, "topP", low=0, high=1)
    fields.stops(config, "stopSequences", most=5)
    if isinstance(config.get("stopSequences"), str):
        raise Refused(Problem.INVALID, 'Invalid value at "stop_sequences": expected a list.')
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) > 1:
        raise Refused(Problem.INVALID, "Only one response schema may be set.")
    if schemas and config.get("responseMimeType") != "application/json":
        text = "Response schema needs response_mime_type 'application/json'."
        raise Refused(Problem.INVALID, text)


GEMINI = Dialect(
    name="gemini",
    prefix="/v1beta",
    key="AIzaTest0123456789abcdefghijklmnopqrstu",
    models=(
        "gemini-1.5-pro", "gemini-1.5-flash", "gemini-pro-vision", "gemini-2.5-pro",
        "gemini-2.5-flash", "gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-3.1-pro-preview",
    ),
    endpoints=(GenerateContent(), Models(), Model()),
)  # fmt: skip
