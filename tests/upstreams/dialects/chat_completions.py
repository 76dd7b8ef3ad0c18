"""OpenAI's chat completions as a format: what OpenAI and everybody who copies it share."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Finish, Tokens, as_text, count
from upstreams.dialects.base import (
    Account,
    Completing,
    Free,
    check_bearer,
    check_json_object,
    check_window,
)
from upstreams.dialects.problems import Problem, Refused, Wording
from upstreams.messages import Reply, Request, json_reply

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
FIELDS = frozenset(
    [
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "metadata",
        "modalities",
        "model",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    ]
)
"""The top-level fields of OpenAI's own request."""

CREATED = 1_795_000_000


class ChatCompletions(Completing):
    """`POST …/chat/completions`; subclasses hold each vendor's peculiarities."""

    path = r"/v1/chat/completions"
    known_fields: ClassVar[frozenset[str] | None] = None
    """Top-level fields that are accepted; None ignores unknown ones."""
    unknown_field: ClassVar[str] = "Unrecognized request argument supplied: {}"
    stop_limit: ClassVar[int] = 16
    reasoning_field: ClassVar[str | None] = None
    """Where the message shows its reasoning; None keeps it hidden, as OpenAI does."""
    finish_words: ClassVar[Mapping[Finish, str]] = {}
    """This vendor's finish reasons where they differ from OpenAI's."""
    answer_headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    # --- the request ---

    def check(self, request: Request, account: Account) -> None:
        """Check key, shape, model and window, in the order a vendor does."""
        self.check_key(request, account)
        body = check_json_object(request)
        self.check_shape(body)
        model = fields.text(body, "model", message="you must provide a model parameter")
        if not account.knows_model(model):
            self.refuse_model(model)
        self.check_vendor_rules(body)
        check_window(request, account)

    def check_key(self, request: Request, account: Account) -> None:
        """Check the key; some vendors echo or shape it differently."""
        check_bearer(request, account)

    def check_shape(self, body: Mapping[str, Any]) -> None:
        """Check the fields that mean the same everywhere."""
        if self.known_fields is not None:
            fields.only(body, self.known_fields, message=self.unknown_field)
        for message in fields.items(body, "messages", message="Missing parameter: 'messages'."):
            check_message(message)
        fields.number(body, "temperature", low=0, high=2)
        fields.number(body, "top_p", low=0, high=1)
        fields.positive(body, "max_tokens")
        fields.positive(body, "max_completion_tokens")
        fields.stops(body, "stop", most=self.stop_limit)
        check_stream(body)
        check_response_format(body)

    def refuse_model(self, model: str) -> None:
        """Refuse a model that is not served."""
        raise Refused(Problem.MODEL_UNKNOWN, f"The model `{model}` does not exist.", "model")

    def check_vendor_rules(self, body: Mapping[str, Any]) -> None:
        """Check what only this vendor demands."""

    def model(self, request: Request) -> str:
        """Read the body's `model`."""
        return str(request.fields.get("model", ""))

    def wants_json(self, request: Request) -> bool:
        """Look for a `response_format` other than text."""
        asked = request.fields.get("response_format") or {}
        return asked.get("type") in {"json_object", "json_schema"}

    # --- the answer ---

    def answer(self, request: Request, answer: Answer) -> Reply:
        """Write the answer with this vendor's headers."""
        return json_reply(200, self.payload(request, answer), *self.answer_headers)

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write a `chat.completion` object."""
        text = as_text(answer, wants_json=self.wants_json(request))
        body: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": CREATED,
            "model": self.model(request),
            "choices": [self.choice(answer, text)],
        }
        if answer.usage:
            body["usage"] = self.usage(count(request.body, answer, text))
        return body

    def choice(self, answer: Answer, text: str) -> dict[str, Any]:
        """Write the only choice."""
        return {
            "index": 0,
            "message": self.message(answer, text),
            "logprobs": None,
            "finish_reason": self.finish_word(answer.finish),
        }

    def finish_word(self, finish: Finish) -> str:
        """Name the finish reason; a refusal is an ordinary stop here."""
        default = "stop" if finish is Finish.REFUSAL else finish.value
        return self.finish_words.get(finish, default)

    def message(self, answer: Answer, text: str) -> dict[str, Any]:
        """Write the assistant's message."""
        message: dict[str, Any] = {"role": "assistant", "content": _content(answer, text)}
        if answer.finish is Finish.REFUSAL:
            message["refusal"] = "I'm sorry, but I cannot help with that request."
        if answer.finish is Finish.TOOL:
            message["tool_calls"] = [_tool_call()]
        if answer.thinking and self.reasoning_field:
            message[self.reasoning_field] = answer.thinking
        return message

    def usage(self, tokens: Tokens) -> dict[str, Any]:
        """Write the token counts."""
        return {
            "prompt_tokens": tokens.prompt,
            "completion_tokens": tokens.completion,
            "total_tokens": tokens.total,
        }

    # --- errors ---

    def error_body(self, wording: Wording) -> Any:
        """Write OpenAI's error object."""
        return {"error": self.error_object(wording)}

    def error_object(self, wording: Wording) -> dict[str, Any]:
        """Write what stands under `error`."""
        return {
            "message": wording.message,
            "type": wording.kind,
            "param": wording.param,
            "code": wording.code,
            **wording.extra,
        }

    def error_in_answer(self, request: Request) -> Any | None:
        """Write a completion whose choice failed, as routers in front of others send it."""
        body = self.payload(request, Answer(text=""))
        error = {"code": 502, "message": "The provider behind us failed."}
        body["choices"][0] |= {"finish_reason": "error", "error": error}
        return body


