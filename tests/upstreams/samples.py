"""The least each vendor accepts: one sample request for every completion endpoint.

Written from the vendors' documentation, for testing the upstreams themselves and for loading them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TURNS = [{"role": "user", "content": "Why does the pod restart?"}]


@dataclass(frozen=True, slots=True)
class Sample:
    """A request, with `{key}` and `{model}` where those belong."""

    path: str
    """After the origin."""
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def filled(self, *, key: str, model: str) -> "Sample":
        """Put key and model in their places."""
        headers = {name: value.format(key=key) for name, value in self.headers.items() if key}
        body = {name: _named(value, model) for name, value in self.body.items()}
        return Sample(self.path.format(model=model), body, {**self.headers, **headers})


def _named(value: Any, model: str) -> Any:
    """Put the model's name into a value, however deep."""
    match value:
        case str():
            return value.replace("{model}", model)
        case list():
            return [_named(item, model) for item in value]
        case dict():
            return {name: _named(item, model) for name, item in value.items()}
        case _:
            return value


_BEARER = {"authorization": "Bearer {key}"}
_INPUTS = {"inputs": "Why does the pod restart?", "parameters": {"return_full_text": False}}
_CHAT = {"model": "{model}", "messages": _TURNS}
_ANTHROPIC = {"x-api-key": "{key}", "anthropic-version": "2023-06-01"}
_LOCAL = Sample("/v1/chat/completions", _CHAT, {})
_OPENAI = (Sample("/v1/chat/completions", _CHAT, _BEARER),)
_HOSTED = (
    Sample("/models/{model}", _INPUTS, _BEARER),
    Sample("/", _INPUTS, _BEARER),
)
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Why does the pod restart?"}]}]}

SAMPLES: Mapping[str, tuple[Sample, ...]] = {
    "openai": _OPENAI,
    "fireworks": (Sample("/inference/v1/chat/completions", _CHAT, _BEARER),),
    "openrouter": (Sample("/api/v1/chat/completions", _CHAT, _BEARER),),
    "huggingface": _OPENAI,
    "together": _OPENAI,
    "anthropic": (Sample("/v1/messages", _CHAT | {"max_tokens": 100}, _ANTHROPIC),),
    "gemini": (
        Sample("/v1beta/models/{model}:generateContent", _GEMINI, {"x-goog-api-key": "{key}"}),
        Sample("/v1/models/{model}:generateContent", _GEMINI, {"x-goog-api-key": "{key}"}),
    ),
    "cohere": (
        Sample("/v1/generate", {"model": "{model}", "prompt": "Why?"}, _BEARER),
        Sample("/v2/chat", _CHAT, _BEARER),
    ),
    "ollama": (Sample("/api/chat", _CHAT | {"stream": False}, {}), _LOCAL),
    "vllm": (_LOCAL,),
    "vllm_older": (_LOCAL,),
    "tgi": (Sample("/generate", _INPUTS, {}), _LOCAL),
    "llamacpp": (_LOCAL, Sample("/completion", {"prompt": "Why?"}, {})),
    "hf_endpoint": _HOSTED,
    "hf_endpoint_object": _HOSTED,
}

STREAM_PATHS: Mapping[str, Mapping[str, str]] = {
    "gemini": {"generateContent": ":streamGenerateContent?alt=sse"},
    "tgi": {"/generate": "/generate_stream"},
}
"""Where a vendor streams, if that is another path than the plain one (by its last part)."""

_TEXTS = ["The disk is full.", "Überlauf"]
_INPUT = {"model": "{model}", "input": _TEXTS}
_PARTS = [{"model": "models/{model}", "content": {"parts": [{"text": text}]}} for text in _TEXTS]
_V1_EMBEDDINGS = Sample("/v1/embeddings", _INPUT, _BEARER)

EMBEDDING_SAMPLES: Mapping[str, tuple[Sample, ...]] = {
    "openai": (_V1_EMBEDDINGS,),
    "fireworks": (Sample("/inference/v1/embeddings", _INPUT, _BEARER),),
    "openrouter": (Sample("/api/v1/embeddings", _INPUT, _BEARER),),
    "together": (_V1_EMBEDDINGS,),
    "vllm": (_V1_EMBEDDINGS,),
    "llamacpp": (_V1_EMBEDDINGS,),
    "ollama": (Sample("/api/embed", _INPUT, {}), _V1_EMBEDDINGS),
    "cohere": (
        Sample(
            "/v2/embed",
            {
                "model": "{model}",
                "texts": _TEXTS,
                "input_type": "search_document",
                "embedding_types": ["float"],
            },
            _BEARER,
        ),
    ),
    "gemini": (
        Sample(
            "/v1beta/models/{model}:batchEmbedContents",
            {"requests": _PARTS},
            {"x-goog-api-key": "{key}"},
        ),
        Sample(
            "/v1beta/models/{model}:embedContent",
            _PARTS[0],
            {"x-goog-api-key": "{key}"},
        ),
    ),
}
"""The same for embeddings, two texts each where there may be more than one."""
