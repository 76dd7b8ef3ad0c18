"""What can go wrong at a vendor, named once; each dialect words it in its own way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Problem(StrEnum):
    """A vendor's reason for not answering."""

    INVALID = "invalid"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    UNSUPPORTED_VALUE = "unsupported_value"
    CONTEXT = "context_length"
    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"
    CREDIT = "credit"
    KEY_EXPIRED = "key_expired"
    FORBIDDEN = "forbidden"
    ROUTE = "route"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_RETIRED = "model_retired"
    METHOD = "method"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    SUSPENDED = "suspended"
    TOO_LARGE = "too_large"
    UNPROCESSABLE = "unprocessable"
    GENERATION = "generation"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    SERVER = "server"
    BAD_GATEWAY = "bad_gateway"
    UNAVAILABLE = "unavailable"
    LOADING = "loading"
    GATEWAY_TIMEOUT = "gateway_timeout"
    EDGE_TIMEOUT = "edge_timeout"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True)
class Wording:
    """How a vendor words a problem."""

    status: int
    message: str
    kind: str | None = None
    """The vendor's `type`, `status` or `error_type`."""
    code: str | int | None = None
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields only this vendor has."""


class Refused(Exception):  # noqa: N818 - a vendor's refusal, not an error of ours
    """The vendor would not accept this request."""

    def __init__(
        self, problem: Problem, message: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(problem, message, param)
        self.problem = problem
        self.message = message
        self.param = param


PLAIN: Mapping[Problem, Wording] = {
    Problem.INVALID: Wording(400, "The request is invalid."),
    Problem.UNSUPPORTED_PARAMETER: Wording(400, "Unsupported parameter."),
    Problem.UNSUPPORTED_VALUE: Wording(400, "Unsupported value."),
    Problem.CONTEXT: Wording(400, "The prompt is too long for this model."),
    Problem.KEY_MISSING: Wording(401, "No API key was given."),
    Problem.KEY_WRONG: Wording(401, "The API key is not valid."),
    Problem.KEY_EXPIRED: Wording(498, "invalid token"),
    Problem.CREDIT: Wording(402, "The account has no credit left."),
    Problem.FORBIDDEN: Wording(403, "The key may not use this resource."),
    Problem.ROUTE: Wording(404, "Not Found"),
    Problem.MODEL_UNKNOWN: Wording(404, "The model does not exist."),
    Problem.MODEL_RETIRED: Wording(404, "The model has been retired."),
    Problem.METHOD: Wording(405, "Method Not Allowed"),
    Problem.TIMEOUT: Wording(408, "The request timed out."),
    Problem.CONFLICT: Wording(409, "The request conflicts with another."),
    Problem.SUSPENDED: Wording(412, "The account is suspended."),
    Problem.TOO_LARGE: Wording(413, "The request is too large."),
    Problem.UNPROCESSABLE: Wording(422, "The request could not be processed."),
    Problem.GENERATION: Wording(424, "The generation failed."),
    Problem.RATE_LIMIT: Wording(429, "Too many requests."),
    Problem.QUOTA: Wording(429, "The quota is used up."),
    Problem.SERVER: Wording(500, "Internal server error."),
    Problem.BAD_GATEWAY: Wording(502, "Bad gateway."),
    Problem.UNAVAILABLE: Wording(503, "The service is overloaded."),
    Problem.LOADING: Wording(503, "The model is loading."),
    Problem.GATEWAY_TIMEOUT: Wording(504, "The upstream timed out."),
    Problem.EDGE_TIMEOUT: Wording(524, "The origin timed out."),
    Problem.OVERLOADED: Wording(529, "Overloaded."),
}
"""The bare wording, for a dialect whose vendor publishes nothing better."""

BY_STATUS: Mapping[int, Problem] = {
    400: Problem.INVALID,
    401: Problem.KEY_WRONG,
    402: Problem.CREDIT,
    403: Problem.FORBIDDEN,
    404: Problem.MODEL_UNKNOWN,
    408: Problem.TIMEOUT,
    409: Problem.CONFLICT,
    412: Problem.SUSPENDED,
    413: Problem.TOO_LARGE,
    422: Problem.UNPROCESSABLE,
    424: Problem.GENERATION,
    429: Problem.RATE_LIMIT,
    498: Problem.KEY_EXPIRED,
    500: Problem.SERVER,
    502: Problem.BAD_GATEWAY,
    503: Problem.UNAVAILABLE,
    504: Problem.GATEWAY_TIMEOUT,
    524: Problem.EDGE_TIMEOUT,
    529: Problem.OVERLOADED,
}
"""Which problem a bare status stands for."""
