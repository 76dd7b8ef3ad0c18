"""Cohere: the old generate endpoint, the current chat, and the free key check."""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects import cohere_stream, fields
from upstreams.dialects.answer import (
    Answer,
    Finish,
    Tokens,
    as_pieces,
    as_text,
    count,
    made_up_id,
)
from upstreams.dialects.base import (
    Account,
    Completing,
    Dialect,
    Endpoint,
    Free,
    check_bearer,
    check_json_object,
    check_window,
)
from upstreams.dialects.chat_rules import check_stream
from upstreams.dialects.chat_stream import tool_call
from upstreams.dialects.cohere_embed import CohereEmbed
from upstreams.dialects.cohere_rules import (
    CHAT_FIELDS,
    GENERATE_FIELDS,
    check_messages,
    check_tools,
)
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, JsonLines, Stage
from upstreams.messages import Reply, Request, json_reply

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.CONTEXT: Wording(
        400, "too many tokens: the total number of tokens in the prompt exceeds the limit of 8192."
    ),
    Problem.KEY_MISSING: Wording(401, "no api key supplied"),
    Problem.KEY_WRONG: Wording(401, "invalid api token"),
    Problem.MODEL_UNKNOWN: Wording(404, "model 'x' not found, make sure the ID is correct."),
    Problem.MODEL_RETIRED: Wording(404, "model 'command' was removed. Please use another model."),
    Problem.RATE_LIMIT: Wording(429, "You are past the per minute request limit, please wait."),
    Problem.QUOTA: Wording(429, "You have reached the monthly limit of a trial key."),
}
_FINISH = {
    Finish.STOP: "COMPLETE",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL: "TOOL_CALL",
}
_GENERATE_FINISH = _FINISH | {Finish.FILTER: "ERROR_TOXIC", Finish.REFUSAL: "COMPLETE"}
_CHAT_FINISH = _FINISH | {Finish.FILTER: "ERROR", Finish.REFUSAL: "COMPLETE"}
_UNKNOWN = "invalid request: unknown field: parameter '{}' is not a valid field"


class _Voice(Endpoint):
    """Cohere's errors: the message at top level."""

    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write the flat error."""
        return {"id": "err-1", "message": wording.message}


class _Completion(_Voice, Completing):
    """What both completion endpoints check."""

    def check_common(self, request: Request, account: Account, known: frozenset[str]) -> Any:
        """Check key, fields and model, and give the body."""
        check_bearer(request, account)
        body = check_json_object(request)
        fields.only(body, known, message=_UNKNOWN)
        fields.positive(body, "max_tokens")
        fields.number(body, "temperature", low=0, high=5)
        fields.stops(body, "stop_sequences", most=5)
        check_stream(body)
        model = body.get("model", "command-r-plus")
        if not account.knows_model(model):
            text = f"model '{model}' not found, make sure the correct model ID was used."
            raise Refused(Problem.MODEL_UNKNOWN, text)
        check_window(request, account)
        return body

    def model(self, request: Request) -> str:
        """Read the body's `model`."""
        return str(request.fields.get("model", ""))


class Generate(_Completion):
    """`POST /v1/generate`, deprecated but documented."""

    path = r"/v1/generate"
    framing = JsonLines(content_type="application/stream+json")
    ping = None

    def check(self, request: Request, account: Account) -> None:
        """Check the prompt."""
        body = self.check_common(request, account, GENERATE_FIELDS)
        fields.text(body, "prompt", message="invalid request: prompt must be at least 1 token long")

    def wants_json(self, request: Request) -> bool:
        """Never: this endpoint has no means to ask for JSON."""
        del request
        return False

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write the generations."""
        text = as_text(answer, wants_json=False)
        generation = {"id": "gen-1", "text": text, "finish_reason": _GENERATE_FINISH[answer.end]}
        body: dict[str, Any] = {
            "id": "g-1",
            "prompt": str(request.fields.get("prompt", "")),
            "generations": [generation],
            "meta": {"api_version": {"version": "1"}},
        }
        if answer.usage:
            tokens = count(request.body, answer, text)
            billed = {"input_tokens": tokens.prompt, "output_tokens": tokens.completion}
            body["meta"]["billed_units"] = billed
        return body

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell the text in lines; the last one has all of it once more."""
        whole = self.payload(request, answer)
        generation = whole["generations"][0]
        for piece in as_pieces(answer, generation["text"]):
            yield Event(Stage.CONTENT, {"text": piece, "is_finished": False})
        reason = generation["finish_reason"]
        yield Event(Stage.FINISH, {"is_finished": True, "finish_reason": reason, "response": whole})

    def error_event(self, wording: Wording) -> Event:
        """End the stream with the error."""
        end = {"is_finished": True, "finish_reason": "ERROR", "err": wording.message}
        return Event(Stage.FINISH, end)


