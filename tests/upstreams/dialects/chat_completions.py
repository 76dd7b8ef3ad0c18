"""OpenAI's chat completions as a format: what OpenAI and everybody who copies it share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from upstreams.dialects import fields
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
    Free,
    check_bearer,
    check_json_object,
    check_window,
)
from upstreams.dialects.chat_rules import (
    check_message,
    check_numbers,
    check_response_format,
    check_stream,
)
from upstreams.dialects.chat_stream import (
    DONE,
    REFUSAL,
    UsageAt,
    deltas,
    probabilities,
    tool_call,
)
from upstreams.dialects.chat_tools import check_calls, check_pairs, check_tools
from upstreams.dialects.problems import Problem, Refused, Wording
from upstreams.dialects.stream import Event, Stage
from upstreams.messages import Reply, Request, json_reply

CREATED = 1_795_000_000
CHUNK = "chat.completion.chunk"


class ChatCompletions(Completing):
    """`POST …/chat/completions`; subclasses hold each vendor's peculiarities."""

    path = r"/v1/chat/completions"
    known_fields: ClassVar[frozenset[str] | None] = None
    """Top-level fields that are accepted; None ignores unknown ones."""
    unknown_field: ClassVar[str] = "Unrecognized request argument supplied: {}"
    stop_limit: ClassVar[int] = 16
    pairs_calls: ClassVar[bool] = True
    """Whether it looks for the result of every call, and the call of every result."""
    reasoning_field: ClassVar[str | None] = None
    """Where the message shows its reasoning; None keeps it hidden, as OpenAI does."""
    finish_words: ClassVar[Mapping[Finish, str]] = {}
    """This vendor's finish reasons where they differ from OpenAI's."""
    usage_at: ClassVar[UsageAt] = UsageAt.ASKED
    """Where a stream has its token counts."""
    call_prefix: ClassVar[str] = "call_"
    """How the ID of a tool call begins."""

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
        check_numbers(body, stop_limit=self.stop_limit)
        check_stream(body)
        check_response_format(body)
        check_tools(body)
        self.check_calls(body["messages"])

    def check_calls(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Check calls of tools and their results."""
        check_calls(messages)
        if self.pairs_calls:
            check_pairs(messages)

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

    def payload(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write a `chat.completion` object."""
        text = as_text(answer, wants_json=self.wants_json(request))
        choice = self.choice(request, answer, text)
        body = self.envelope(request, "chat.completion")
        body["choices"] = [choice | {"index": place} for place in range(choices_in(request))]
        if answer.usage:
            body["usage"] = self.usage(count(request.body, answer, text))
        return body

    def envelope(self, request: Request, kind: str) -> dict[str, Any]:
        """Write what stands around the choices of an answer and of each chunk."""
        return {
            "id": "chatcmpl-1",
            "object": kind,
            "created": CREATED,
            "model": self.model(request),
        }

    def choice(self, request: Request, answer: Answer, text: str) -> dict[str, Any]:
        """Write a choice."""
        return {
            "index": 0,
            "message": self.message(request, answer, text),
            "logprobs": _logprobs(request, as_pieces(answer, text)),
            "finish_reason": self.finish_word(answer.end),
        }

    def finish_word(self, finish: Finish) -> str:
        """Name the finish reason; a refusal is an ordinary stop here."""
        default = "stop" if finish is Finish.REFUSAL else finish.value
        return self.finish_words.get(finish, default)

    def message(self, request: Request, answer: Answer, text: str) -> dict[str, Any]:
        """Write the assistant's message."""
        message: dict[str, Any] = {"role": "assistant", "content": _content(answer, text)}
        if answer.end is Finish.REFUSAL:
            message["refusal"] = REFUSAL
        if answer.calls:
            message["tool_calls"] = self.tool_calls(request, answer)
        if answer.thinking and self.reasoning_field:
            message[self.reasoning_field] = answer.thinking
        return message

    def tool_calls(self, request: Request, answer: Answer) -> list[dict[str, Any]]:
        """Write the tool calls."""
        return [
            tool_call(call, spare_id=f"{self.call_prefix}{made_up_id(request.body, place)}")
            for place, call in enumerate(answer.calls)
        ]

    # --- the answer as a stream ---

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell it in chunks: role, reasoning, text, tool calls, finish, counts, end mark."""
        text = as_text(answer, wants_json=self.wants_json(request))
        usage = self.usage(count(request.body, answer, text)) if answer.usage else None
        for index in range(choices_in(request)):
            for choice, stage in self.told_choice(request, answer, text):
                yield Event(stage, self.chunk(request, choice | {"index": index}, usage))
        if usage and self.usage_at is not UsageAt.FINISH and self.tells_usage(request):
            chunk = self.envelope(request, CHUNK) | {"choices": [], "usage": usage}
            yield Event(Stage.END, chunk)
        yield Event(Stage.END, DONE)

    def told_choice(
        self, request: Request, answer: Answer, text: str
    ) -> Iterator[tuple[dict[str, Any], Stage]]:
        """Give the pieces of one choice, the last of them with its finish reason."""
        calls = self.tool_calls(request, answer)
        for stage, delta in deltas(answer, text, calls=calls, reasoning_field=self.reasoning_field):
            pieces = (delta["content"],) if stage is Stage.CONTENT and "content" in delta else ()
            choice = {"index": 0, "delta": delta, "logprobs": _logprobs(request, pieces)}
            yield choice | {"finish_reason": None}, stage
        finish = self.finish_word(answer.end)
        yield {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}, Stage.FINISH

    def chunk(
        self, request: Request, choice: dict[str, Any], usage: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Write a chunk with one choice."""
        body = self.envelope(request, CHUNK) | {"choices": [choice]}
        if self.usage_at is not UsageAt.FINISH:
            return body | ({"usage": None} if self.tells_usage(request) else {})
        return body | ({"usage": usage} if usage and choice["finish_reason"] else {})

    def tells_usage(self, request: Request) -> bool:
        """Tell whether a stream has its token counts in a chunk of their own."""
        options = request.fields.get("stream_options") or {}
        return self.usage_at is UsageAt.ALWAYS or bool(options.get("include_usage"))

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


def _content(answer: Answer, text: str) -> Any:
    if answer.silent:
        return "" if answer.end is Finish.LENGTH else None
    return [{"type": "text", "text": text}] if answer.parts else text


def choices_in(request: Request) -> int:
    """Read how many choices a request wants."""
    return int(request.fields.get("n") or 1)


def _logprobs(request: Request, pieces: Sequence[str]) -> dict[str, Any] | None:
    if not request.fields.get("logprobs") or not pieces:
        return None
    return probabilities(pieces, top=int(request.fields.get("top_logprobs") or 0))
