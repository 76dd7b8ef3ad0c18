"""GET /health and its parts: for people, load balancers and orchestrators."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from faultmaven.api.deps import services_of
from faultmaven.api.openapi import shown
from faultmaven.services.health import HealthService
from faultmaven.services.health_report import Dependencies, Liveness, Readiness, Summary

router = APIRouter(tags=["health"])

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


@router.get(
    "/health/live",
    operation_id="liveness",
    summary="Does the process run?",
    description="For liveness probes: looks at nothing else, so that no outage elsewhere restarts "
    "the service.",
    responses={200: shown("It runs.", "Liveness")},
)
async def liveness() -> Liveness:
    """Tell that the process runs."""
    return HealthService.liveness()


@router.get(
    "/health/ready",
    operation_id="readiness",
    summary="Can it take traffic?",
    description="For readiness probes: started, its own store readable, somebody configured to "
    "ask. The state of providers plays no part: the chain deals with that.",
    responses={
        200: shown("It can.", "Ready"),
        503: shown("It cannot, has not started, or is about to end.", "NotReady"),
    },
)
async def readiness(request: Request, response: Response) -> Readiness:
    """Tell whether traffic is welcome."""
    found = await services_of(request).health.readiness()
    if found.status != "ready":
        response.status_code = _UNAVAILABLE
    return found


@router.get(
    "/health/dependencies",
    operation_id="dependencies",
    summary="What are the providers like?",
    description="From memory, in milliseconds: every provider with what recent attempts and free "
    "calls showed, the chain, and the embedded model. 503 only when nobody in the chain can "
    "answer.",
    responses={
        200: shown("Somebody can answer.", "Dependencies"),
        503: shown("Nobody in the chain can answer.", "Dependencies"),
    },
)
async def dependencies(request: Request, response: Response) -> Dependencies:
    """Tell what the service depends on."""
    found = services_of(request).health.dependencies()
    if not found.components.llm_provider:
        response.status_code = _UNAVAILABLE
    return found


@router.get(
    "/health",
    operation_id="health",
    summary="The service at a glance",
    description="The parts in one small answer, for people and dashboards.",
    responses={200: shown("How it is.", "Summary")},
)
async def health(request: Request) -> Summary:
    """Tell how the service is."""
    return await services_of(request).health.summary()
