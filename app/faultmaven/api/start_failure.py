"""A start that fails, told to the server in words instead of a stack."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultmaven.errors import FaultMavenError


def note_start_failure(app: FastAPI, failure: FaultMavenError) -> None:
    """Keep why the start failed, for the server to be told."""
    app.state.start_failure = failure


class StartFailureMiddleware:
    """Tells the server the noted failure where it would log the whole traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one connection; only the lifespan is looked at."""
        if scope["type"] != "lifespan":
            return self._app(scope, receive, send)

        def tell(message: Message) -> Awaitable[None]:
            failure = getattr(scope["app"].state, "start_failure", None)
            if message["type"] == "lifespan.startup.failed" and failure is not None:
                message["message"] = " ".join(filter(None, (str(failure), failure.hint)))
            return send(message)

        return self._app(scope, receive, tell)
