"""The parts of the API's description that the framework cannot see by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.types import ASGIApp, Receive, Scope, Send

from faultmaven.api.errors import MEDIA_TYPE, problem_of
from faultmaven.api.examples import SHOWN
from faultmaven.api.refusals import (
    BodyTimeoutError,
    BodyTooLargeError,
    InvalidFieldsError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from faultmaven.errors import (
    AllProvidersFailedError,
    ConfigurationError,
    ErrorClass,
    FaultMavenError,
    SessionNotFoundError,
)
from faultmaven.models.api import ProblemBody, TroubleshootRequest, TroubleshootResponse
from faultmaven.models.attempt import Attempt
from faultmaven.models.faults import FieldFault

_SCHEMA = "#/components/schemas/{model}"

DOCUMENTED_ERRORS: Mapping[int, FaultMavenError] = {
    error.status: error
    for error in (
        MalformedBodyError(
            FieldFault(
                "body",
                "is not valid JSON at line 3, column 14",
                "Check quotes, commas and brackets.",
            )
        ),
        SessionNotFoundError(
            "The session is unknown.", hint="Leave SESSION_STRICT unset to create it on first use."
        ),
        BodyTimeoutError(
            FieldFault("body", "did not arrive within 60 seconds", "Send it faster, or send less.")
        ),
        BodyTooLargeError(
            FieldFault("body", "has more than 10,485,760 bytes", "Send the part around the fault.")
        ),
        UnsupportedMediaTypeError(
            FieldFault(
                "Content-Type",
                "must say application/json, in UTF-8",
                "Send the header Content-Type: application/json.",
            )
        ),
        InvalidFieldsError(
            FieldFault("query", "must not be blank", "Say what is wrong, or paste the log.")
        ),
        ConfigurationError(
            "FAULTMAVEN_DATA_DIR: the session database cannot be used (disk full).",
            hint="Make room, or name another folder.",
        ),
        AllProvidersFailedError(
            "All providers failed: openai: overloaded (HTTP 503)",
            attempts=[
                Attempt(
                    "openai",
                    "gpt-4o",
                    error_class=ErrorClass.OVERLOADED,
                    detail="HTTP 503",
                    status_code=503,
                    total_ms=212.4,
                )
            ],
            hint="Ask again in a few seconds, or configure a further provider.",
        ),
    )
}
"""An example of each error that every operation can end with, by HTTP status."""


class DescribedAPI(FastAPI):
    """An application whose description also has the bodies it reads and the problems it tells.

    What stands in front of its routes is put there with `put_in_front`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._bodies: tuple[type[BaseModel], ...] = ()
        self._examples: dict[str, Any] = {}
        self._front: ASGIApp = super().__call__

    def put_in_front(self, guard: Callable[[ASGIApp], ASGIApp]) -> None:
        """Have every connection pass what ``guard`` makes of the application as it is so far.

        Unlike the framework's own list of middleware this is outside of all that the framework
        does itself, so that what is answered in front costs nothing of that.
        """
        self._front = guard(self._front)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        scope["app"] = self
        await self._front(scope, receive, send)

    def describe(self, *bodies: type[BaseModel], examples: Mapping[str, Any]) -> None:
        """Add what a protocol of somebody else reads, and what it shows by name."""
        self._bodies += bodies
        self._examples |= examples

    def openapi(self) -> dict[str, Any]:
        """The description, written once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(_schemas(self._bodies))
            # Here and not beside each answer: the framework would drop every null of an example.
            components["examples"] = {
                name: {"value": value}
                for name, value in {**SHOWN, **_problem_examples(), **self._examples}.items()
            }
            self.openapi_schema = schema
        return self.openapi_schema


def schema_ref(model: type[BaseModel]) -> dict[str, str]:
    """A reference to a model's schema in the description."""
    return {"$ref": _SCHEMA.format(model=model.__name__)}


def shown(description: str, name: str) -> dict[str, Any]:
    """A documented JSON answer, shown by an example of that name."""
    return {"description": description, "content": {"application/json": by_example(name)}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented problems of an operation, by HTTP status."""
    return {
        status: {
            "description": DOCUMENTED_ERRORS[status].title,
            "content": {
                MEDIA_TYPE: {"schema": schema_ref(ProblemBody), **by_example(f"Problem{status}")}
            },
        }
        for status in statuses
    }


def by_example(name: str) -> dict[str, Any]:
    """A reference to an example of that name."""
    return {"examples": {name: {"$ref": f"#/components/examples/{name}"}}}


def _schemas(further: Sequence[type[BaseModel]]) -> dict[str, Any]:
    _, definitions = models_json_schema(
        [
            *((body, "validation") for body in further),
            (TroubleshootRequest, "validation"),
            (TroubleshootResponse, "serialization"),
            (ProblemBody, "serialization"),
        ],
        ref_template=_SCHEMA,
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _problem_examples() -> dict[str, Any]:
    bodies = (
        problem_of(error, request_id="req-8c1d3a52", instance=None)
        for error in DOCUMENTED_ERRORS.values()
    )
    return {f"Problem{body.status}": body.model_dump(mode="json") for body in bodies}
