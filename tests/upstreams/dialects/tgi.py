"""Text Generation Inference: its own generate, its OpenAI route, and hosted endpoints of it.

A hosted endpoint (`hf_endpoint`) answers at its root, or below `/models/` where the old serverless
service did, with a list or with an object, and says 503 while its model is cold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.answer import Answer, Finish, as_pieces, as_text, count
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
from upstreams.dialects.chat_completions import ChatCompletions, ModelList
from upstreams.dialects.problems import PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, Sse, Stage
from upstreams.messages import Reply, Request, json_reply

_VALIDATION = "validation"

WORDINGS: Mapping[Problem, Wording] = {
    **PLAIN,
    Problem.INVALID: Wording(422, "Input validation error", _VALIDATION),
    Problem.CONTEXT: Wording(
        422,
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
        _VALIDATION,
    ),
    Problem.KEY_MISSING: Wording(401, "Authorization header is missing"),
    Problem.KEY_WRONG: Wording(401, "Authorization header is invalid"),
    Problem.MODEL_UNKNOWN: Wording(404, "Model x does not exist"),
    Problem.MODEL_RETIRED: Wording(404, "Model x does not exist"),
    Problem.UNPROCESSABLE: Wording(422, "Input validation error", _VALIDATION),
    Problem.GENERATION: Wording(424, "Request failed during generation", "generation"),
    Problem.RATE_LIMIT: Wording(429, "Model is overloaded", "overloaded"),
    Problem.SERVER: Wording(500, "Incomplete generation", "incomplete_generation"),
    Problem.UNAVAILABLE: Wording(503, "Service unavailable", "overloaded"),
    Problem.LOADING: Wording(503, "Model x is currently loading", extra={"estimated_time": 20.0}),
}
_FINISH = {Finish.LENGTH: "length"}
_PARAMETERS = frozenset(
    [
        "adapter_id",
        "best_of",
        "decoder_input_details",
        "details",
        "do_sample",
        "frequency_penalty",
        "grammar",
        "max_new_tokens",
        "repetition_penalty",
        "return_full_text",
        "seed",
        "stop",
        "temperature",
        "top_k",
        "top_n_tokens",
        "top_p",
        "truncate",
        "typical_p",
        "watermark",
    ]
)


def _error(wording: Wording) -> dict[str, Any]:
    kind = {"error_type": wording.kind} if wording.kind else {}
    return {"error": wording.message, **kind, **wording.extra}


class _Voice(Endpoint):
    wordings = WORDINGS

    def error_body(self, wording: Wording) -> Any:
        """Write TGI's error: a string and a type."""
        return _error(wording)


class Generate(_Voice, Completing):
    """`POST /generate`: an object, with details if asked for."""

    path = r"/generate"
    framing = Sse(space=False)
    trouble = Problem.GENERATION

    def check(self, request: Request, account: Account) -> None:
        """Check key, inputs, parameters and window."""
        check_bearer(request, account)
        body = check_json_object(request)
        fields.text(body, "inputs", message="Input validation error: `inputs` cannot be empty")
        _check_parameters(fields.mapping(body, "parameters"))
        check_window(request, account)

    def model(self, request: Request) -> str:
        """Say nothing: a server has one model, and the request names none."""
        del request
        return ""

    def streams(self, request: Request) -> bool:
        """Never: `/generate` answers at once."""
        del request
        return False

    def wants_json(self, request: Request) -> bool:
        """Look for a grammar."""
        return bool((request.fields.get("parameters") or {}).get("grammar"))

    def payload(self, request: Request, answer: Answer) -> Any:
        """Write the generated text; the prompt leads it where the request wanted that."""
        text = as_text(answer, wants_json=self.wants_json(request))
        parameters = request.fields.get("parameters") or {}
        shown = f"{request.fields['inputs']}{text}" if parameters.get("return_full_text") else text
        details = _details(request, answer, text) if parameters.get("details") else None
        body = {"generated_text": shown, "details": details}
        return body if details else {"generated_text": shown}

    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell each token; the last has the whole text and why it ended."""
        text = as_text(answer, wants_json=self.wants_json(request))
        pieces = as_pieces(answer, text)
        for place, piece in enumerate(pieces, 1):
            yield Event(Stage.CONTENT, _token(place, piece))
        end = _token(len(pieces) + 1, "</s>", special=True) | {"generated_text": text}
        details = _details(request, answer, text)
        kept = {name: details.get(name) for name in ("finish_reason", "generated_tokens", "seed")}
        yield Event(Stage.FINISH, end | {"details": kept if answer.usage else None})


class GenerateStream(Generate):
    """`POST /generate_stream`: the same as events, whatever the body says."""

    path = r"/generate_stream"

    def streams(self, request: Request) -> bool:
        """Always."""
        del request
        return True


class HostedGenerate(Generate):
    """`POST /` or `POST /models/{model}`: a list with one object.

    Unlike `/generate` it repeats the prompt unless `return_full_text` is false, as text generation
    pipelines do.
    """

    path = r"/|/models/(?P<model>.+)"

    def check(self, request: Request, account: Account) -> None:
        """Check the model in the path too."""
        super().check(request, account)
        model = self.model(request)
        if model and not account.knows_model(model):
            raise Refused(Problem.MODEL_UNKNOWN, f"Model {model} does not exist")

    def streams(self, request: Request) -> bool:
        """Look for the flag beside the inputs."""
        return request.fields.get("stream") is True

    def model(self, request: Request) -> str:
        """Read the model from the path, if it is there."""
        return self.parameters(request).get("model") or ""

    def payload(self, request: Request, answer: Answer) -> Any:
        """Put the object into a list."""
        return [self.generation(request, answer)]

    def generation(self, request: Request, answer: Answer) -> dict[str, Any]:
        """Write the object."""
        body: dict[str, Any] = super().payload(request, answer)
        parameters = request.fields.get("parameters") or {}
        if parameters.get("return_full_text") is None:
            body["generated_text"] = f"{request.fields['inputs']}{body['generated_text']}"
        return body


class HostedGenerateObject(HostedGenerate):
    """The same, without the list, as some endpoints answer."""

    def payload(self, request: Request, answer: Answer) -> Any:
        """Leave the list out."""
        return self.generation(request, answer)


class TGIChat(ChatCompletions):
    """`POST /v1/chat/completions` on TGI: any model name will do."""

    framing = Sse(space=False)
    trouble = Problem.GENERATION
    wordings = WORDINGS
    pairs_calls = False

    def check(self, request: Request, account: Account) -> None:
        """Check all but the model."""
        super().check(request, Account(account.keys, None, account.context_tokens))

    def error_body(self, wording: Wording) -> Any:
        """Write TGI's error."""
        return _error(wording)


