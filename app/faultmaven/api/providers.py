"""GET /api/v1/providers: whom one can ask."""

from __future__ import annotations

from fastapi import APIRouter, Request

from faultmaven.api.deps import services_of
from faultmaven.api.openapi import shown
from faultmaven.services.health_report import Catalogue

router = APIRouter(tags=["providers"])


@router.get(
    "/api/v1/providers",
    operation_id="list_providers",
    summary="List the providers",
    description="Every provider of the schema: whether it is configured, whether the chain asks "
    "it, its models, and what recent attempts showed. Nobody is asked for it.",
    responses={200: shown("The providers, by name.", "Catalogue")},
)
async def list_providers(request: Request) -> Catalogue:
    """List every provider."""
    return services_of(request).health.catalogue()
