"""A short way to the busiest operations, as plain ASGI.

The framework looks for a route by matching one pattern after the other, resolves dependencies that
these operations do not have, and passes each message through three functions to know whether an
error can still be answered: on one core that costs more than all that they do themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from fastapi import Request
from fastapi.routing import APIRoute, APIRouter
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.infrastructure.observability.request import require_request

_FAILURE = "faultmaven.failure"


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
        foreseen = {kind: told for kind, told in handlers.items() if kind is not Exception}
        self._failing = ServerErrorMiddleware(
            ExceptionMiddleware(_fail, handlers=foreseen), handler=handlers.get(Exception)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection.

        Raises:
            Exception: one that nobody foresaw, or that came too late to be answered.
        """
        asked = scope["type"] == "http" and scope["method"] == "POST"
        route = self._routes.get(scope["path"]) if asked else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.endpoint(Request(scope, receive, send))
            await response(scope, receive, send)
        except Exception as error:
            if require_request().answered:
                raise
            # Answered as the framework does; what nobody foresaw is raised again.
            scope[_FAILURE] = error
            await self._failing(scope, receive, send)


async def _fail(scope: Scope, receive: Receive, send: Send) -> NoReturn:
    """Fail as the endpoint did; the error stays with nobody, lest it keep all it came through."""
    del receive, send
    raise scope.pop(_FAILURE)
