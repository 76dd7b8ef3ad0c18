"""The parts of the API's description that the framework cannot see by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from faultmaven.api.errors import MEDIA_TYPE, problem_of
from faultmaven.api.refusals import (
    BodyTimeoutError,
    BodyTooLargeError,
    InvalidFieldsError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from faultmaven.errors import (
    ConfigurationError,
    FaultMavenError,
    NotInitializedError,
    SessionNotFoundError,
)
from faultmaven.models.api import ProblemBody, TroubleshootRequest
from faultmaven.models.examples import PROBLEM
from faultmaven.models.faults import FieldFault

_REF = "#/components/schemas/{model}"

_EXAMPLES: Mapping[int, FaultMavenError] = {
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
        NotInitializedError("Service not available: Container not initialized."),
    )
}


class DescribedAPI(FastAPI):
    """An application whose description also has the bodies it reads and the problems it tells."""

    def openapi(self) -> dict[str, Any]:
        """The description, written once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            _, definitions = models_json_schema(
                [(TroubleshootRequest, "validation"), (ProblemBody, "serialization")],
                ref_template=_REF,
            )
            components = schema.setdefault("components", {})
            components.setdefault("schemas", {}).update(definitions["$defs"])
            self.openapi_schema = schema
        return self.openapi_schema


def schema_ref(model: type[BaseModel]) -> dict[str, str]:
    """A reference to a model's schema in the description."""
    return {"$ref": _REF.format(model=model.__name__)}


def problems(*statuses: int, asks_providers: bool = False) -> dict[int | str, dict[str, Any]]:
    """The documented error responses of an operation.

    Args:
        statuses: HTTP statuses of errors it may answer with.
        asks_providers: whether the example of 503 tells of providers that failed.
    """
    return {status: _problem(status, asks_providers=asks_providers) for status in statuses}


def _problem(status: int, *, asks_providers: bool) -> dict[str, Any]:
    error = _EXAMPLES[status]
    body = problem_of(error, request_id="req-8c1d3a52", instance=None)
    example = PROBLEM if asks_providers and status == PROBLEM["status"] else body.model_dump()
    content = {"schema": schema_ref(ProblemBody), "example": example}
    return {"description": example["title"], "content": {MEDIA_TYPE: content}}


def example_of(description: str, example: Any) -> dict[str, Any]:
    """A documented JSON response with an example."""
    return {"description": description, "content": {"application/json": {"example": example}}}
