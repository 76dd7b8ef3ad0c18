"""Requests to the operator's own machines are what they were, but for the way they go."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import fields, replace
from typing import Any

import pytest

from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.transport import WireStream
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.types import (
    CompletionRequest,
    Endpoint,
    WireRequest,
    WireResponse,
)

_WRITTEN: dict[str, Any] = {
    "method": "GET",
    "url": "http://127.0.0.1:1/v1",
    "headers": {"x-one": "1"},
    "body": b"{}",
    "direct": False,
}


class FixedChat(OpenAIChat):
    """Writes the same request whatever is asked."""

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write it."""
        del request, endpoint
        return WireRequest(**_WRITTEN)


class Vendor(HTTPProvider):
    """A vendor that is asked the same every time."""

    codec = FixedChat()


class Unreachable:
    """A transport that remembers what it was to send, and cannot."""

    def __init__(self) -> None:
        self.sent: list[WireRequest] = []

    async def send(self, request: WireRequest, *, timeout: float) -> WireResponse:  # noqa: ASYNC109 - the seam's
        """Remember it."""
        del timeout
        self.sent.append(request)
        raise ProviderConnectionError("refused")

    def stream(self, request: WireRequest) -> AbstractAsyncContextManager[WireStream]:
        """Remember it."""
        self.sent.append(request)
        raise ProviderConnectionError("refused")

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("local", [True, False])
async def test_a_direct_request_loses_nothing(*, local: bool) -> None:
    """All that the codec wrote is sent; no proxy sees it where the server is the operator's."""
    transport = Unreachable()
    config = ProviderConfig("one", None, "http://127.0.0.1:1", ["m"], local=local)
    vendor = Vendor(config, transport=transport)
    with pytest.raises(ProviderConnectionError):
        await vendor.complete(CompletionRequest("m", ()), timeout=5)

    assert _WRITTEN.keys() == {field.name for field in fields(WireRequest)}
    assert transport.sent == [replace(WireRequest(**_WRITTEN), direct=local)]
