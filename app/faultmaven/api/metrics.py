"""GET /metrics: what Prometheus scrapes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from faultmaven.api.deps import services_of
from faultmaven.api.examples import METRICS

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    description="Requests, attempts, latency and availability of every provider, tokens, cost and "
    "confidence. Each series of a provider exists from the start.",
    response_class=Response,
    responses={
        200: {
            "description": "The text format that the Accept header asks for.",
            "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}},
        }
    },
)
async def metrics(request: Request) -> Response:
    """Write every metric."""
    body, media_type = services_of(request).metrics.expose(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": media_type})
