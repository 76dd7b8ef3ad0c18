"""Google's Gemini API: generateContent and the model list."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Finish, as_text, count
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_json_object,
    check_window,
)
from upstreams.dialects.embeddings import Embedding
from upstreams.dialects.gemini_answer import candidate, parts, signs, told_parts, usage
from upstreams.dialects.gemini_embed import check_embedding, embedding
from upstreams.dialects.gemini_rules import FIELDS, check_config, check_contents, only_known
from upstreams.dialects.gemini_tools import check_calls, check_tools
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, Stage
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
        only_known(body, FIELDS, "")
        check_contents(body)
        check_config(fields.mapping(body, "generationConfig"))
        model = self.model(request)
        if not account.knows_model(model):
            text = f"models/{model} is not found for API version v1beta, or is not supported."
            raise Refused(Problem.MODEL_UNKNOWN, text)
        check_tools(body)
        check_calls(body["contents"], model=model)
        check_window(request, account)

    def streams(self, request: Request) -> bool:
        """Never: another method streams."""
        del request
        return False

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
        body = self.envelope(request)
        if answer.silent and answer.end is Finish.FILTER:
            body["promptFeedback"] = {"blockReason": "SAFETY", "safetyRatings": []}
        else:
            found = parts(answer, text, signed=signs(self.model(request)))
            body["candidates"] = [candidate(found, finish=answer.end)]
        if answer.usage:
            body["usageMetadata"] = usage(count(request.body, answer, text))
        return body

    def envelope(self, request: Request) -> dict[str, Any]:
        """Write what stands in an answer and in each piece of it."""
        return {"modelVersion": self.model(request), "responseId": "r1"}

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell it as responses with a part each; the last has the reason and the counts."""
        whole = self.payload(request, answer)
        if "candidates" in whole:
            text = as_text(answer, wants_json=self.wants_json(request))
            for stage, part in told_parts(answer, text, signed=signs(self.model(request))):
                yield Event(stage, self.envelope(request) | {"candidates": [candidate([part])]})
            whole["candidates"] = [candidate([{"text": ""}], finish=answer.end)]
        yield Event(Stage.FINISH, whole)


class StreamGenerateContent(GenerateContent):
    """`POST …/models/{model}:streamGenerateContent`, with `?alt=sse` or as one JSON list."""

    path = r"/v1(?:beta)?/models/(?P<model>[^/:]+):streamGenerateContent"

    def streams(self, request: Request) -> bool:
        """Look for `alt=sse`."""
        return request.query.get("alt") == "sse"

    def whole(self, request: Request, answer: Answer) -> Reply:
        """Write all the pieces as one list, unless it should have been events."""
        if self.streams(request):
            return super().whole(request, answer)
        return json_reply(200, [event.data for event in self.events(request, answer)])


class BatchEmbedContents(_Voice, Embedding):
    """`POST …/models/{model}:batchEmbedContents`."""

    path = r"/v1(?:beta)?/models/(?P<model>[^/:]+):batchEmbedContents"
    chat = GenerateContent()
    models = ("gemini-embedding-001", "gemini-embedding-2", "text-embedding-004")

    def check(self, request: Request, account: Account) -> None:
        """Check that every part names the model of the path too."""
        super().check(request, account)
        named = {str(item.get("model")) for item in self.parts(request.fields)}
        if self.named and named != {f"models/{self.model(request)}"}:
            text = "* BatchEmbedContentsRequest.requests[].model: must match the model of the path"
            raise Refused(Problem.INVALID, text)

    named: ClassVar[bool] = True
    """Whether every part has to name the model."""

    def model(self, request: Request) -> str:
        """Read the model from the path."""
        return self.parameters(request).get("model", "")

    def parts(self, body: Mapping[str, Any]) -> list[Any]:
        """Read the requests."""
        text = "* BatchEmbedContentsRequest.requests: requests is not specified"
        return fields.items(body, "requests", message=text)

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check every request."""
        for item in self.parts(body):
            check_embedding(item)

    def describe(self, request: Request, account: Account) -> Reply:
        """Embed every request's text."""
        del account
        return json_reply(200, {"embeddings": [embedding(p) for p in self.parts(request.fields)]})


class EmbedContent(BatchEmbedContents):
    """`POST …/models/{model}:embedContent`."""

    path = r"/v1(?:beta)?/models/(?P<model>[^/:]+):embedContent"
    named = False

    def parts(self, body: Mapping[str, Any]) -> list[Any]:
        """Take the body for the only request."""
        return [body]

    def describe(self, request: Request, account: Account) -> Reply:
        """Embed the text."""
        del account
        return json_reply(200, {"embedding": embedding(request.fields)})


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


GEMINI = Dialect(
    name="gemini",
    prefix="/v1beta",
    key="AIzaTest0123456789abcdefghijklmnopqrstu",
    models=(
        "gemini-1.5-pro", "gemini-1.5-flash", "gemini-pro-vision", "gemini-2.5-pro",
        "gemini-2.5-flash", "gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-3.1-pro-preview",
    ),
    endpoints=(
        GenerateContent(), StreamGenerateContent(), BatchEmbedContents(), EmbedContent(),
        Models(), Model(),
    ),
)  # fmt: skip
