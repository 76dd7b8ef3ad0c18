"""POST /api/v1/admin/reload: for the operator alone, who knows ``ADMIN_API_KEY``.

Without that setting there is nothing here: the paths are as unknown as any other, and they are
never part of the API's description.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from faultmaven.api.deps import Services, services_of
from faultmaven.services.admin import AdminService
from faultmaven.services.reloading import ReloadReport


class AdminRoute(APIRoute):
    """A route that exists as long as there is a key for it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this route."""
        services: Services | None = getattr(scope["app"].state, "services", None)
        if services is None or not services.admin.enabled:
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(route_class=AdminRoute, include_in_schema=False)


@router.post("/api/v1/admin/reload")
async def reload(request: Request) -> ReloadReport:
    """Read the configuration again; tells what changed, or what is wrong with it."""
    return await _admin_for(request).reload()


def _admin_for(request: Request) -> AdminService:
    """The service, for whoever presents the key.

    Raises:
        HTTPException: nobody does.
    """
    admin = services_of(request).admin
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    presented = [request.headers.get("x-admin-key", "")]
    if scheme.lower() == "bearer":
        presented.append(token.strip())
    # The framework reads the bytes of a header as Latin-1, which loses none of them.
    if not any(admin.admits(text.encode("latin-1")) for text in presented):
        raise HTTPException(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return admin