class Chat(_Completion):
    """`POST /v2/chat`."""

    path = r"/v2/chat"

    def check(self, request: Request, account: Account) -> None:
        """Check model and messages, which are both required here."""
        body = self.check_common(request, account, CHAT_FIELDS)
        fields.text(body, "model", message="invalid request: model is required")
        text = "invalid request: messages must be a non-empty list"
        check_messages(fields.items(body, "messages", message=text))
        check_tools(body)
        asked = fields.mapping(body, "response_format")
        if asked.get("type", "text") not in {"text", "json_object"}:
            raise Refused(Problem.INVALID, "invalid request: response_format.type")

    def wants_json(self, request: Request) -> bool:
        """Look for the JSON response format."""
        asked = request.fields.get("response_format") or {}
        return asked.get("type") == "json_object"

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write the chat answer; its counts are floats."""
        text = as_text(answer, wants_json=self.wants_json(request))
        body: dict[str, Any] = {
            "id": "c-1",
            "finish_reason": _CHAT_FINISH[answer.end],
            "message": _message(request, answer, text),
        }
        if answer.usage:
            tokens = count(request.body, answer, text)
            body["usage"] = {
                "billed_units": _billed(tokens),
                "tokens": _billed(tokens),
                "cached_tokens": 0,
            }
        return body

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell the message from its start to its end."""
        whole = self.payload(request, answer)
        return cohere_stream.told(
            whole, as_pieces(answer, as_text(answer, wants_json=self.wants_json(request)))
        )

    def error_event(self, wording: Wording) -> Event:
        """End the message with the error."""
        return cohere_stream.failed(wording.message)


class Embed(CohereEmbed):
    """The same, with this vendor's errors."""

    chat = Chat()
    wordings = WORDINGS


class Models(_Voice, Free):
    """`GET /v1/models`, for a valid key."""

    path = r"/v1/models"

    def check(self, request: Request, account: Account) -> None:
        """Check the key."""
        check_bearer(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """List the models."""
        del request
        models = [
            {"name": model, "endpoints": ["chat", "generate"], "context_length": 128000}
            for model in account.listed
        ]
        return json_reply(200, {"models": models, "next_page_token": ""})


class CheckKey(_Voice, Free):
    """`POST /v1/check-api-key`."""

    method = "POST"
    path = r"/v1/check-api-key"

    def check(self, request: Request, account: Account) -> None:
        """Check the key."""
        check_bearer(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """Confirm the key."""
        del request, account
        return json_reply(200, {"valid": True, "organization_id": "org-1", "owner_id": "own-1"})


def _message(request: Request, answer: Answer, text: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if answer.thinking:
        content.append({"type": "thinking", "thinking": answer.thinking})
    if not answer.silent:
        middle = len(text) // 2 if answer.parts else len(text)
        pieces = [piece for piece in (text[:middle], text[middle:]) if piece] or [""]
        content += [{"type": "text", "text": piece} for piece in pieces]
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if answer.calls:
        message["tool_calls"] = [
            tool_call(call, spare_id=f"{call.name}_{made_up_id(request.body, place)[:12]}")
            for place, call in enumerate(answer.calls)
        ]
    return message


def _billed(tokens: Tokens) -> dict[str, Any]:
    return {"input_tokens": float(tokens.prompt), "output_tokens": float(tokens.completion)}


COHERE = Dialect(
    name="cohere",
    prefix="/v1",
    key="co-test-0123456789abcdefghijklmnopqrstuv",
    models=("command-r-plus", "command-r", "command-a-03-2025"),
    endpoints=(Chat(), Generate(), Embed(), Models(), CheckKey()),
)
