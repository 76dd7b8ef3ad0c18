"""Vendors of every wire format, played on loopback, for clients that know nothing of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from upstreams import DIALECTS, Answer, Dialect, Request, Upstream, UpstreamThread
from upstreams.dialects.ollama import OllamaChat
from upstreams.exchange import AnswerSource

ANSWER = "The disk of db-1 is full: /var/log holds 97 % of it."


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor, and how a user tells the service of it.

    Attributes:
        name: its row in the schema.
        dialect: what its upstream speaks.
        model: the model that is configured; it can be held to a schema and use tools.
        url_variable: environment variable with its address.
        key_variable: the one with its key; empty where none is needed.
        model_variable: the one with its model.
    """

    name: str
    dialect: str
    model: str
    url_variable: str
    key_variable: str
    model_variable: str

    def variables(self, up: UpstreamThread) -> Mapping[str, str]:
        """What a user would put into the environment."""
        key = {self.key_variable: up.key} if self.key_variable else {}
        return {**key, self.url_variable: up.base_url, self.model_variable: self.model}


def _keyed(name: str, model: str) -> Vendor:
    prefix = name.upper()
    return Vendor(name, name, model, f"{prefix}_API_BASE", f"{prefix}_API_KEY", f"{prefix}_MODEL")


VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        _keyed("openai", "gpt-4o"),
        _keyed("anthropic", "claude-sonnet-4-6"),
        _keyed("gemini", "gemini-3.8-flash"),
        Vendor("local", "ollama", "llama3.2", "LOCAL_LLM_URL", "", "LOCAL_LLM_MODEL"),
        _keyed("cohere", "command-a-03-2025"),
    )
}
"""By name, in the order of the fallback chain."""

NAMES = tuple(VENDORS)

EMBEDDING: Mapping[str, str] = {
    "openai": "openai/text-embedding-3-small",
    "gemini": "gemini/gemini-embedding-001",
    "local": "local/llama3.2",
    "cohere": "cohere/embed-v4.0",
}
"""What to ask for vectors, of those who make any."""

_OLLAMA = DIALECTS["ollama"]
_NATIVE = replace(
    _OLLAMA, endpoints=tuple(e for e in _OLLAMA.endpoints if not isinstance(e, OllamaChat))
)
"""An Ollama without OpenAI's chat route, so that the service has to speak its own API to it."""
_DIALECTS: Mapping[str, Dialect] = {**DIALECTS, "ollama": _NATIVE}

_COHERE_SEES = "command-a-vision-07-2025"
SEEING: Mapping[str, str] = {**{name: name for name in NAMES}, "cohere": f"cohere/{_COHERE_SEES}"}
"""What to ask each vendor for where there are pictures: most configured models have eyes."""

COHERE_ROW = """
[cohere]
provider_class = "CohereProvider"
api_key_var = "COHERE_API_KEY"
model_var = "COHERE_MODEL"
base_url_var = "COHERE_API_BASE"
default_base_url = "https://api.cohere.ai/v1"
default_model = "command-a-03-2025"

[cohere.option_vars]
api = "COHERE_API"
"""
"""Cohere's row of a providers file: it is none of the schema's own."""


class Vendors:
    """Every vendor while a test runs."""

    def __init__(self, upstreams: Mapping[str, UpstreamThread]) -> None:
        self.upstreams = upstreams

    def say(self, answer: AnswerSource, *names: str) -> None:
        """Let the models of these vendors, or of all, answer like this."""
        for name in names or NAMES:
            self.upstreams[name].upstream.answer = answer

    def stop(self, *names: str) -> None:
        """Let these vendors, or all, have an outage: nobody listens there."""
        for name in names or NAMES:
            self._run(name, Upstream.stop)

    def asked(self) -> list[str]:
        """Who was asked for an answer, in order of time."""
        asked = [
            (request.at, name)
            for name, up in self.upstreams.items()
            for request in up.requests
            if request.method == "POST"
        ]
        return [name for _, name in sorted(asked)]

    def last(self, name: str) -> Request:
        """What this vendor was asked last."""
        return self.upstreams[name].last

    def refused(self) -> dict[str, list[bytes]]:
        """What vendors found wrong with what they were asked."""
        return {
            name: [rejection.reply.body for rejection in up.rejections]
            for name, up in self.upstreams.items()
            if up.rejections
        }

    def forget(self) -> None:
        """Let everybody answer well again, and forget what was asked."""
        self.say(Answer(ANSWER))
        for name, up in self.upstreams.items():
            up.recover()
            up.upstream.requests.clear()
            up.upstream.rejections.clear()
            if not _listens(up.upstream):
                self._run(name, Upstream.start)

    def _run(self, name: str, act: Callable[[Upstream], Awaitable[None]]) -> None:
        up = self.upstreams[name]

        async def run() -> None:
            await act(up.upstream)

        assert up._loop is not None
        asyncio.run_coroutine_threadsafe(run(), up._loop).result(10)


@contextmanager
def playing() -> Iterator[Vendors]:
    """Start every vendor."""
    with ExitStack() as stack:
        yield Vendors({name: stack.enter_context(_upstream(name)) for name in NAMES})


def _upstream(name: str) -> UpstreamThread:
    dialect = _DIALECTS[VENDORS[name].dialect]
    models = {*dialect.models, SEEING[name].partition("/")[2] or VENDORS[name].model}
    return UpstreamThread(dialect, answer=Answer(ANSWER), models=models)


def _listens(up: Upstream) -> bool:
    return up._server is not None and up._server.is_serving()