class ModelList(Free):
    """`GET …/models` in OpenAI's shape."""

    chat: ClassVar[ChatCompletions]
    """Whose keys and errors it shares."""
    public: ClassVar[bool] = False
    """Whether it is open to everybody, and so says nothing about a key."""

    def check(self, request: Request, account: Account) -> None:
        """Check the key, unless the list is public."""
        if not self.public:
            self.chat.check_key(request, account)

    def describe(self, request: Request, account: Account) -> Reply:
        """List the models."""
        del request
        return json_reply(200, self.page([self.entry(model) for model in account.listed]))

    def page(self, entries: list[dict[str, Any]]) -> Any:
        """Put the envelope around the entries."""
        return {"object": "list", "data": entries}

    def entry(self, model: str) -> dict[str, Any]:
        """Write one model."""
        return {"id": model, "object": "model", "created": CREATED, "owned_by": "system"}

    def error_body(self, wording: Wording) -> Any:
        """Write errors as the chat does."""
        return self.chat.error_body(wording)

    def fail(self, problem: Problem, message: str | None = None, param: str | None = None) -> Reply:
        """Fail as the chat does."""
        return self.chat.fail(problem, message, param)

    def fail_with_status(self, status: int) -> Reply:
        """Fail as the chat does."""
        return self.chat.fail_with_status(status)


def check_message(message: Any) -> None:
    """Check one message's role and content."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise Refused(Problem.INVALID, "Invalid value for 'messages[].role'.", "messages")
    content = message.get("content")
    if content is None and message["role"] == "assistant" and message.get("tool_calls"):
        return
    if not isinstance(content, str | list):
        raise Refused(Problem.INVALID, "Invalid value for 'content': expected text.", "messages")


def check_stream(body: Mapping[str, Any]) -> None:
    """Refuse streams, which these upstreams do not speak, and options without one."""
    fields.flag(body, "stream")
    if body.get("stream"):
        raise Refused(Problem.INVALID, "This test upstream does not stream.", "stream")
    if body.get("stream_options") is not None:
        raise Refused(Problem.INVALID, "'stream_options' needs 'stream'.", "stream_options")


def check_response_format(body: Mapping[str, Any]) -> None:
    """Check that a response format is one of the three, and a schema has name and body."""
    asked = fields.mapping(body, "response_format")
    if not asked:
        return
    kind = asked.get("type")
    if kind not in {"text", "json_object", "json_schema"}:
        raise Refused(Problem.INVALID, "Invalid 'response_format.type'.", "response_format")
    if kind != "json_schema":
        return
    described = fields.mapping(asked, "json_schema")
    if not isinstance(described.get("schema"), dict):
        raise Refused(Problem.INVALID, "Missing 'json_schema.schema'.", "response_format")
    if not described.get("name"):
        raise Refused(Problem.INVALID, "Missing 'json_schema.name'.", "response_format")


def _content(answer: Answer, text: str) -> Any:
    if answer.text is None:
        return "" if answer.finish is Finish.LENGTH else None
    return [{"type": "text", "text": text}] if answer.parts else text


def _tool_call() -> dict[str, Any]:
    arguments = json.dumps({"path": "/"})
    return {"id": "call_1", "type": "function", "function": {"name": "df", "arguments": arguments}}