class TGIModels(ModelList):
    """`GET /v1/models`."""

    path = r"/v1/models"
    chat = TGIChat()


class Info(_Voice, Free):
    """`GET /info`."""

    path = r"/info"

    def describe(self, request: Request, account: Account) -> Reply:
        """Describe the server."""
        del request
        model = next(iter(account.listed), "tgi")
        window = account.context_tokens or 4096
        return json_reply(200, {"model_id": model, "max_total_tokens": window, "version": "3.3.6"})


class Health(_Voice, Free):
    """`GET /health`: a status alone."""

    path = r"/health"

    def describe(self, request: Request, account: Account) -> Reply:
        """Be well."""
        del request, account
        return Reply(200, headers=())


def _details(request: Request, answer: Answer, text: str) -> dict[str, Any]:
    generated = count(request.body, answer, text).completion
    reason = _FINISH.get(answer.end, "eos_token")
    counted = {"generated_tokens": generated} if answer.usage else {}
    return {"finish_reason": reason, **counted, "seed": None, "prefill": [], "tokens": []}


def _token(index: int, text: str, *, special: bool = False) -> dict[str, Any]:
    token = {"id": 1000 + index, "text": text, "logprob": -0.25, "special": special}
    return {"index": index, "token": token, "generated_text": None, "details": None}


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    fields.only(parameters, _PARAMETERS, message="Input validation error: unknown parameter `{}`")
    fields.positive(parameters, "max_new_tokens")
    fields.number(parameters, "temperature", low=0, high=100)
    fields.number(parameters, "top_p", low=0, high=1)
    if parameters.get("temperature") == 0:
        text = "Input validation error: `temperature` must be strictly positive"
        raise Refused(Problem.INVALID, text)
    if parameters.get("top_p") in {0, 1}:
        raise Refused(Problem.INVALID, "Input validation error: `top_p` must be > 0.0 and < 1.0")


TGI = Dialect(
    name="tgi",
    prefix="",
    key=None,
    models=("tgi",),
    endpoints=(Generate(), GenerateStream(), TGIChat(), TGIModels(), Info(), Health()),
)

_HOSTED = (
    "tiiuae/falcon-7b-instruct",
    "microsoft/DialoGPT-large",
    "meta-llama/Llama-2-7b-chat-hf",
)
_HF_KEY = "hf_test0123456789abcdefghijklmnop"

HF_ENDPOINT = Dialect(
    name="hf_endpoint",
    prefix="/models",
    key=_HF_KEY,
    models=_HOSTED,
    endpoints=(HostedGenerate(),),
)
HF_ENDPOINT_OBJECT = Dialect(
    name="hf_endpoint_object",
    prefix="/models",
    key=_HF_KEY,
    models=_HOSTED,
    endpoints=(HostedGenerateObject(),),
)
