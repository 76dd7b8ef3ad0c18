"""The whole service in process, asked as a server would ask it."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from dependency_injector import providers
from fastapi import FastAPI
from starlette.types import Message

from api.service import scope_of, started
from doubles import environment, settings_of
from faultmaven.container import Container
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.main import create_app
from faultmaven.models.arrival import ARRIVED
from faultmaven.models.departure import TELL

_KEY = "key-0123456789abcdef0123456789abcdef"


class Question:
    """A kind of request.

    Args:
        path: where it goes.
        body: what it says; ``{n}`` in a text becomes a number that no other request has.
    """

    def __init__(self, path: str, body: Mapping[str, Any]) -> None:
        self.path = path
        self._template = json.dumps(body).encode()

    def body(self, number: int) -> bytes:
        """Write the request of this number, all of one length."""
        return self._template.replace(b"{n}", b"%06d" % number)


class Caller:
    """Asks an application, each time something else."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._numbers = count()

    async def ask(self, question: Question) -> None:
        """Ask, and wait for the whole answer, of which nothing is kept.

        Raises:
            AssertionError: it was refused, or broke off.
        """
        exchange = _Exchange(question.body(next(self._numbers)))
        await self._app(exchange.scope(question.path), exchange.receive, exchange.send)
        assert (exchange.status, exchange.ended) == (200, True)


def _nobody_leaves(whom: Callable[[], object] | None) -> None:
    """Tells of departures, as the server does; there are none."""


class _Exchange:
    """The server's side of one request."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._given = False
        self.status = 0
        self.ended = False

    def scope(self, path: str) -> dict[str, Any]:
        length = str(len(self._body))
        scope = scope_of(path, authorization="Bearer caller", content_length=length)
        return {**scope, TELL: _nobody_leaves, ARRIVED: True}

    async def receive(self) -> Message:
        if self._given:
            await asyncio.Event().wait()  # the caller stays to the end
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.ended = message["type"] == "http.response.body" and not message.get("more_body")


@asynccontextmanager
async def serving(transport: Transport, *, everybody: bool = False) -> AsyncIterator[Caller]:
    """Run the service with everything on; gives who asks it.

    Args:
        transport: moves bytes to the providers.
        everybody: whether every provider is configured, instead of the first of the chain alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        variables = {**_variables(everybody=everybody), "FAULTMAVEN_DATA_DIR": folder}
        container = Container()
        with environment(variables):
            registry = ProviderRegistry(settings_of(variables), transport=transport)
            container.core.registry.override(providers.Object(registry))
            async with started(create_app(container)) as app:
                yield Caller(app)


def _variables(*, everybody: bool) -> dict[str, str]:
    keys = {row["api_key_var"]: _KEY for row in PROVIDER_SCHEMA.values() if "api_key_var" in row}
    return {
        "CHAT_PROVIDER": "openai",
        "FALLBACK_EXTRA": "all",
        "LOCAL_MODEL": "off",
        "LOCAL_LLM_ENABLED": str(everybody),
        # What happens now and then would be counted by chance, and is no request's cost.
        "PROBE_INTERVAL": "0",
        "RELOAD_WATCH": "false",
        **(keys if everybody else {"OPENAI_API_KEY": _KEY}),
    }
