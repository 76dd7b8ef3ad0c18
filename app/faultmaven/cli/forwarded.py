"""Who asks by way of a proxy, as the proxy tells it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_TOLD = frozenset((b"x-forwarded-for", b"x-forwarded-proto"))


class Forwarded:
    """Believes trusted proxies; whoever brings no word of one goes straight on.

    The server's own middleware looks up whether a caller is trusted before it looks whether that
    matters, for every request.

    Args:
        app: what comes next.
        trusted: addresses and networks of proxies, as ``FORWARDED_ALLOW_IPS`` has them.
    """

    def __init__(self, app: ASGIApp, *, trusted: list[str] | str) -> None:
        self._app = app
        behind: Any = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]  # the same, in the server's words
        self._behind_a_proxy: ASGIApp = behind

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection."""
        for name, _ in scope.get("headers", ()):
            if name in _TOLD:
                return self._behind_a_proxy(scope, receive, send)
        return self._app(scope, receive, send)
