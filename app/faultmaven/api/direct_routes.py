"""A short way to the busiest operations, as plain ASGI.

The framework looks for a route by matching one pattern after the other, and resolves dependencies
that these operations do not have: on one core that costs more than all that they do themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute, APIRouter
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class DirectRoutes:
    """Calls the endpoint of a known path at once; everything else takes the usual way.

    The endpoints take the request and give a response, and nothing else; the routes they are
    taken from stay in the application, which describes them.

    Args:
        app: serves whatever is not known here.
        routers: whose operations take the short way, as far as they answer to POST.
        handlers: what becomes of errors, by their class; as in the application.
    """

    def __init__(
        self, app: ASGIApp, *, routers: Iterable[APIRouter], handlers: Mapping[Any, Any]
    ) -> None:
        self._app = app
        self._routes = {
            route.path: route
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and "POST" in (route.methods or ())
        }
        foreseen = {kind: handler for kind, handler in handlers.items() if kind is not Exception}
        self._served = ServerErrorMiddleware(
            ExceptionMiddleware(self._serve, handlers=foreseen), handler=handlers.get(Exception)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._routes:
            await self._served(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = route = self._routes[scope["path"]]
        response = await route.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
